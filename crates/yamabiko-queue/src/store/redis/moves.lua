-- The moves of jobs from place to place.

local function save_more(id, more)
  local packed = pack_more(more)
  if packed == (more.stored or NOTHING) and not more.noted then return end
  set(MORE, id, packed)
  more.stored = packed
end

-- Adds a line to a job's past; the oldest go when it becomes too long. save_more follows.
local function note(id, more, line)
  local history = (more.stored and call('HGET', HISTORY, id) or '') .. stamp .. ' ' .. line .. '\n'
  while #history > 4096 do history = sub(history, find(history, '\n', 1, true) + 1) end
  call('HSET', HISTORY, id, history)
  more.noted = true
end

-- The lane that a job may hold (false: it has none; nil: its record does not tell), and its chat, for how long to remember it,
-- and its secret.
local function lane_of(id, record)
  local _, lane, chat, _, secret, kind, time = header(record)
  if not kind then lane = nil end
  return lane, chat, time, secret
end

-- Takes out what is known of a job, but not its place.
local function forget(id, chat)
  gone[#gone + 1] = id
  if chat then drop(CHAT .. chat, id) end
end

-- A job that was called off, or is completed and not kept.
local function remove(id, chat, time)
  forget(id, chat)
  remember(id, time)
end

-- A job that is kept for people after its end.
local function keep(key, id, record, chat, time, secret)
  add(key, stamp, id)
  if secret then set(JOB, id, with_secret(record, false)) end
  if chat then add(CHAT .. chat, stamp, id) end
  remember(id, time)
end

-- A record with its payload.
local function whole(id, record) return has_body(record) and record .. (call('HGET', BODY, id) or '') or record end

-- Replaces a job's payload, and answers its record.
local function set_payload(id, record, payload)
  local is_inline = #payload <= MOST_INLINE
  if not is_inline then
    set(BODY, id, payload)
  elseif has_body(record) then
    if fields[BODY] then settle() end
    call('HDEL', BODY, id)
  end
  return with_payload(record, payload, is_inline)
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
  return (not lane or has_lane(id, call('HGET', HOLDER, lane))) and 'ready' or 'waiting'
end

-- A duplicate renews secret and arrival of a job that nobody has claimed yet.
local function renew(id, old, secret)
  local place = place_of(id, old)
  if place ~= 'ready' and place ~= 'waiting' then return end
  if band(open_more(call('HGET', MORE, id)).flags, 2) > 0 then return end
  call('HSET', JOB, id, pack('>i8', now) .. sub(with_secret(old, secret), 9))
end

-- Looks up at once which of the jobs that come are new; each is to be remembered for its span, or all for the same one.
local function look_up(ids, spans)
  if #ids == 0 then return end
  local seen, stored = remembered(ids, spans), hmget(JOB, ids)
  for i, id in ipairs(ids) do free[id] = not stored[i] and not seen[i] end
end

-- A job that comes is one text: its id (16 bytes), how its due time is given (0: it has none, "=": a time, "+": a delay),
-- that time (8 bytes; 0, or until when it may pass a lender), and the rest of its record, from `remember` on; behind it stands its payload if it is for BODY.
-- See encode.rs.
local function id_of(job) return sub(job, 1, 16) end

local function span_of(job) return pick('>i8', job, 26) end

-- Answers the job, its payload if that is for BODY, when it is due (false: at once), and the origin that it revokes. To how its
-- time is given, 64 is added if its payload is for BODY, and 128 if it revokes an origin, which stands behind the time then,
-- behind a byte with its length.
local function read_job()
  at = at + 1
  local job, body, due, revokes = args[at], false, false, false
  local how = byte(job, 17)
  if how >= 64 then
    if how >= 128 then
      revokes = pick('Bc0', job, 26)
      job = sub(job, 1, 25) .. sub(job, 27 + #revokes)
    end
    body = how % 128 >= 64 and text()
    how = how % 64
  end
  if how > 0 then
    due = pick('>i8', job, 18)
    if how == 43 then due = now + due end
  end
  return job, body, due, revokes
end

local revoke do

local REVOKED_FOR, MOST_REVOKED = 24 * 3600 * 1000000, 100000

-- Remembers an origin for a day, and answers how many of the oldest were forgotten for it.
function revoke(origin)
  call('ZADD', REVOKED, exact(now + REVOKED_FOR), origin)
  local surplus = call('ZCARD', REVOKED) - MOST_REVOKED
  return surplus > 0 and call('ZREMRANGEBYRANK', REVOKED, '0', exact(surplus - 1)) or 0
end

end

-- Stores a job that comes; false if its id exists or is remembered. `due` is a time, or false.
local function insert(id, job, body, due)
  local record = due and pack('>i8i8', now, due) .. sub(job, 26) or arrives_now .. sub(job, 18)
  if not free[id] then
    settle()
    if is_remembered(id, span_of(job)) then return false end
    local old = call('HGET', JOB, id)
    if old then
      local _, _, _, _, secret = header(record)
      if secret then renew(id, old, secret) end
      return false
    end
  end
  free[id] = nil
  set(JOB, id, record)
  if body then set(BODY, id, body) end
  local queue, lane, chat = new_header(record)
  if chat then add(CHAT .. chat, live_score(chat), id) end
  if due and due > now then schedule(id, due, byte(job, 17) % 64 == 43) else enter(id, queue, lane, record) end
  return true
end

-- Stops claims from a queue for a time span, or without end; the pause that ends later stands.
local function pause(queue, span)
  if span == 0 then return end
  local until_time = span and now + span
  if call('ZADD', PAUSED, 'GT', 'CH', until_time and exact(until_time) or 'inf', queue) == 0 then return end
  if until_time then
    call('ZADD', PAUSED_AT, stamp, queue)
    notice(until_time)
  else
    call('ZREM', PAUSED_AT, queue)
  end
end
