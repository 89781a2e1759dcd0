/* scripts.c: what Redis does for us in one step each, in Lua. */
#include "cluster/redis/scripts.h"

/* An event's id in the stream is its position and the nonce of the session that stored it. So a
 * Redis that has lost its newest events is found out even if others have taken their positions
 * since: either the position that we know was not reached again, or what is there is by another
 * session. Only who knows the current epoch may replace it, hence two processes can't do so in
 * turns. */
const char script_attach[] =
    "local state = redis.call('HMGET', KEYS[1], 'epoch', 'position')\n"
    "local epoch, position = state[1], tonumber(state[2] or 0)\n"
    "if not epoch then\n"
    "  redis.call('DEL', KEYS[2])\n"
    "  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'position', '0')\n"
    "  return {ARGV[1], 0}\n"
    "end\n"
    "if epoch ~= ARGV[2] or ARGV[3] == '0' then return {epoch, position} end\n"
    "local is_other = position < tonumber(ARGV[3])\n"
    "if not is_other and ARGV[4] ~= '' then\n"
    "  local known = redis.call('XRANGE', KEYS[2], ARGV[3], ARGV[3])[1]\n"
    "  is_other = known and known[1] ~= ARGV[3] .. '-' .. ARGV[4]\n"
    "end\n"
    "if is_other then\n"
    "  epoch = ARGV[1]\n"
    "  redis.call('HSET', KEYS[1], 'epoch', epoch)\n"
    "end\n"
    "return {epoch, position}\n";

/* Sequences are compared as texts: Lua's numbers end at 2^53. An error ends the script, so that
 * what comes later is never stored before what came earlier. */
const char script_append[] =
    "local state = redis.call('HMGET', KEYS[1], 'epoch', 'position')\n"
    "if state[1] ~= ARGV[1] then return redis.error_reply('EPOCH is another one') end\n"
    "local position, positions = tonumber(state[2]), {}\n"
    "for i = 3, #KEYS do\n"
    "  local at = 4 + (i - 3) * 5\n"
    "  local sequence, last = ARGV[at], redis.call('GET', KEYS[i])\n"
    "  if last and (#last > #sequence or (#last == #sequence and last >= sequence)) then\n"
    "    positions[i - 2] = 0\n"
    "  else\n"
    "    local fields = {'event', ARGV[at + 4]}\n"
    "    if ARGV[at + 3] ~= '' then\n"
    "      fields[3], fields[4] = 'exclude', ARGV[at + 3]\n"
    "    end\n"
    "    if ARGV[at + 2] ~= '' then\n"
    "      fields[#fields + 1], fields[#fields + 2] = ARGV[at + 1], ARGV[at + 2]\n"
    "    end\n"
    "    position = position + 1\n"
    "    local digits = string.format('%.0f', position)\n"
    "    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], digits .. '-' .. ARGV[2],\n"
    "               unpack(fields))\n"
    "    redis.call('HSET', KEYS[1], 'position', digits)\n"
    "    redis.call('SET', KEYS[i], sequence, 'EX', 86400)\n"
    "    positions[i - 2] = position\n"
    "  end\n"
    "end\n"
    "return positions\n";

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
