#!lua flags=allow-oom
-- Finds places for jobs that have none, because a key of places was set aside; a few in each call, or none to say that the
-- search goes on.
-- ARGV: lease, 1 if it is not known which jobs are over, 1 if not which have run, how many keys had been set aside when the
-- search began, if it has ended (else -1), then a letter and a name for each:
--   c a job that is running, h one that is ready: they have their lanes
--   j a job that may have no place: those that have one keep it
--   l a lane in which jobs wait, behind all of these
-- Answers how many had none.
local lease, may_be_over, may_have_run, searched = number(), number() == 1, number() == 1, number()
local found, standing = 0, {}

local function take_lane(id, record)
  local _, lane = header(record)
  if lane and not call('HGET', HOLDER, lane) then call('HSET', HOLDER, lane, id) end
end

-- The ids at the ends of a queue's lists. The caller has read the lists before, so what it did not see was added since.
local ENDS = { { '0', '999' }, { '-1000', '-1' } }
local function ends_of(queue)
  if standing[queue] then return standing[queue] end
  local ids = {}
  for _, list in ipairs({ READY .. queue, FRONT .. queue }) do
    for _, part in ipairs(ENDS) do
      for _, entry in ipairs(call('LRANGE', list, part[1], part[2])) do ids[sub(entry, 1, 16)] = true end
    end
  end
  standing[queue] = ids
  return ids
end

local function has_place(id, record)
  local place = place_of(id, record)
  if place ~= 'ready' and place ~= 'waiting' or call('ZSCORE', LEASE, id) then return true end
  local queue, lane = header(record)
  return ends_of(queue)[id] or lane and call('ZSCORE', WAIT .. lane, id .. queue)
end

local function place_anew(id, record)
  local queue, lane, chat, _, secret, _, time = header(record)
  local more = open_more(call('HGET', MORE, id))
  local due = band(byte(record, 25) or 0, 1) > 0 and read('>i8', record, 9)
  local is_ahead = due and due > now
  found = found + 1
  if not is_ahead then unset({ id }) end
  if may_be_over or is_remembered(id, time) then
    note(id, more, 'its place in the store was damaged, and it may have been over')
    save_more(id, more)
    keep(DEAD, id, record, chat, time, secret)
    if lane and has_lane(id, call('HGET', HOLDER, lane)) then leave(lane, id) end
    return
  end
  if may_have_run then
    more.lost, more.flags = more.lost + 1, bor(more.flags, 1)
    note(id, more, 'its place in the store was damaged')
    save_more(id, more)
  end
  if lane then call('ZREM', PASS .. lane, id .. queue) end
  if is_ahead then schedule(id, due) else enter(id, queue, lane, record) end
end

local mend = {
  c = function(id, record)
    if not call('HGET', CLAIM, id) then return end
    if not call('ZSCORE', LEASE, id) then call('ZADD', LEASE, exact(now + lease), id) end
    take_lane(id, record)
  end,
  h = function(id, record)
    local place = place_of(id, record)
    if place == 'ready' or place == 'waiting' or place == 'running' then take_lane(id, record) end
  end,
  j = function(id, record)
    if not has_place(id, record) then place_anew(id, record) end
  end,
}

while at < #args do
  local letter, name = text(), text()
  if letter == 'l' then
    settle()
    local holder = call('HGET', HOLDER, name)
    holder = holder and sub(holder, 1, 16)
    if call('EXISTS', WAIT .. name) == 1 then
      call('ZADD', LANES, '0', name)
      if not holder or call('HEXISTS', JOB, holder) == 0 and call('HEXISTS', CLAIM, holder) == 0 then leave(name) end
    end
  else
    local record = call('HGET', JOB, name)
    if record then mend[letter](name, record) end
  end
end
if searched < 0 then
  call('SET', MENDING, stamp, 'XX')
elseif searched == call('ZCARD', DAMAGED) then
  call('DEL', MENDING)
else
  call('SET', MENDING, '0')
end
wake()
return found
