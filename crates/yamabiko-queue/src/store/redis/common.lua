-- Put in front of every script, behind its first line (the flags).
--
-- KEYS[1] is the bot's prefix, "yamabiko:{NAME}:". Every other key is made from it: one hash tag, one slot.
-- ARGV is flat and read once, from left to right, by text() and number(): no decoding, any bytes pass.
-- ARGV[1] is the time in microseconds; empty where the server's clock counts.
--
-- A job's id is in exactly one of: due, ready:<queue>, wait:<lane>, lease (with claim), dead, done.
-- So no list ever holds a dead entry, every length is exact, and no id can be claimed twice.

local call, byte, char, sub = redis.call, string.byte, string.char, string.sub
local pack, pick, band, bor = struct.pack, struct.unpack, bit.band, bit.bor

local prefix = KEYS[1]
local JOB     = prefix .. 'job'      -- HASH id -> record
local MORE    = prefix .. 'more'     -- HASH id -> what only jobs have that did not end in their first run
local HISTORY = prefix .. 'history'  -- HASH id -> a line of each failure; only of jobs that have an entry in MORE
local DUE     = prefix .. 'due'      -- ZSET id -> when it becomes ready
local CLAIM   = prefix .. 'claim'    -- HASH id -> token and time of the claim, with an "x" behind them once cancelled
local LEASE   = prefix .. 'lease'    -- ZSET id -> when the claim ends unless a beat extends it
local HOLDER  = prefix .. 'holder'   -- HASH lane -> id of the one job that has the lane
local STATE   = prefix .. 'state'    -- HASH lane -> the lane's state
local DEAD    = prefix .. 'dead'     -- ZSET id -> when it died
local DONE    = prefix .. 'done'     -- ZSET id -> when it was completed
local SEEN    = prefix .. 'seen'     -- ZSET id -> until when it is remembered after its job
local QUEUES  = prefix .. 'queues'   -- ZSET of the queues that have ready jobs
local LANES   = prefix .. 'lanes'    -- ZSET of the lanes in which jobs wait
local PAUSED  = prefix .. 'paused'   -- ZSET queue -> until when; inf: until resumed
local BEAT    = prefix .. 'beat'     -- ZSET process -> when it counts as gone; for people, no rule reads it
local PROCESS = prefix .. 'process'  -- HASH process -> what it says of itself
local TOKEN   = prefix .. 'token'    -- STRING the last run token
local ALARM   = prefix .. 'alarm'    -- ZSET, the timers' marker
local READY   = prefix .. 'ready:'   -- LISTs of ids
local WAIT    = prefix .. 'wait:'    -- LISTs of ids, each with its queue behind it, so that handing on a lane reads no record
local CHAT    = prefix .. 'chat:'    -- ZSETs id -> 0 while the job is live, 1 while it is kept after its end
local WAKE    = prefix .. 'wake:'    -- ZSETs, the queues' markers

local HISTORY_BYTES = 4096
local CLAIM_BYTES = 16
local HAS_LANE, HAS_CHAT, HAS_ORIGIN, HAS_PARENT, HAS_SECRET = 2, 4, 8, 16, 32

local at = 0
local function text() at = at + 1 return ARGV[at] end
local function number() return tonumber(text()) end

local now = number()
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end

-- tostring() and .. keep 14 digits of a number; a time has 16. (redis.call itself passes all of them.)
local function exact(n) return string.format('%.0f', n) end

-- Lua takes a limited number of arguments, so long lists go in pieces.
local function many(command, key, list)
  for i = 1, #list, 500 do call(command, key, unpack(list, i, math.min(i + 499, #list))) end
end

local function hmget(key, fields)
  local values = {}
  for i = 1, #fields, 500 do
    local part = call('HMGET', key, unpack(fields, i, math.min(i + 499, #fields)))
    for n = 1, #part do values[i + n - 1] = part[n] end
  end
  return values
end

-- A script is not rolled back when it fails, so no record may make it fail: of what cannot be read there is nothing.
local function read_on(is_read, ...)
  if is_read then return ... end
end

local function read(format, packed, position) return read_on(pcall(pick, format, packed or '', position)) end

-- A record: arrived, due, remember (8 bytes each), flags; queue, lane, chat, origin, secret, kind, each behind a byte
-- with its length; the parent's id if there is one; the payload. What is absent is false here. See record.rs.
-- One that cannot be read counts for the queue that is always served: its worker gives it up.
local NAMES = '>BBc0Bc0Bc0Bc0Bc0Bc0'

local function is_readable(record) return read(NAMES, record, 25) ~= nil end

local function header(record)
  local flags, queue, lane, chat, origin = read(NAMES, record, 25)
  if not flags then return 'events', false, false, false end
  return queue, band(flags, HAS_LANE) > 0 and lane, band(flags, HAS_CHAT) > 0 and chat,
    band(flags, HAS_ORIGIN) > 0 and origin
end

local function remember_of(record) return read('>i8', record, 17) or 0 end

-- Where the length of the secret stands.
local function secret_at(record)
  local flags, _, _, _, _, pos = read('>BBc0Bc0Bc0Bc0', record, 25)
  return pos, flags
end

local function secret_of(record)
  local pos, flags = secret_at(record)
  return pos and band(flags, HAS_SECRET) > 0 and (read('>Bc0', record, pos))
end

local function with_secret(record, secret)
  if not is_readable(record) then return record end
  local pos, flags = secret_at(record)
  flags = bor(band(flags, bit.bnot(HAS_SECRET)), secret and HAS_SECRET or 0)
  secret = secret or ''
  return sub(record, 1, 24) .. char(flags) .. sub(record, 26, pos - 1) .. char(#secret) .. secret
    .. sub(record, pos + 1 + byte(record, pos))
end

local function with_payload(record, payload)
  local flags, _, _, _, _, _, _, pos = read(NAMES, record, 25)
  if not flags then return record end
  if band(flags, HAS_PARENT) > 0 then pos = pos + 16 end
  return sub(record, 1, pos - 1) .. payload
end

-- What MORE has: failures, lost claims, checkpoints, re-runs (4 bytes each), flags (1: unsure, 2: claimed before), first claim.
local function open_more(packed)
  local more = { stored = packed, failures = 0, lost = 0, checkpoint = 0, reruns = 0, flags = 0, first = 0 }
  local failures, lost, checkpoint, reruns, flags, first = read('>I4I4I4I4Bi8', packed)
  if failures then
    more.failures, more.lost, more.checkpoint, more.reruns, more.flags, more.first
      = failures, lost, checkpoint, reruns, flags, first
  end
  return more
end

local NOTHING = pack('>I4I4I4I4Bi8', 0, 0, 0, 0, 0, 0)

local function save_more(id, more)
  local packed = pack('>I4I4I4I4Bi8', more.failures, more.lost, more.checkpoint, more.reruns, more.flags, more.first)
  if packed == (more.stored or NOTHING) and not more.noted then return end
  call('HSET', MORE, id, packed)
  more.stored = packed
end

local function set_first(more, claimed)
  if band(more.flags, 2) == 0 then more.flags, more.first = bor(more.flags, 2), claimed end
end

local function clear_first(more) more.flags, more.first = band(more.flags, 1), 0 end

-- Adds a line to a job's past; the oldest go when it becomes too long. save_more follows.
local function note(id, more, line)
  local history = (more.stored and call('HGET', HISTORY, id) or '') .. exact(now) .. ' ' .. line .. '\n'
  while #history > HISTORY_BYTES do history = sub(history, string.find(history, '\n', 1, true) + 1) end
  call('HSET', HISTORY, id, history)
  more.noted = true
end

-- Jobs that become ready are collected, so that a batch costs one RPUSH a queue.
local pending, touched, nearest = {}, {}, nil

local function make_ready(id, queue)
  local ids = pending[queue]
  if ids then ids[#ids + 1] = id else pending[queue] = { id } end
end

local function flush_ready()
  for queue, ids in pairs(pending) do
    many('RPUSH', READY .. queue, ids)
    touched[queue] = true
  end
  pending = {}
end

local function put_first(id, queue)
  call('LPUSH', READY .. queue, id)
  touched[queue] = true
end

-- What has left its place for good is taken out in one go, or earlier where a step has to see it.
local unclaimed, gone, is_gone, held = {}, {}, {}, {}

local function settle()
  if #unclaimed > 0 then
    many('HDEL', CLAIM, unclaimed)
    many('ZREM', LEASE, unclaimed)
    unclaimed = {}
  end
  if #gone > 0 then
    many('HDEL', JOB, gone)
    many('HDEL', MORE, gone)
    many('HDEL', HISTORY, gone)
    gone, is_gone = {}, {}
  end
end

local function unclaim(id)
  unclaimed[#unclaimed + 1] = id
  held[id] = nil
end

local function notice(time)
  if not nearest or time < nearest then nearest = time end
end

local function schedule(id, time)
  call('ZADD', DUE, time, id)
  notice(time)
end

-- The last thing a script does. A marker is a set of one fixed member: setting it twice wakes one process, not two.
local function wake()
  settle()
  flush_ready()
  for queue in pairs(touched) do
    if call('LLEN', READY .. queue) > 0 then
      call('ZADD', QUEUES, 0, queue)
      call('ZADD', WAKE .. queue, 0, '')
    else
      call('ZREM', QUEUES, queue)
      call('DEL', WAKE .. queue)
    end
  end
  if nearest then
    local head = call('ZRANGE', DUE, 0, 0, 'WITHSCORES')[2]
    if not head or tonumber(head) >= nearest then call('ZADD', ALARM, 0, '') end
  end
end
