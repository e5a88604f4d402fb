"""What the server does in one step. The keys of a script are of one slot (see `names`)."""

from __future__ import annotations

from dash_stash.stores.redis.records import CHUNKS_AT, ID_SIZE, MOST_CHUNKS

_HEX = """
local function hex(text)
  return (string.gsub(text, '.', function (letter) return string.format('%02x', string.byte(letter)) end))
end
"""

# How many chunks a pointer's entry has, and the names of their keys: the manifest, then the chunks
# by number.
_CHUNKS = f"""{_HEX}
local function chunks(pointer, base)
  local names, count = {{}}, 0
  if #pointer >= {CHUNKS_AT + 4} then count = struct.unpack('>I4', pointer, {CHUNKS_AT + 1}) end
  local start = base .. hex(string.sub(pointer, 1, {ID_SIZE})) .. ':'
  if count > {MOST_CHUNKS} then count = 0 end
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

TOO_MUCH, NOTED, FIRST = 0, 1, 2
"""What `RESERVE` answers; or, below 0, how many bytes have to go."""

JOIN = (
    _HEX
    + """
-- KEYS: lease. ARGV: token, milliseconds, the most that anybody asks for, what the names of outcomes begin with.
-- Who has it, or nobody: then the caller has it now. Not ours is one without an end, with a far one, or whose outcome is there already.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 and left <= tonumber(ARGV[3]) and redis.call('EXISTS', ARGV[4] .. hex(holder)) == 0 then return holder end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""
)

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
    _CHUNKS
    + """
-- KEYS: pointer, lease, what the names of chunks begin with. ARGV: token or '', pointer, milliseconds or ''.
-- 1 if it is stored, 0 if the flight is not the present one any more, -1 if chunks have been evicted meanwhile.
-- Whoever asks again, since the answer got lost, must not hear that the flight is over: it has stored.
local old = redis.call('GET', KEYS[1])
if old and string.sub(old, 1, 16) == string.sub(ARGV[2], 1, 16) then return 1 end
if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local names = chunks(ARGV[2], KEYS[3])
for _, name in ipairs(names) do
  local kept
  if ARGV[3] == '' then kept = redis.call('EXISTS', name) redis.call('PERSIST', name)
  else kept = redis.call('PEXPIRE', name, ARGV[3]) end
  if kept == 0 then return -1 end
end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if old then remove(chunks(old, KEYS[3])) end
return 1
"""
)

DELETE = (
    _CHUNKS
    + """
-- KEYS: pointer, lease, what the names of chunks begin with. ARGV: the id that is to be deleted, or '' for any; a flight's token, or ''.
-- The pointer that was there; 0 if the flight is not the present one any more. Without an id and a token, flights that are
-- under way are fenced too.
if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local old = redis.call('GET', KEYS[1])
if ARGV[1] == '' then
  if ARGV[2] == '' then redis.call('DEL', KEYS[2]) end
elseif not old or string.sub(old, 1, 16) ~= ARGV[1] then return false end
if old then remove(chunks(old, KEYS[3])) redis.call('DEL', KEYS[1]) end
return old
"""
)

EXPIRE = (
    _CHUNKS
    + """
-- KEYS: pointer, lease, what the names of chunks begin with. ARGV: the id, milliseconds.
local present = redis.call('GET', KEYS[1])
if not present or string.sub(present, 1, 16) ~= ARGV[1] then return 0 end
for _, name in ipairs(chunks(present, KEYS[3])) do redis.call('PEXPIRE', name, ARGV[2]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)

# Of one session or user a hash tells what belongs to it: for each key (in hex) size, class, when it
# was stored, and scope; in '=0', '=1' and '=2' the sum of the sizes in each class. The same text
# stands in a hash of each scope, which tells in '@' when the life of all that it has was last
# prolonged, and is without that once the scope was left. A sorted set has the keys in the order in
# which they make room. The server may evict any of the three: who wants to find all asks two.

RESERVE = """
-- KEYS: the holder's hash, its order, the scope's hash. ARGV: key, size, class, text, what the key has in the order, the class up to
-- which others make room, budget, now, milliseconds or ''.
-- 0 if it could not fit, below 0 what is missing as long as others have not made room, 2 if it is the first, else 1.
local is_first = redis.call('EXISTS', KEYS[1]) == 0
local old, sums = redis.call('HGET', KEYS[1], ARGV[1]), {}
for class = 0, 2 do sums[class] = tonumber(redis.call('HGET', KEYS[1], '=' .. class) or 0) or 0 end
if old then
  local size, class = string.match(old, '^(%d+) ([012]) ')
  if size then sums[tonumber(class)] = sums[tonumber(class)] - size end
end
local above, all = 0, 0
for class = 0, 2 do
  all = all + sums[class]
  if class > tonumber(ARGV[6]) then above = above + sums[class] end
end
if above + ARGV[2] > tonumber(ARGV[7]) then return 0 end
if all + ARGV[2] > tonumber(ARGV[7]) then return ARGV[7] - all - ARGV[2] end
sums[tonumber(ARGV[3])] = sums[tonumber(ARGV[3])] + ARGV[2]
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
for class = 0, 2 do redis.call('HSET', KEYS[1], '=' .. class, string.format('%.0f', sums[class])) end
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[1])
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('HSET', KEYS[3], '@', ARGV[8]) end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[4])
if ARGV[9] ~= '' then for _, name in ipairs(KEYS) do redis.call('PEXPIRE', name, ARGV[9]) end end
return is_first and 2 or 1
"""

RELEASE = """
-- KEYS: the holder's hash, its order, what the names of its scopes' hashes begin with. ARGV: the holder, keys.
for number = 2, #ARGV do
  local key = ARGV[number]
  local old = redis.call('HGET', KEYS[1], key)
  redis.call('ZREM', KEYS[2], key)
  if old then
    redis.call('HDEL', KEYS[1], key)
    local size, class, scope = string.match(old, '^(%d+) ([012]) %S+ (.*)$')
    if size then
      redis.call('HINCRBY', KEYS[1], '=' .. class, -tonumber(size))
      local name = KEYS[3] .. string.sub(scope, #ARGV[1] + 1)
      redis.call('HDEL', name, key)
      if redis.call('HLEN', name) == redis.call('HEXISTS', name, '@') then redis.call('DEL', name) end
    end
  end
end
"""

TOUCH = """
-- KEYS: the scope's hash, the holder's, its order. ARGV: now, seconds, milliseconds, the holder if the scope is that, else ''.
-- The keys whose life is to be prolonged, if that was last done so long ago. A scope that has nothing leaves nothing.
local before = redis.call('HGET', KEYS[1], '@')
if before then
  local passed = ARGV[1] - (tonumber(before) or 0)
  if passed >= 0 and passed < tonumber(ARGV[2]) then return {} end
elseif redis.call('EXISTS', KEYS[1]) == 0 then
  if ARGV[4] == '' or redis.call('EXISTS', KEYS[2]) == 0 then return {} end
  -- Perhaps it was evicted. Once only: from now on there is one.
  local all = redis.call('HGETALL', KEYS[2])
  for number = 1, #all, 2 do
    if string.match(all[number + 1], '^%d+ [012] %S+ (.*)$') == ARGV[4] then redis.call('HSET', KEYS[1], all[number], all[number + 1]) end
  end
end
redis.call('HSET', KEYS[1], '@', ARGV[1])
for _, name in ipairs(KEYS) do redis.call('PEXPIRE', name, ARGV[3]) end
return redis.call('HKEYS', KEYS[1])
"""

LEAVE = """
-- KEYS: the scope's hash. ARGV: milliseconds. The keys that it has.
redis.call('HDEL', KEYS[1], '@')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HKEYS', KEYS[1])
"""

UNUSED_FOR = """
-- KEYS: pointer. For how many seconds nobody has used it, as far as the server notes that; false if it is gone.
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local seconds = redis.pcall('OBJECT', 'IDLETIME', KEYS[1])
return type(seconds) == 'number' and seconds or 0
"""
