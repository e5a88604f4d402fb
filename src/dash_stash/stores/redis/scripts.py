"""What the server does in one step, in Lua. The keys of a script share a slot (see `keyspace`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from dash_stash.stores.redis.records import CHUNKS_AT, ID_SIZE, MOST_CHUNKS


@dataclass(frozen=True, slots=True)
class Script:
    """A script: its text, and the digest by which a server that has run it knows it."""

    text: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False)  # Redis' choice
        object.__setattr__(self, "digest", digest.hexdigest())

    def by_digest(self) -> tuple[str, str]:
        """Return the words that call a script which the server knows."""
        return "EVALSHA", self.digest

    def by_text(self) -> tuple[str, str]:
        """Return the words that call a script which the server need not know."""
        return "EVAL", self.text


_HEX = """
local function hex(text)
  return (string.gsub(text, '.', function (letter)
    return string.format('%02x', string.byte(letter))
  end))
end
"""

# The names of the chunks that a pointer leads to: the manifest, then the chunks by number.
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
"""What `RESERVE` answers; a number below 0 says how many bytes must go first."""

TIME = Script("return redis.call('TIME')")

JOIN = Script(
    f"""{_HEX}
-- KEYS: lease. ARGV: token, milliseconds, the longest lease that anybody asks for,
-- what the names of outcomes begin with.
-- The answer: the token of the lease's holder; or nothing, then the caller holds it now.
-- A lease that has no end, a far one, or an outcome already, is not ours.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  local left = redis.call('PTTL', KEYS[1])
  if left > 0 and left <= tonumber(ARGV[3])
    and redis.call('EXISTS', ARGV[4] .. hex(holder)) == 0 then return holder end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""
)

RENEW = Script("""
-- KEYS: lease. ARGV: token, milliseconds.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")

LAND = Script("""
-- KEYS: lease, outcome. ARGV: token, outcome, milliseconds.
-- Whoever waits for the outcome moves it from the list to the same list.
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
""")

PUBLISH = Script(
    f"""{_CHUNKS}
-- KEYS: pointer, lease, what the names of chunks begin with. ARGV: token or '', pointer,
-- milliseconds or ''.
-- The answer: 1 if it is stored, 0 if the flight does not hold the lease any more, -1 if chunks
-- have been evicted meanwhile.
-- A caller who asks again because the answer got lost must not hear 0: it has stored.
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
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if old then remove(chunks(old, KEYS[3])) end
return 1
"""
)

DELETE = Script(
    f"""{_CHUNKS}
-- KEYS: pointer, lease, what the names of chunks begin with. ARGV: the id of the entry to delete,
-- or '' for any; a flight's token, or ''.
-- The answer: the pointer that was there; 0 if the flight does not hold the lease any more.
-- Without an id and a token, the present flight is fenced too.
if ARGV[2] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local old = redis.call('GET', KEYS[1])
if ARGV[1] == '' then
  if ARGV[2] == '' then redis.call('DEL', KEYS[2]) end
elseif not old or string.sub(old, 1, 16) ~= ARGV[1] then return false end
if old then remove(chunks(old, KEYS[3])) redis.call('DEL', KEYS[1]) end
return old
"""
)

EXPIRE = Script(
    f"""{_CHUNKS}
-- KEYS: pointer, lease, what the names of chunks begin with. ARGV: the id, milliseconds.
local present = redis.call('GET', KEYS[1])
if not present or string.sub(present, 1, 16) ~= ARGV[1] then return 0 end
for _, name in ipairs(chunks(present, KEYS[3])) do redis.call('PEXPIRE', name, ARGV[2]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
)

# What a session or user has, its account, is in three places. A hash has for each key (in hex) the
# size, the class, when it was stored, and the owner; and in '=0', '=1' and '=2' the sum of the
# sizes in each class. A hash for each owner has the same texts, and in '@' when the life of its
# entries was last prolonged; '@' is missing once the owner was closed. A sorted set has the keys in
# the order in which they make room. The server may evict any of the three: whoever must find all
# asks two of them.

RESERVE = Script("""
-- KEYS: the account's hash, its order, the owner's hash. ARGV: key, size, class, text, what the
-- key's score in the order is, the class up to which others make room, budget, now,
-- milliseconds or ''.
-- The answer: 0 if it cannot fit; below 0, how many bytes others must give up first; 2 if it is
-- the account's first entry, else 1.
local is_first = redis.call('EXISTS', KEYS[1]) == 0
local old, sums = redis.call('HGET', KEYS[1], ARGV[1]), {}
for class = 0, 2 do
  sums[class] = tonumber(redis.call('HGET', KEYS[1], '=' .. class) or 0) or 0
end
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
for class = 0, 2 do
  redis.call('HSET', KEYS[1], '=' .. class, string.format('%.0f', sums[class]))
end
redis.call('ZADD', KEYS[2], ARGV[5], ARGV[1])
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('HSET', KEYS[3], '@', ARGV[8]) end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[4])
if ARGV[9] ~= '' then for _, name in ipairs(KEYS) do redis.call('PEXPIRE', name, ARGV[9]) end end
return is_first and 2 or 1
""")

RELEASE = Script("""
-- KEYS: the account's hash, its order, what the names of its owners' hashes begin with.
-- ARGV: the account, keys.
for number = 2, #ARGV do
  local key = ARGV[number]
  local old = redis.call('HGET', KEYS[1], key)
  redis.call('ZREM', KEYS[2], key)
  if old then
    redis.call('HDEL', KEYS[1], key)
    local size, class, owner = string.match(old, '^(%d+) ([012]) %S+ (.*)$')
    if size then
      redis.call('HINCRBY', KEYS[1], '=' .. class, -tonumber(size))
      local name = KEYS[3] .. string.sub(owner, #ARGV[1] + 1)
      redis.call('HDEL', name, key)
      if redis.call('HLEN', name) == redis.call('HEXISTS', name, '@') then
        redis.call('DEL', name)
      end
    end
  end
end
""")

TOUCH = Script("""
-- KEYS: the owner's hash, the account's, its order. ARGV: now, seconds, milliseconds, the account
-- if it is the owner itself, else ''.
-- The answer: the keys whose life is to be prolonged; none if that was done in the last seconds.
-- An owner that has nothing leaves nothing.
local before = redis.call('HGET', KEYS[1], '@')
if before then
  local passed = ARGV[1] - (tonumber(before) or 0)
  if passed >= 0 and passed < tonumber(ARGV[2]) then return {} end
elseif redis.call('EXISTS', KEYS[1]) == 0 then
  if ARGV[4] == '' or redis.call('EXISTS', KEYS[2]) == 0 then return {} end
  -- Perhaps the owner's hash was evicted. This is done once: from now on there is one.
  local all = redis.call('HGETALL', KEYS[2])
  for number = 1, #all, 2 do
    if string.match(all[number + 1], '^%d+ [012] %S+ (.*)$') == ARGV[4] then
      redis.call('HSET', KEYS[1], all[number], all[number + 1])
    end
  end
end
redis.call('HSET', KEYS[1], '@', ARGV[1])
for _, name in ipairs(KEYS) do redis.call('PEXPIRE', name, ARGV[3]) end
return redis.call('HKEYS', KEYS[1])
""")

LEAVE = Script("""
-- KEYS: the owner's hash. ARGV: milliseconds. The answer: the keys of its entries.
redis.call('HDEL', KEYS[1], '@')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HKEYS', KEYS[1])
""")

UNUSED_FOR = Script("""
-- KEYS: pointer. The answer: for how many seconds nobody has used it, 0 if the server does not
-- note that; nothing if it is gone.
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local seconds = redis.pcall('OBJECT', 'IDLETIME', KEYS[1])
return type(seconds) == 'number' and seconds or 0
""")
