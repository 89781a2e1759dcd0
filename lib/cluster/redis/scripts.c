/* scripts.c: what Redis does for us in one step each, in Lua. */
#include "cluster/redis/scripts.h"

/* An event's id in the stream is its position and the nonce of the session that stored it. So a
 * Redis that has lost its newest events is found out even if others have taken their positions
 * since: either the position that we know was not reached again, or what is there is by another
 * session. Only who knows the current epoch may replace it, hence two processes can't do so in
 * turns.
 *
 * A user who may run but half of what an event takes would leave it half stored. An entry beyond
 * the position, which such a user or a stranger left, is in the way of all that come. */
const char script_attach[] =
    "for _, command in ipairs(redis.acl_check_cmd and {'XADD', 'XTRIM', 'HSET', 'SET'} or {}) "
    "do\n"
    "  if not redis.acl_check_cmd(command, KEYS[1], '*', '', '') then\n"
    "    return redis.error_reply('NOPERM this user has no permissions to run ' .. command)\n"
    "  end\n"
    "end\n"
    "local state = redis.call('HMGET', KEYS[1], 'epoch', 'position')\n"
    "local epoch, position = state[1], tonumber(state[2])\n"
    "if not (epoch and position) then\n"
    "  redis.call('DEL', KEYS[2])\n"
    "  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'position', '0')\n"
    "  return {ARGV[1], 0, ''}\n"
    "end\n"
    "local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]\n"
    "local at, nonce = string.match(newest and newest[1] or '0-', '(%d+)-(%d*)')\n"
    "if tonumber(at) > position then\n"
    "  redis.call('DEL', KEYS[2])\n"
    "  redis.call('HSET', KEYS[1], 'epoch', ARGV[1])\n"
    "  return {ARGV[1], position, ''}\n"
    "end\n"
    "if tonumber(at) < position then nonce = '' end\n"
    "if epoch ~= ARGV[2] then return {epoch, position, nonce} end\n"
    "local is_other = position < tonumber(ARGV[3])\n"
    "if not is_other and ARGV[4] ~= '' then\n"
    "  local known = redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3])[1]\n"
    "  is_other = known and known[1] ~= ARGV[3] .. '-' .. ARGV[4]\n"
    "end\n"
    "if is_other then\n"
    "  epoch = ARGV[1]\n"
    "  redis.call('HSET', KEYS[1], 'epoch', epoch)\n"
    "end\n"
    "return {epoch, position, nonce}\n";

/* Sequences are compared as texts: Lua's numbers end at 2^53. An event that fails ends the loop, so
 * that what comes later is never stored before what came earlier; what was stored before it is
 * remembered all the same. Redis refuses no more writes for want of memory or disk once it took the
 * first one, which is the XADD. */
const char script_append[] =
    "local state = redis.call('HMGET', KEYS[1], 'epoch', 'position')\n"
    "if state[1] ~= ARGV[1] then return redis.error_reply('EPOCH is another one') end\n"
    "local position, positions, last = tonumber(state[2]), {}, {}\n"
    "local stored, failure\n"
    "for i = 3, #KEYS do\n"
    "  local producer, at = KEYS[i], 4 + (i - 3) * 5\n"
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
    "    positions[i - 2] = 0\n"
    "  else\n"
    "    local fields = {'event', ARGV[at + 4]}\n"
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
    "    positions[i - 2] = position\n"
    "  end\n"
    "end\n"
    "if stored then\n"
    "  redis.call('HSET', KEYS[1], 'position', stored)\n"
    "  for producer, sequence in pairs(last) do\n"
    "    if sequence then redis.call('SET', producer, sequence, 'EX', 86400) end\n"
    "  end\n"
    "  redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[3])\n"
    "end\n"
    "return failure or positions\n";

const char script_append_digest[] = "c02c31b9f0824a25afbadd8f96a09bdd1499c185";

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
    "redis.call('PEXPIRE', KEYS[2], ARGV[3])\n"
    "local names, nodes = redis.call('HKEYS', KEYS[1]), {}\n"
    "table.sort(names)\n"
    "for i, name in ipairs(names) do\n"
    "  nodes[2 * i - 1], nodes[2 * i] = name, redis.call('HGET', KEYS[1], name)\n"
    "end\n"
    "return nodes\n";
