/* scripts.c: Lua scripts that Redis executes atomically. */
#include "cluster/redis/scripts.h"

/* ISO C asks for 4095 characters in a literal; gcc and clang take any number. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* Detecting lost events: an event's id in the stream is its position and the nonce of the
 * session that stored it. If Redis has lost its newest events, the position that this process
 * knows either does not exist, or holds an event with another nonce because other events were
 * stored since. A new epoch then begins, and clients learn of a gap.
 *
 * Former epochs: Redis keeps the last epochs. For each it stores the newest position that any
 * process knew when it left the epoch, and the position at which the next epoch began in this
 * stream. A process that comes from a former epoch may have continued in another Redis (the
 * master before a failover), and its clients may have events that no other process has. There
 * are three cases:
 * - Its newest event is in this stream: nothing was lost.
 * - Its newest event is not newer than the position that is stored for the epoch: all clients
 * learned of a gap after that event was stored.
 * - In any other case a new epoch begins, so that all clients learn of a gap again. Each
 * process causes this at most once, because it knows the current epoch afterwards.
 *
 * Unknown epochs: a process may come from an epoch that is not among the former ones, because
 * this stream is older than the epoch, or because the epoch ended too long ago. A new epoch
 * then begins even if the stream has all events of the process: the unknown epoch may have
 * begun in order to report a gap, and what the process knew of the epoch before it is
 * forgotten. If that earlier epoch is the current one of this stream, its ids could stand for
 * other events.
 *
 * Where a process begins: behind the last event that its manager has, if this stream has that
 * event; if not, where the epoch after its own began. Others may have stored events before that place
 * in the process's own epoch, which it has not had: processes that did not know that events were lost,
 * as new ones. The process finds them by comparing the stream with its trail (load.c). If it has read
 * nothing behind the place where it began, that place stays. If the stream does not know the process's
 * epoch, the process begins where it left the newest of the stream's epochs that it was in; if
 * it was in none of them, where the current epoch began.
 *
 * A new stream has new positions, so what rooms have kept of the former one is deleted. Its keys are
 * made from the stream's, because there is no room for more arguments (scripts.h).
 *
 * The script first checks the rights of the user, because a user who may run only some of the
 * commands would leave events half stored. An entry beyond the position, left by such a user or
 * by another program, would block all later events: the stream is deleted and a new epoch
 * begins. */
const char script_attach[] =
    "for _, command in ipairs(redis.acl_check_cmd and {'XADD', 'XTRIM', 'HSET', 'SET'} or {}) "
    "do\n"
    "  if not redis.acl_check_cmd(command, KEYS[1], '*', '', '') then\n"
    "    return redis.error_reply('NOPERM this user has no permissions to run ' .. command)\n"
    "  end\n"
    "end\n"
    "local state = redis.call('HMGET', KEYS[1], 'epoch', 'position', 'base', 'formers')\n"
    "local epoch, position, formers = state[1], tonumber(state[2]), {}\n"
    "local known_epoch = ARGV[2]\n"
    "local known = tonumber(string.match(ARGV[3], '^%d+'))\n"
    "local left = {}\n"
    "for name, at in string.gmatch(ARGV[5], '(%S+) (%d+)') do left[name] = tonumber(at) end\n"
    "local function find(name)\n"
    "  for at, former in ipairs(formers) do\n"
    "    if former.epoch == name then return at, former end\n"
    "  end\n"
    "end\n"
    "local function remember(name, position, base)\n"
    "  local at, former = find(name)\n"
    "  if former then\n"
    "    table.remove(formers, at)\n"
    "    position, base = math.max(position, former.position), former.base\n"
    "  end\n"
    "  table.insert(formers, 1, {epoch = name, position = position, base = base})\n"
    "end\n"
    "local function had()\n"
    "  if left[epoch] then return left[epoch] end\n"
    "  for _, former in ipairs(formers) do\n"
    "    local at = left[former.epoch]\n"
    "    if at then return math.min(at, former.base) end\n"
    "  end\n"
    "end\n"
    "local function begin()\n"
    "  local lines, digits = {}, string.format('%.0f', position)\n"
    "  for at = 1, math.min(#formers, 32) do\n"
    "    local former = formers[at]\n"
    "    lines[at] = string.format('%s %.0f %.0f', former.epoch, former.position, "
    "former.base)\n"
    "  end\n"
    "  epoch = ARGV[1]\n"
    "  redis.call('HSET', KEYS[1], 'epoch', epoch, 'position', digits,\n"
    "    'base', epoch .. ' ' .. digits, 'formers', table.concat(lines, '\\n'))\n"
    "end\n"
    "local function at_place_of(id)\n"
    "  local digits, nonce = string.match(id, '^(%d+)-(.*)$')\n"
    "  local entry = redis.call('XRANGE', KEYS[2], digits, digits, 'COUNT', 1)[1]\n"
    "  return nonce ~= '' and entry and entry[1]\n"
    "end\n"
    "local function differs(id)\n"
    "  local found = at_place_of(id)\n"
    "  return found and found ~= id\n"
    "end\n"
    "if not (epoch and position) then\n"
    "  position = 0\n"
    "  if known_epoch ~= '' then remember(known_epoch, known, 0) end\n"
    "  redis.call('DEL', KEYS[2])\n"
    "  local values = string.sub(KEYS[2], 1, -7) .. 'values'\n"
    "  redis.pcall('DEL', values, values .. ':order', values .. ':lists', values .. ':sizes')\n"
    "  begin()\n"
    "  return {epoch, 0, '', 0, 0}\n"
    "end\n"
    "for name, at, base in string.gmatch(state[4] or '', '(%S+) (%d+) (%d+)') do\n"
    "  formers[#formers + 1] = {epoch = name, position = tonumber(at), base = tonumber(base)}\n"
    "end\n"
    "local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]\n"
    "local at, nonce = string.match(newest and newest[1] or '0-', '(%d+)-(%d*)')\n"
    "if tonumber(at) > position then\n"
    "  if known_epoch ~= '' then remember(known_epoch, known, position) end\n"
    "  remember(epoch, position, position)\n"
    "  redis.call('DEL', KEYS[2])\n"
    "  begin()\n"
    "  return {epoch, position, '', position, 0}\n"
    "end\n"
    "if tonumber(at) < position then nonce = '' end\n"
    "local start = position\n"
    "local read, read_nonce = string.match(ARGV[4], '^(%d+)-(.*)$')\n"
    "local has_read = at_place_of(ARGV[4]) == ARGV[4]\n"
    "local may_miss = 0\n"
    "if known_epoch == epoch then\n"
    "  if position < known or differs(ARGV[3]) or differs(ARGV[4]) then\n"
    "    remember(epoch, known, position)\n"
    "    begin()\n"
    "    may_miss = 1\n"
    "  end\n"
    "elseif known_epoch ~= '' then\n"
    "  local _, former = find(known_epoch)\n"
    "  local name, digits = string.match(state[3] or '', '^(%S+) (%d+)$')\n"
    "  local base = had() or not former and name == epoch and tonumber(digits)\n"
    "  if former then\n"
    "    if former.base >= (base or 0) then base, may_miss = former.base, 1 end\n"
    "    if read_nonce == '' then base = math.min(base, tonumber(read)) end\n"
    "  end\n"
    "  start = math.min(base or position, position)\n"
    "  local has_all = former and (known <= former.position\n"
    "      or has_read and at_place_of(ARGV[3]) == ARGV[3])\n"
    "  if not (has_all or not former and known == 0 and not next(left)) then\n"
    "    remember(known_epoch, known, start)\n"
    "    remember(epoch, position, position)\n"
    "    begin()\n"
    "  end\n"
    "end\n"
    "if has_read then start = tonumber(read) end\n"
    "return {epoch, position, nonce, start, may_miss}\n";

/* Sequences are compared as texts, because Lua's numbers are exact only up to 2^53. The loop
 * ends at the first event that fails, so that no later event is stored before it; the position
 * and the sequences of the events before it are still written. After the first write, the XADD,
 * Redis does not refuse further writes of a script for lack of memory or disk space.
 *
 * What rooms keep comes last, and must not keep events from being stored: if it fails, for example
 * because of missing rights, all of it is deleted, because a part could be out of date. One event
 * removes at most 200 others for the limits, so that a call does not take long after a limit was
 * lowered. */
const char script_append[] =
    "local state = redis.call('HMGET', KEYS[1], 'epoch', 'position')\n"
    "if state[1] ~= ARGV[1] then return redis.error_reply('EPOCH is another one') end\n"
    "local position, positions, last, kept = tonumber(state[2]), {}, {}, {}\n"
    "local stored, failure\n"
    "local n = (#ARGV - 3) / 6\n"
    "for i = 1, n do\n"
    "  local producer, at = KEYS[i + 2], 6 * i - 2\n"
    "  local sequence, known = ARGV[at], last[producer]\n"
    "  if known == nil then\n"
    "    known = redis.pcall('GET', producer)\n"
    "    if type(known) == 'table' then\n"
    "      failure = known\n"
    "      break\n"
    "    end\n"
    "    last[producer] = known\n"
    "  end\n"
    "  if known and (#known > #sequence or (#known == #sequence and known >= sequence)) then\n"
    "    positions[i] = 0\n"
    "  else\n"
    "    local fields = {ARGV[at + 1] == 'order' and 'order' or 'event', ARGV[at + 4]}\n"
    "    if ARGV[at + 3] ~= '' then\n"
    "      fields[3], fields[4] = 'exclude', ARGV[at + 3]\n"
    "    end\n"
    "    if ARGV[at + 2] ~= '' then\n"
    "      fields[#fields + 1], fields[#fields + 2] = ARGV[at + 1], ARGV[at + 2]\n"
    "    end\n"
    "    local digits = string.format('%.0f', position + 1)\n"
    "    local added = redis.pcall('XADD', KEYS[2], digits .. '-' .. ARGV[2], unpack(fields))\n"
    "    if type(added) == 'table' then\n"
    "      failure = added\n"
    "      break\n"
    "    end\n"
    "    position, stored, last[producer] = position + 1, digits, sequence\n"
    "    positions[i] = position\n"
    "    if ARGV[at + 5] ~= '' then kept[#kept + 1] = {at, digits} end\n"
    "  end\n"
    "end\n"
    "if stored then\n"
    "  redis.call('HSET', KEYS[1], 'position', stored)\n"
    "  for producer, sequence in pairs(last) do\n"
    "    if sequence then redis.call('SET', producer, sequence, 'EX', 86400) end\n"
    "  end\n"
    "  redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[3])\n"
    "end\n"
    "if #kept == 0 then return failure or positions end\n"
    "local values, order, lists, sizes = unpack(KEYS, n + 3)\n"
    "local changed, total = {}, nil\n"
    "local function place(digits) return string.rep('0', 20 - #digits) .. digits end\n"
    "local function size_of(list)\n"
    "  if not changed[list] then\n"
    "    local text = redis.call('HGET', sizes, list) or '0 0'\n"
    "    local count, bytes = string.match(text, '^(%d+) (%d+)$')\n"
    "    changed[list] = {count = tonumber(count), bytes = tonumber(bytes)}\n"
    "  end\n"
    "  return changed[list]\n"
    "end\n"
    "local function count(list, n, bytes)\n"
    "  local size = size_of(list)\n"
    "  size.count, size.bytes, total = size.count + n, size.bytes + bytes, total + bytes\n"
    "end\n"
    "local function drop(list, key, is_replaced)\n"
    "  local field = list .. '\\n' .. key\n"
    "  local at, bytes = string.match(redis.call('HGET', values, field) or '', '^(%d+) (%d+) "
    "')\n"
    "  if not at then return end\n"
    "  redis.call('ZREM', lists, list .. '\\n' .. place(at) .. key)\n"
    "  if not is_replaced then\n"
    "    redis.call('HDEL', values, field)\n"
    "    redis.call('ZREM', order, field)\n"
    "  end\n"
    "  count(list, -1, -tonumber(bytes))\n"
    "end\n"
    "local function oldest(list, n)\n"
    "  return redis.call('ZRANGEBYLEX', lists, '[' .. list .. '\\n0', '(' .. list .. '\\n:',\n"
    "    'LIMIT', 0, n)\n"
    "end\n"
    "local function drop_all(list)\n"
    "  repeat\n"
    "    local members, fields = oldest(list, 1000), {}\n"
    "    for i, member in ipairs(members) do\n"
    "      fields[i] = list .. '\\n' .. string.sub(member, #list + 22)\n"
    "    end\n"
    "    if #members > 0 then\n"
    "      redis.call('ZREM', lists, unpack(members))\n"
    "      redis.call('HDEL', values, unpack(fields))\n"
    "      redis.call('ZREM', order, unpack(fields))\n"
    "    end\n"
    "  until #members < 1000\n"
    "  local size = size_of(list)\n"
    "  count(list, -size.count, -size.bytes)\n"
    "end\n"
    "local function keep(room, digits, how, event)\n"
    "  local operation, most, most_bytes, most_total, bytes, kind, key =\n"
    "    string.match(how, '^(%a) (%d+) (%d+) (%d+) (%d+) ([^\\n]*)\\n(.*)$')\n"
    "  local list = room .. '\\n' .. kind\n"
    "  if operation == 'r' then return drop(list, key) end\n"
    "  if operation == 'a' then return drop_all(list) end\n"
    "  if operation == 'n' then key = '\\n' .. place(digits) end\n"
    "  drop(list, key, true)\n"
    "  local field, size = list .. '\\n' .. key, size_of(list)\n"
    "  redis.call('HSET', values, field, digits .. ' ' .. bytes .. ' ' .. event)\n"
    "  redis.call('ZADD', order, digits, field)\n"
    "  redis.call('ZADD', lists, 0, list .. '\\n' .. place(digits) .. key)\n"
    "  count(list, 1, tonumber(bytes))\n"
    "  most, most_bytes, most_total = tonumber(most), tonumber(most_bytes), "
    "tonumber(most_total)\n"
    "  for _ = 1, 100 do\n"
    "    if size.count <= most and (most_bytes == 0 or size.bytes <= most_bytes) then break "
    "end\n"
    "    drop(list, string.sub(oldest(list, 1)[1], #list + 22))\n"
    "  end\n"
    "  for _ = 1, 100 do\n"
    "    if most_total == 0 or total <= most_total then break end\n"
    "    local first = redis.call('ZRANGE', order, 0, 0)[1]\n"
    "    local of = string.match(first, '^[^\\n]*\\n[^\\n]*')\n"
    "    drop(of, string.sub(first, #of + 2))\n"
    "  end\n"
    "end\n"
    "local function keep_all()\n"
    "  total = tonumber(redis.call('HGET', sizes, '') or 0)\n"
    "  for _, one in ipairs(kept) do\n"
    "    local at = one[1]\n"
    "    keep(ARGV[at + 2], one[2], ARGV[at + 5], ARGV[at + 4])\n"
    "  end\n"
    "  for list, size in pairs(changed) do\n"
    "    if size.count > 0 then\n"
    "      redis.call('HSET', sizes, list, string.format('%.0f %.0f', size.count, "
    "size.bytes))\n"
    "    else\n"
    "      redis.call('HDEL', sizes, list)\n"
    "    end\n"
    "  end\n"
    "  redis.call('HSET', sizes, '', string.format('%.0f', total))\n"
    "end\n"
    "if not pcall(keep_all) then redis.pcall('DEL', values, order, lists, sizes) end\n"
    "return failure or positions\n";

const char script_append_digest[] = "9667ff67647117839244992b33357323ee0804e0";

const char script_values[] =
    "local found, bytes = {redis.call('HGET', KEYS[1], 'epoch') or ''}, 0\n"
    "local fields = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[1], ARGV[2],\n"
    "  'LIMIT', 0, 256)\n"
    "for _, field in ipairs(fields) do\n"
    "  local value = redis.call('HGET', KEYS[2], field)\n"
    "  if value then\n"
    "    bytes = bytes + #field + #value\n"
    "    if #found > 1 and bytes > tonumber(ARGV[3]) then break end\n"
    "    found[#found + 1], found[#found + 2] = field, value\n"
    "  end\n"
    "end\n"
    "return found\n";

const char script_remember[] =
    "for i, key in ipairs(KEYS) do\n"
    "  local rank, ttl, value = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]\n"
    "  local known = tonumber(string.match(redis.call('GETRANGE', key, 0, 20), '^(%d+) '))\n"
    "  if known and known > tonumber(rank) then\n"
    "  elseif value == '' then\n"
    "    redis.call('DEL', key)\n"
    "  else\n"
    "    redis.call('SET', key, rank .. ' ' .. value, 'PX', ttl)\n"
    "  end\n"
    "end\n"
    "return #KEYS";

const char script_heartbeat[] =
    "local time = redis.call('TIME')\n"
    "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
    "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
    "redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])\n"
    "for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do\n"
    "  redis.call('HDEL', KEYS[1], name)\n"
    "  redis.call('ZREM', KEYS[2], name)\n"
    "end\n"
    "redis.call('PEXPIRE', KEYS[1], ARGV[3])\n"
    "redis.call('PEXPIRE', KEYS[2], ARGV[3])\n";

const char script_nodes[] =
    "local names, nodes, bytes = redis.call('HKEYS', KEYS[1]), {}, 0\n"
    "table.sort(names)\n"
    "for _, name in ipairs(names) do\n"
    "  if name >= ARGV[1] then\n"
    "    local text = redis.call('HGET', KEYS[1], name)\n"
    "    bytes = bytes + #name + #text\n"
    "    nodes[#nodes + 1] = name\n"
    "    if #nodes > 1 and bytes > tonumber(ARGV[2]) then return nodes end\n"
    "    nodes[#nodes + 1] = text\n"
    "  end\n"
    "end\n"
    "return nodes\n";
