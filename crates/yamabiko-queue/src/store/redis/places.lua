-- The places of jobs. Writes are collected, so that a batch costs one call for each key; settle() makes them,
-- before a step has to see them and at its end.

local fields                             -- key -> what HSET is to write
local gone                               -- ids of jobs of which nothing is left
local held                               -- id -> its claim, of the runs that a turn ends
local free                               -- id -> whether it was found to be neither stored nor remembered
local may_scrub                          -- how many kept jobs the step may still look at for what is to be scrubbed
local touched                            -- queues that may need a marker

local begin, set, add, drop, unclaim, notice, schedule, unset, put_first, enter, leave, change_loan, has_lane,
  line_left, settle, wake do

local scores, drops                      -- key -> what ZADD and ZREM are to write
local unclaimed                          -- ids of runs that have ended
local pending                            -- queue -> ids that become ready
local moving                             -- who enters or leaves lanes, and how, in order: four entries each, see settle_lanes
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

local function move(id, queue, lane, how)
  local length = #moving
  moving[length + 1], moving[length + 2], moving[length + 3], moving[length + 4] = id, queue, lane, how
end

-- Until when a job may pass one that lends their lane; false if it may not.
local function passes_until(record)
  local flags = record and byte(record, 25)
  if not flags or flags % 2 == 1 then return false end    -- it has a due time
  local until_time = pick('>i8', record, 9)
  return until_time > 0 and until_time
end

-- Gets in line: ready if the lane is free or already this job's (a retry that held it), else behind the others.
function enter(id, queue, lane, record)
  if lane or #moving > 0 then move(id, queue, lane, lane and passes_until(record)) else make_ready(id, queue) end
end

-- Gives the lane to the next in line, or back to the job that lent it. Only for its holder, which is over if it is named, and
-- for one that lends it; if its record does not tell its lane (nil), ticks search for it.
function leave(lane, id)
  if lane then
    move(id or false, false, lane, 'leave')
  elseif lane == nil and id then
    call('ZADD', ORPHAN, call('HGET', SEARCH, 'round') or '1', id)
  end
end

-- Lends the lane of a job that has just been put off ('lend'), or puts one that has it on loan back to its place in line, and the
-- lane back to the lender ('back').
function change_loan(how, id, queue, lane)
  if lane then move(id, queue, lane, how) elseif how == 'back' then put_first(id, queue) end
end

-- What HOLDER has of a lane: the id of its holder; of one that has it on loan, its place in line (8 bytes) behind that, and
-- then the id of the lender, unless that is due and waits first in line. Where nobody has borrowed it, the lender's id and "-".
local LENT, BORROWED = 17, 40

-- Whether a job holds a lane, or lends it.
function has_lane(id, held) return held and (sub(held, 1, 16) == id or sub(held, 25) == id) end

function line_left(lane)
  if call('EXISTS', WAIT .. lane) == 0 then
    call('ZREM', LANES, lane)
    return true
  end
end

local settle_lanes do

local holder, loans, is_waited_for      -- lane -> who has it (false: nobody), the loan if it is lent, whether anyone waits

-- Whether there is no such job, so that a lane that is not left now would wait for ever.
local function is_no_job(id) return call('HEXISTS', JOB, id) == 0 and call('HEXISTS', CLAIM, id) == 0 end

local function open_lane(lane, held)
  if not held or #held == 16 then
    holder[lane] = held
  elseif #held == LENT then
    holder[lane], loans[lane] = false, { lender = sub(held, 1, 16) }
  else
    holder[lane], loans[lane] = sub(held, 1, 16), { place = sub(held, 17, 24), lender = #held == BORROWED and sub(held, 25) }
  end
end

local function pack_lane(lane)
  local id, loan = holder[lane], loans[lane]
  if not loan then return id end
  return id and id .. loan.place .. (loan.lender or '') or loan.lender .. '-'
end

-- A place in line that ends in a half is that of a job that may pass the lender of the lane, and stands in PASS as well.
local function wait_in_line(id, queue, lane, place, passes)
  local entry = id .. queue
  call('ZADD', WAIT .. lane, exact(place) .. (passes and '.5' or ''), entry)
  if passes then call('ZADD', PASS .. lane, exact(passes), entry) end
  if not is_waited_for[lane] then call('ZADD', LANES, '0', lane) end
  is_waited_for[lane] = true
end

-- Takes the next in line out of a lane's line. What is too short to name a job and its queue was not written by a step.
local function next_waiting(lane)
  local next
  repeat
    next = call('ZPOPMIN', WAIT .. lane)
    if next[2] and find(next[2], '.', 1, true) then call('ZREM', PASS .. lane, next[1]) end
  until not next[1] or #next[1] > 16
  return next[1]
end

local function hand_on(lane)
  local next = is_waited_for[lane] and next_waiting(lane)
  holder[lane], loans[lane] = next and sub(next, 1, 16), nil
  if is_waited_for[lane] then is_waited_for[lane] = not line_left(lane) end
  if next then make_ready(holder[lane], sub(next, 17)) end
end

local MOST_PASSING = '256'

-- The first in line whose time to pass a lender is not over, and which has another origin: its entry and its place.
local function first_passer(lane, lender)
  local entries, standing, gone = call('ZRANGEBYSCORE', PASS .. lane, '(' .. stamp, '+inf', 'LIMIT', '0', MOST_PASSING), {}, {}
  for i, place in ipairs(zmscore(WAIT .. lane, entries)) do
    local list = place and standing or gone
    list[#list + 1] = place and { entry = entries[i], place = tonumber(place) } or entries[i]
  end
  many('ZREM', PASS .. lane, gone)
  table.sort(standing, function(one, other) return one.place < other.place end)
  local _, _, _, origin = header(call('HGET', JOB, lender) or '')
  for _, passer in ipairs(standing) do
    local _, _, _, its = header(call('HGET', JOB, sub(passer.entry, 1, 16)) or '')
    if its and its ~= origin then return passer.entry, math.floor(passer.place) end
  end
end

-- Gives a lane that is lent, and that nobody has, to the first that may pass the lender. A lender that is due goes before it,
-- even where no tick has come to it yet.
local function lend_again(lane)
  local loan = loans[lane]
  local due = tonumber(call('ZSCORE', DUE, loan.lender) or 0)
  if due <= now then return end
  local entry, place = first_passer(lane, loan.lender)
  if not entry then return end
  call('ZREM', WAIT .. lane, entry)
  call('ZREM', PASS .. lane, entry)
  is_waited_for[lane] = not line_left(lane)
  local id = sub(entry, 1, 16)
  local more = open_more(call('HGET', MORE, id))
  more.flags = bor(more.flags, 4)
  call('HSET', MORE, id, pack_more(more))
  holder[lane], loan.place = id, pack('>i8', place)
  make_ready(id, sub(entry, 17))
end

local ways = {
  leave = function(id, _, lane)
    local loan = loans[lane]
    local is_lender = loan and (not holder[lane] or id and loan.lender == id)
    if is_lender and holder[lane] then
      loan.lender = false
    elseif not is_lender and loan and loan.lender then
      holder[lane], loan.place = false, nil
      lend_again(lane)
    else
      hand_on(lane)
    end
  end,
  lend = function(id, _, lane)
    if loans[lane] or holder[lane] ~= id then return end
    holder[lane], loans[lane] = false, { lender = id }
    lend_again(lane)
  end,
}

function ways.back(id, queue, lane)
  local loan = loans[lane]
  if holder[lane] ~= id or not loan then return put_first(id, queue) end
  wait_in_line(id, queue, lane, pick('>i8', loan.place), false)
  ways.leave(id, queue, lane)
end

-- Moves all who enter and leave lanes, in their order.
function settle_lanes()
  local lanes, seen, leaves, place = {}, {}, {}, nil
  holder, loans, is_waited_for = {}, {}, {}
  for i = 3, #moving, 4 do
    local lane = moving[i]
    if lane and not seen[lane] then
      seen[lane] = true
      lanes[#lanes + 1] = lane
    end
    if lane and moving[i + 1] == 'leave' then leaves[lane] = true end
  end
  local before, waiting = hmget(HOLDER, lanes), zmscore(LANES, lanes)
  for i, lane in ipairs(lanes) do
    open_lane(lane, before[i])
    is_waited_for[lane] = waiting[i]
  end
  for i = 1, #moving, 4 do
    local id, queue, lane, how = moving[i], moving[i + 1], moving[i + 2], moving[i + 3]
    local loan, has = lane and loans[lane], lane and holder[lane]
    local taker = has or loan and loan.lender
    if not lane then
      make_ready(id, queue)
    elseif ways[how] then
      ways[how](id, queue, lane)
    elseif loan and loan.lender == id and has then
      loan.lender = false                -- it is due, and goes before all others once the lane comes back
      wait_in_line(id, queue, lane, 0, false)
    elseif not taker or taker == id or not leaves[lane] and is_no_job(taker) then
      holder[lane] = id
      if taker ~= has or taker ~= id then loans[lane] = nil end
      make_ready(id, queue)
    else
      place = place and place + 1 or call('INCRBY', PLACE, exact(#moving / 4)) - #moving / 4 + 1
      wait_in_line(id, queue, lane, place, how)
      if how and loan and not has then lend_again(lane) end
    end
  end
  moving = {}
  local taken, left = {}, {}
  for i, lane in ipairs(lanes) do
    local held = pack_lane(lane)
    if not held then
      left[#left + 1] = lane
    elseif held ~= before[i] then
      taken[#taken + 1] = lane
      taken[#taken + 1] = held
    end
  end
  many('HSET', HOLDER, taken)
  many('HDEL', HOLDER, left)
  holder, loans, is_waited_for = nil, nil, nil
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
