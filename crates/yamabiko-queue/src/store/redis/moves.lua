-- The moves of jobs from place to place; behind common.lua in every script that writes.

-- Gets in line: ready if the lane is free or already this job's (a retry that held it), else behind the others.
local function enter(id, queue, lane)
  if lane and call('HSETNX', HOLDER, lane, id) == 0 and call('HGET', HOLDER, lane) ~= id then
    if call('RPUSH', WAIT .. lane, id .. queue) == 1 then call('ZADD', LANES, 0, lane) end
  else
    make_ready(id, queue)
  end
end

local function line_left(lane)
  if call('EXISTS', WAIT .. lane) == 0 then call('ZREM', LANES, lane) end
end

-- Gives the lane to the next in line. Only for its holder.
local function leave(lane)
  if not lane then return end
  local next = call('LPOP', WAIT .. lane)
  if not next then call('HDEL', HOLDER, lane) return end
  line_left(lane)
  local id = sub(next, 1, 16)
  call('HSET', HOLDER, lane, id)
  make_ready(id, sub(next, 17))
end

-- The lane that a job may hold; it is searched for among all where the record does not tell.
local function lane_of(id, record)
  local _, lane = header(record)
  if lane or is_readable(record) then return lane end
  local holders = call('HGETALL', HOLDER)
  for i = 1, #holders, 2 do
    if holders[i + 1] == id then return holders[i] end
  end
  return false
end

-- Takes out what is known of a job, but not its place.
local function forget(id, record)
  gone[#gone + 1] = id
  is_gone[id] = true
  local _, _, chat = header(record)
  if chat then call('ZREM', CHAT .. chat, id) end
end

local function remember(id, record)
  local time = remember_of(record)
  if time > 0 then call('ZADD', SEEN, now + time, id) end
end

-- A job that was called off, or is completed and not kept.
local function remove(id, record)
  forget(id, record)
  remember(id, record)
end

-- A job that is kept for people after its end.
local function keep(key, id, record)
  call('ZADD', key, now, id)
  if secret_of(record) then call('HSET', JOB, id, with_secret(record, false)) end
  local _, _, chat = header(record)
  if chat then call('ZADD', CHAT .. chat, 1, id) end
  remember(id, record)
end

-- Answers the place, its time if it has one, and the claim if it is running.
local function place_of(id, record)
  local claim = call('HGET', CLAIM, id)
  if claim then return 'running', call('ZSCORE', LEASE, id), claim end
  local time = call('ZSCORE', DUE, id)
  if time then return 'scheduled', time end
  time = call('ZSCORE', DEAD, id)
  if time then return 'dead', time end
  time = call('ZSCORE', DONE, id)
  if time then return 'completed', time end
  local _, lane = header(record)
  return (not lane or call('HGET', HOLDER, lane) == id) and 'ready' or 'waiting'
end

-- A duplicate renews secret and arrival of a job that nobody has claimed yet.
local function renew(id, record)
  local secret = secret_of(record)
  if not secret then return end
  settle()
  local old = call('HGET', JOB, id)
  local place = place_of(id, old)
  if place ~= 'ready' and place ~= 'waiting' then return end
  if band(open_more(call('HGET', MORE, id)).flags, 2) > 0 then return end
  call('HSET', JOB, id, pack('>i8', now) .. sub(with_secret(old, secret), 9))
end

-- Stores a job; 1, or 0 if its id exists or is remembered. `due` is a time, or false; `rest` is the record without its first 16 bytes.
local function insert(id, due, rest)
  local seen = call('ZSCORE', SEEN, id)
  if seen and tonumber(seen) > now then return 0 end
  if is_gone[id] then settle() end
  local record = pack('>i8i8', now, due or 0) .. rest
  if call('HSETNX', JOB, id, record) == 0 then renew(id, record) return 0 end
  local queue, lane, chat = header(record)
  if chat then call('ZADD', CHAT .. chat, 0, id) end
  if due and due > now then schedule(id, due) else enter(id, queue, lane) end
  return 1
end

-- Reads a due time: nothing, "=" and a time, or "+" and a delay.
local function due_time()
  local due = text()
  if due == '' then return false end
  local time = tonumber(sub(due, 2))
  return byte(due) == 43 and now + time or time
end

-- A running job is only marked: its worker still works on it, so its lane stays taken until that worker
-- hears of it (beat, commit) or its lease ends; its commit changes nothing any more.
-- A ready job is found by walking its queue's list: rare, and a few milliseconds at 100,000 entries.
local function cancel(id)
  settle()
  local record = call('HGET', JOB, id)
  if not record then return 'u' end
  local place, _, claim = place_of(id, record)
  if place == 'running' then
    if #claim == CLAIM_BYTES then
      call('HSET', CLAIM, id, claim .. 'x')
      if held[id] then held[id] = claim .. 'x' end
    end
    return 'm'
  end
  if place == 'dead' or place == 'completed' then return 'o' end
  local queue, lane = header(record)
  local holds = lane and place ~= 'waiting' and call('HGET', HOLDER, lane) == id
  if place == 'scheduled' then
    call('ZREM', DUE, id)
  elseif place == 'ready' then
    flush_ready()
    call('LREM', READY .. queue, 1, id)
    touched[queue] = true
  else
    call('LREM', WAIT .. lane, 1, id .. queue)
    line_left(lane)
  end
  remove(id, record)
  if holds then leave(lane) end
  return 'g'
end

-- Stops claims from a queue; the longer of two pauses stands, and one without end over all.
local function pause(queue, until_time)
  if until_time and until_time <= now then return end
  if call('ZADD', PAUSED, 'GT', 'CH', until_time or 'inf', queue) == 1 and until_time then notice(until_time) end
end

local function first_time(key)
  local time = call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  return time and tonumber(time) or math.huge
end
