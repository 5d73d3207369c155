-- In front of all steps: keys, arguments, time.
--
-- All steps are one library, so what is made here is made once; `begin` sets what differs from call to call.
-- Lua allows 200 locals in one text, so what only one part needs is in a block (do … end) of that part.
--
-- KEYS[1] is the bot's prefix, "yamabiko:{NAME}:". Every other key is made from it: one hash tag, one slot.
-- ARGV is flat and read once, from left to right, by text() and number(): no decoding, any bytes pass. Numbers that come in
-- each call are packed into one text, as 8 bytes each: to read a number from a text of its own costs more than a short step.
-- ARGV[1] is the time in microseconds; empty where the server's clock counts.
--
-- A job's id is in exactly one of: timers, ready:<queue>, line:<lane>, lease (with claims), dead, done.
-- So every length is exact, and no id can be claimed twice. Only the list of a queue may have entries of jobs that have
-- left it: they are noted beside it, see lines.lua.

-- What Lua and Redis have to give. A library may not name it while it is loaded.
local try, pcall, ipairs, tonumber, unpack, byte, char, sub, find, format, concat, pack, pick, band, bor

local function take_up()
  try, pcall, ipairs, tonumber, unpack = redis.pcall, _G.pcall, _G.ipairs, _G.tonumber, _G.unpack
  byte, char, sub, find, format, concat = string.byte, string.char, string.sub, string.find, string.format, table.concat
  pack, pick, band, bor = struct.pack, struct.unpack, bit.band, bit.bor
end

local args, at
local is_trusted                         -- whether the clock shows what it must show if it was not set; not known to every step
local now, stamp, arrives_now            -- the time as a number, as a text, and as a record begins that is due at once

local prefix, SCHEMA, LATEST, SERVER, JOB, MORE, HISTORY, DUE, SET_AT, CLAIM, LEASE, HOLDER, STATE, DEAD, DONE, SEEN, SEEN_IN
local REVOKED, QUEUES, LANES, PAUSED, PAUSED_AT, BEAT, PROCESS, EXCHANGE, LINES, ALARM, READY, WAIT, CHAT, WAKE, DAMAGED
local BODY, PASS, PLACE, FRONT, LEFT, LEAVERS, ENTRY, ORPHAN, SEARCH, SCRUB, GROUPS, SWEPT, MENDING
local RARE, is_rare                      -- the keys that mostly do not exist, and which these are

local function name_keys(of)
  prefix  = of
  SCHEMA  = prefix .. 'schema'   -- STRING the version of this layout
  LATEST  = prefix .. 'latest'   -- STRING the time, written once a minute
  SERVER  = prefix .. 'server'   -- HASH the run id of the server that has the data, and since when, if another had it before
  JOB     = prefix .. 'job'      -- HASH id -> record
  BODY    = prefix .. 'body'     -- HASH id -> payload, if it is too large to be read wherever a record is
  MORE    = prefix .. 'more'     -- HASH id -> what only jobs have that did not end in their first run
  HISTORY = prefix .. 'history'  -- HASH id -> a line of each failure; only of jobs that have an entry in MORE
  DUE     = prefix .. 'timers'   -- ZSET id -> when it becomes ready
  SET_AT  = prefix .. 'set_at'   -- ZSET id -> when its delay, retry or snooze was set; not of what is due at a moment
  CLAIM   = prefix .. 'claims'   -- HASH id -> token and time of the claim, with an "x" behind them once cancelled
  LEASE   = prefix .. 'lease'    -- ZSET id -> when the claim ends unless a beat extends it
  HOLDER  = prefix .. 'holder'   -- HASH lane -> id of the one job that has the lane; more where it is lent, see places.lua
  ORPHAN  = prefix .. 'orphan'   -- ZSET id -> round of the search for the lane that the job may have; its record does not tell
  SEARCH  = prefix .. 'search'   -- HASH the round of that search, and how far it is
  STATE   = prefix .. 'state'    -- HASH lane -> the lane's state
  DEAD    = prefix .. 'dead'     -- ZSET id -> when it died
  DONE    = prefix .. 'done'     -- ZSET id -> when it was completed
  SEEN    = prefix .. 'remembered' -- ZSET set of ids that are remembered after their jobs, see remembered.lua -> until when
  SEEN_IN = prefix .. 'seen:'    -- SETs of these ids, cut to 12 bytes
  REVOKED = prefix .. 'revoked'  -- ZSET origin whose jobs are not to run any more -> until when that is remembered
  QUEUES  = prefix .. 'queues'   -- ZSET of the queues that have ready jobs
  LANES   = prefix .. 'lanes'    -- ZSET of the lanes in which jobs wait
  PAUSED  = prefix .. 'paused'   -- ZSET queue -> until when; inf: until resumed
  PAUSED_AT = prefix .. 'paused_at' -- ZSET queue -> when it was paused; not of those until resumed
  BEAT    = prefix .. 'beat'     -- ZSET process -> when it counts as gone; for people, no rule reads it
  PROCESS = prefix .. 'process'  -- HASH process -> what it says of itself
  EXCHANGE = prefix .. 'exchange' -- HASH line of a worker -> its last exchange, see claims.lua
  LINES   = prefix .. 'lines'    -- ZSET line -> until when it is remembered
  ALARM   = prefix .. 'alarm'    -- ZSET, the timers' marker
  READY   = prefix .. 'ready:'   -- LISTs of ids, one for each queue
  FRONT   = prefix .. 'front:'   -- LISTs of what stands before these
  LEFT    = prefix .. 'left:'    -- SETs of what is in these lists and has left the line
  LEAVERS = prefix .. 'leavers'  -- ZSET of the queues that have one of the last two
  ENTRY   = prefix .. 'entry'    -- HASH id -> how it is called in its queue's list, if not by its id
  WAIT    = prefix .. 'line:'    -- ZSETs of ids, each with its queue behind it, so that handing on a lane reads no record
  PASS    = prefix .. 'pass:'    -- ZSETs of what waits in a lane (as in WAIT) and may pass its lender -> until when
  PLACE   = prefix .. 'place'    -- STRING the last place in line that was given
  CHAT    = prefix .. 'chat:'    -- ZSETs id -> at most 0 while the job is live, see groups.lua; since when it is over while it is kept
  SCRUB   = prefix .. 'scrub'    -- LIST of what is still to be scrubbed: chat, origin, how far it is; see moves.lua
  GROUPS  = prefix .. 'groups'   -- HASH chat -> groups of its jobs that are being cancelled, see groups.lua
  SWEPT   = prefix .. 'swept'    -- ZSET chat -> the number of the oldest of these groups
  WAKE    = prefix .. 'wake:'    -- ZSETs, the queues' markers
  DAMAGED = prefix .. 'damaged'  -- ZSET the name that a key of another type was given -> when
  MENDING = prefix .. 'mending'  -- STRING when the search for jobs that lost their places with it last went on; gone once it has ended

  RARE, is_rare = { MORE, BODY, PAUSED, LEAVERS, GROUPS, REVOKED, ORPHAN, SCRUB }, {}
  for i = 1, #RARE do is_rare[RARE[i]] = true end
end

-- The way to the server, and the frame of each step's work.
local call, is_there, count_rare, begin_work, work do

local error, type
local may_write, has_written             -- whether this step is one that writes, and whether it has done so
local aside                              -- the names of the keys that this step has set aside
local found, unfound                     -- rare key -> whether it exists, as far as this step has looked; how many more do at most

local READS = {}
for name in ('EXISTS GET HEXISTS HGET HLEN HMGET HSCAN HSTRLEN LINDEX LLEN LRANGE SCARD SISMEMBER SMISMEMBER ZCARD ZCOUNT '
  .. 'ZMSCORE ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANK ZSCORE'):gmatch('%u+') do READS[name] = true end

-- Gives a key another name, which DAMAGED has: nothing is lost, and an operator finds it.
local function set_aside(key)
  local n, name = key == DAMAGED and 0 or call('ZCARD', DAMAGED), nil
  repeat
    n = n + 1
    name = format('damaged:%d:%s', n, sub(key, #prefix + 1))
  until call('RENAMENX', key, prefix .. name) == 1
  call('ZADD', DAMAGED, format('%d', now), name)
  call('SET', MENDING, '0')
  aside[#aside + 1] = name
end

local function is_damage(why) return find(why, 'WRONGTYPE', 1, true) or find(why, 'not an integer', 1, true) end

-- Calls a command of the server. Where its key has another type than ours, that key is set aside, and the command finds none:
-- a step must not fail at it, for it would fail in the same place for ever, and perhaps after its first write (K2).
local function note_write(key)
  has_written = true
  if is_rare[key] then
    found[key] = nil
    unfound = unfound + 1
  end
end

function call(command, key, ...)
  if not READS[command] then note_write(key) end
  local answer = try(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if not is_damage(answer.err) then error(answer) end
  if not may_write then return try(command, prefix .. 'none', ...) end
  set_aside(key)
  return try(command, key, ...)
end

-- Whether a rare key exists. Once enough are found, no more is looked for.
function is_there(key)
  if found[key] == nil then
    if unfound == 0 then return false end
    found[key] = call('EXISTS', key) == 1
    if found[key] then unfound = unfound - 1 end
  end
  return found[key]
end

-- Counts the rare keys at once, for steps that would look for most of them.
function count_rare() unfound = call('EXISTS', unpack(RARE)) end

function begin_work(writes)
  error, type = _G.error, _G.type
  may_write, has_written, aside = writes, false, {}
  found, unfound = {}, #RARE
end

-- Does the work of a step. Where keys were set aside, the answer is a list of three: a status, their names, the step's answer.
-- A failure says whether it came before the first write: only then may the caller take the step apart (C5).
function work(body)
  local is_done, answer = pcall(body)
  if not is_done then
    local has_code = find(answer, '^%u+ ') and not find(answer, '^ERR ')
    if has_written then answer = 'BROKEN ' .. answer elseif not has_code then answer = 'REFUSED ' .. answer end
    return redis.error_reply(answer)
  end
  if #aside > 0 then return { { ok = 'DAMAGED' }, aside, answer } end
  return answer
end

end

local function text() at = at + 1 return args[at] end
local function number() return tonumber(text()) end

-- Sets whether the clock is trusted. `expected` is what it must show if it was not set; less than 0 if it is in doubt.
local trust do

local WAS_SET = 10000000                 -- a clock this far from what was expected of it was set

function trust(expected)
  local difference = now - expected
  is_trusted = expected >= 0 and difference <= WAS_SET and difference >= -WAS_SET
end

end

local function texts(count)
  local list = {}
  for i = 1, count do list[i] = args[at + i] end
  at = at + count
  return list
end

-- tostring() and .. keep 14 digits of a number; a time has 16. Redis keeps all of them in what it is given as a number,
-- but at ten times the cost; so it is given texts.
local function exact(n) return format('%d', n) end

-- A newer version may take the keys over while this process is connected (Q3). The first step that writes to
-- a server that was emptied stores the version again.
local function refuse_other_schema(writes, migrates)
  local found = try('GET', SCHEMA)
  if found and found.err then return found end
  if found == VERSION or migrates and (tonumber(found) or 0) < tonumber(VERSION) then return end
  if found then return redis.error_reply('SCHEMA ' .. found) end
  if not writes then return end
  local set = try('SET', SCHEMA, VERSION)
  return set.err and set
end

-- Answers the error with which the step is refused, if it is.
local function begin_call(keys, given, writes, migrates)
  if not try then take_up() end
  args, at = given, 0
  if keys[1] ~= prefix then name_keys(keys[1]) end
  local refused = refuse_other_schema(writes, migrates)
  if refused then return refused end
  now = number()
  if not now then
    local time = try('TIME')
    now = time[1] * 1000000 + time[2]
  end
  stamp, arrives_now = exact(now), pack('>i8', now)
  begin_work(writes)
end

-- Lua takes a limited number of arguments, so long lists go in pieces.
local MOST = 500

local function many(command, key, list)
  local length = #list
  for i = 1, length, MOST do call(command, key, unpack(list, i, math.min(i + MOST - 1, length))) end
end

local function ask(command, key, names)
  local length = #names
  if length == 0 then return {} end
  if length <= MOST then return call(command, key, unpack(names)) end
  local values = {}
  for i = 1, length, MOST do
    local part = call(command, key, unpack(names, i, math.min(i + MOST - 1, length)))
    for n = 1, #part do values[i + n - 1] = part[n] end
  end
  return values
end

local function hmget(key, fields) return ask('HMGET', key, fields) end
local function zmscore(key, members) return ask('ZMSCORE', key, members) end

local function first_time(key)
  local time = call('ZRANGE', key, '0', '0', 'WITHSCORES')[2]
  return time and tonumber(time) or math.huge
end

local function collect_one(lists, key, one)
  local list = lists[key]
  if list then list[#list + 1] = one else lists[key] = { one } end
end
