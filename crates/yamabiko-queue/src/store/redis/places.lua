-- The places of jobs. Writes are collected, so that a batch costs one call for each key; settle() makes them,
-- before a step has to see them and at its end.

local fields                             -- key -> what HSET is to write
local gone                               -- ids of jobs of which nothing is left
local held                               -- id -> its claim, of the runs that a turn ends
local free                               -- id -> whether it was found to be neither stored nor remembered
local may_scrub                          -- how many kept jobs the step may still look at for what is to be scrubbed
local touched                            -- queues that may need a marker

local begin, set, add, drop, unclaim, notice, schedule, unset, put_first, enter, leave, line_left,
  settle, wake do

local scores, drops                      -- key -> what ZADD and ZREM are to write
local unclaimed                          -- ids of runs that have ended
local pending                            -- queue -> ids that become ready
local moving                             -- who enters a lane (id, queue, lane) or leaves one (false, false, lane), in order
local nearest                            -- the nearest new due time

function begin(keys, given, writes, migrates)
  local refused = begin_call(keys, given, writes, migrates)
  if refused then return refused end
  fields, scores, drops, gone, unclaimed, pending, moving, held, free, touched = {}, {}, {}, {}, {}, {}, {}, {}, {}, {}
  nearest, may_scrub = nil, 256
  begin_groups()
  begin_remembered()
end

local function collect(lists, key, one, other)
  local list = lists[key]
  if not list then lists[key] = { one, other } return end
  local length = #list
  list[length + 1], list[length + 2] = one, other
end

function set(key, field, value) collect(fields, key, field, value) end
function add(key, score, member) collect(scores, key, score, member) end
function drop(key, member) collect_one(drops, key, member) end

function unclaim(id)
  unclaimed[#unclaimed + 1] = id
  held[id] = nil
end

function notice(time)
  if not nearest or time < nearest then nearest = time end
end

-- Puts a job off until a time; `lasts` if that is the end of a length of time that begins now.
function schedule(id, time, lasts)
  add(DUE, exact(time), id)
  if lasts then add(SET_AT, stamp, id) end
  notice(time)
end

-- Forgets when jobs were put off that are so no longer.
function unset(ids)
  if #ids > 0 and call('EXISTS', SET_AT) == 1 then many('ZREM', SET_AT, ids) end
end

local function make_ready(id, queue) collect_one(pending, queue, id) end

function put_first(id, queue)
  push_first(queue, id)
  touched[queue] = true
end

local function move(id, queue, lane)
  local length = #moving
  moving[length + 1], moving[length + 2], moving[length + 3] = id, queue, lane
end

-- Gets in line: ready if the lane is free or already this job's (a retry that held it), else behind the others.
function enter(id, queue, lane)
  if lane or #moving > 0 then move(id, queue, lane) else make_ready(id, queue) end
end

-- Gives the lane to the next in line. Only for its holder, which is over if it is named; if its record does not tell its
-- lane (nil), ticks search for it.
function leave(lane, id)
  if lane then
    move(false, false, lane)
  elseif lane == nil and id then
    call('ZADD', ORPHAN, call('HGET', SEARCH, 'round') or '1', id)
  end
end

function line_left(lane)
  if call('EXISTS', WAIT .. lane) == 0 then
    call('ZREM', LANES, lane)
    return true
  end
end

local settle_lanes do

-- Takes the next in line out of a lane's line. What is too short to name a job and its queue was not written by a step.
local function next_waiting(lane)
  local next
  repeat next = call('ZPOPMIN', WAIT .. lane)[1] until not next or #next > 16
  return next
end

-- Whether there is no such job, so that a lane that is not left now would wait for ever.
local function is_no_job(id) return call('HEXISTS', JOB, id) == 0 and call('HEXISTS', CLAIM, id) == 0 end

-- Moves all who enter and leave lanes, in their order.
function settle_lanes()
  local lanes, holder, is_waited_for, leaves, place = {}, {}, {}, {}, nil
  for i = 3, #moving, 3 do
    local lane = moving[i]
    if lane and holder[lane] == nil then
      holder[lane] = false
      lanes[#lanes + 1] = lane
    end
    if lane and not moving[i - 2] then leaves[lane] = true end
  end
  local before, waiting = hmget(HOLDER, lanes), zmscore(LANES, lanes)
  for i, lane in ipairs(lanes) do holder[lane], is_waited_for[lane] = before[i], waiting[i] end
  for i = 1, #moving, 3 do
    local id, queue, lane = moving[i], moving[i + 1], moving[i + 2]
    if not lane then
      make_ready(id, queue)
    elseif not id then
      local next = is_waited_for[lane] and next_waiting(lane)
      holder[lane] = next and sub(next, 1, 16)
      if is_waited_for[lane] then is_waited_for[lane] = not line_left(lane) end
      if next then make_ready(holder[lane], sub(next, 17)) end
    elseif not holder[lane] or holder[lane] == id or not leaves[lane] and is_no_job(holder[lane]) then
      holder[lane] = id
      make_ready(id, queue)
    else
      place = place and place + 1 or call('INCRBY', PLACE, exact(#moving / 3)) - #moving / 3 + 1
      call('ZADD', WAIT .. lane, exact(place), id .. queue)
      if not is_waited_for[lane] then call('ZADD', LANES, '0', lane) end
      is_waited_for[lane] = true
    end
  end
  moving = {}
  local taken, left = {}, {}
  for i, lane in ipairs(lanes) do
    local id = holder[lane]
    if not id then
      left[#left + 1] = lane
    elseif id ~= before[i] then
      taken[#taken + 1] = lane
      taken[#taken + 1] = id
    end
  end
  many('HSET', HOLDER, taken)
  many('HDEL', HOLDER, left)
end

end

function settle()
  if next(fields) then
    for key, list in pairs(fields) do many('HSET', key, list) end
    fields = {}
  end
  if next(drops) then
    for key, list in pairs(drops) do many('ZREM', key, list) end
    drops = {}
  end
  if next(scores) then
    for key, list in pairs(scores) do many('ZADD', key, list) end
    scores = {}
  end
  remember_now()
  if #unclaimed > 0 then
    many('HDEL', CLAIM, unclaimed)
    many('ZREM', LEASE, unclaimed)
    unclaimed = {}
  end
  if #gone > 0 then
    many('HDEL', JOB, gone)
    if is_there(MORE) then
      many('HDEL', MORE, gone)
      many('HDEL', HISTORY, gone)
    end
    if is_there(BODY) then many('HDEL', BODY, gone) end
    gone = {}
  end
  if #moving > 0 then settle_lanes() end
  if next(pending) then
    for queue, ids in pairs(pending) do
      push_last(queue, ids)
      touched[queue] = true
    end
    pending = {}
  end
end

-- The last thing a step does. A marker is a set of one fixed member: setting it twice wakes one process, not two.
function wake()
  settle()
  for queue in pairs(touched) do
    if length_of_line(queue) > 0 then
      call('ZADD', QUEUES, '0', queue)
      call('ZADD', WAKE .. queue, '0', '')
    else
      call('ZREM', QUEUES, queue)
      call('DEL', WAKE .. queue)
    end
  end
  if nearest and first_time(DUE) >= nearest then call('ZADD', ALARM, '0', '') end
end

end
