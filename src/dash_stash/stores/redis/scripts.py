"""What the server does in one step. The keys of a script are of one slot (see `names`)."""

from __future__ import annotations

from dash_stash.stores.redis.records import ID_SIZE, MOST_PIECES, PIECES_AT

# How many pieces a pointer's entry has, and the names of their keys: the manifest, then the pieces by number.
_PIECES = f"""
local function pieces(pointer, base)
  local names, count = {{}}, 0
  if #pointer >= {PIECES_AT + 4} then count = struct.unpack('>I4', pointer, {PIECES_AT + 1}) end
  local start = base .. (string.gsub(string.sub(pointer, 1, {ID_SIZE}), '.', function (letter)
    return string.format('%02x', string.byte(letter)) end)) .. ':'
  if count > {MOST_PIECES} then count = 0 end
  if count > 0 then names[1] = start .. 'm' end
  for number = 0, count - 1 do names[number + 2] = start .. number end
  return names
end
local function remove(names)
  for first = 1, #names, 1000 do
    redis.call('UNLINK', unpack(names, first, math.min(first + 999, #names)))
  end
end
"""

STORED, REFUSED, EVICTED = 1, 0, -1
"""What `PUBLISH` answers."""

NO_ROOM, NOTED, FIRST = 0, 1, 2
"""What `RESERVE` answers."""

JOIN = """
-- KEYS: lease. ARGV: token, milliseconds. Who has it, or nobody: then the caller has it now. One without an end is not ours.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and redis.call('PTTL', KEYS[1]) > 0 then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""

RENEW = """
-- KEYS: lease. ARGV: token, milliseconds.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

LAND = """
-- KEYS: lease, outcome. ARGV: token, outcome, milliseconds. Whoever waits for the outcome moves it from the list to the same list.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
"""

PUBLISH = (
    _PIECES
    + """
-- KEYS: pointer, lease, what the names of pieces begin with. ARGV: token or '', pointer, milliseconds or ''.
-- 1 if it is stored, 0 if the flight is not the present one any more, -1 if pieces have been evicted meanwhile.
if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local names = pieces(ARGV[2], KEYS[3])
for _, name in ipairs(names) do
  local kept
  if ARGV[3] == '' then kept = redis.call('EXISTS', name) redis.call('PERSIST', name)
  else kept = redis.call('PEXPIRE', name, ARGV[3]) end
  if kept == 0 then return -1 end
end
local old = redis.call('GET', KEYS[1])
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if old and string.sub(old, 1, 16) ~= string.sub(ARGV[2], 1, 16) then remove(pieces(old, KEYS[3])) end
return 1
"""
)

DELETE = (
    _PIECES
    + """
-- KEYS: pointer, lease, what the names of pieces begin with. ARGV: the id that is to be deleted, or '' for any; a flight's token, or ''.
-- The pointer that was there; 0 if the flight is not the present one any more. Without an id, flights that are under way are fenced too.
if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local old = redis.call('GET', KEYS[1])
if ARGV[1] == '' then redis.call('DEL', KEYS[2])
elseif not old or string.sub(old, 1, 16) ~= ARGV[1] then return false end
if old then remove(pieces(old, KEYS[3])) redis.call('DEL', KEYS[1]) end
return old
"""
)

EXPIRE = (
    _PIECES
    + """
-- KEYS: pointer, lease, what the names of pieces begin with. ARGV: the id, milliseconds.
local present = redis.call('GET', KEYS[1])
if not present or string.sub(present, 1, 16) ~= ARGV[1] then return 0 end
for _, name in ipairs(pieces(present, KEYS[3])) do redis.call('PEXPIRE', name, ARGV[2]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)

# Of one session or user a hash tells what belongs to it: for each key (in hex) size, kind, when it was stored, and scope; in '=' the sum
# of the sizes; in '@scope' when the scope was last used; in '-scope' that it was left.

RESERVE = """
-- KEYS: hash. ARGV: key, size, 'size kind time scope', budget, milliseconds or ''. 0 if it does not fit, 2 if it is the first, else 1.
local is_first = redis.call('EXISTS', KEYS[1]) == 0
local old = redis.call('HGET', KEYS[1], ARGV[1])
local others = tonumber(redis.call('HGET', KEYS[1], '=') or 0) - (old and tonumber(string.match(old, '^%d+')) or 0)
if others + ARGV[2] > tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], '=', string.format('%.0f', others + ARGV[2]))
if ARGV[5] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return is_first and 2 or 1
"""

RELEASE = """
-- KEYS: hash. ARGV: keys.
for _, key in ipairs(ARGV) do
  local old = redis.call('HGET', KEYS[1], key)
  if old then
    redis.call('HDEL', KEYS[1], key)
    redis.call('HINCRBY', KEYS[1], '=', -tonumber(string.match(old, '^%d+')))
  end
end
"""

TOUCH = """
-- KEYS: hash. ARGV: scope, now, seconds, milliseconds. The keys whose life is to be prolonged, if that was last done so long ago.
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local left = redis.call('HDEL', KEYS[1], '-' .. ARGV[1])
local before = redis.call('HGET', KEYS[1], '@' .. ARGV[1])
if left == 0 and before and ARGV[2] - before < tonumber(ARGV[3]) and ARGV[2] - before >= 0 then return {} end
redis.call('HSET', KEYS[1], '@' .. ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return redis.call('HGETALL', KEYS[1])
"""
