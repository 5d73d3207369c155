#!lua flags=allow-oom
-- A worker's one call: ends or checkpoints a batch of runs with their effects, ticks, and claims the next jobs.
-- ARGV: (what ticking.lua reads), how much later due jobs become ready here,
--       number of commits, their ids, and for each commit:
--         token, outcome, time or number, flags, note, number of arguments of the effects, effects
--       number of wants, and for each: at most, number of queues, queues in the order to take from
-- Outcomes: c complete, k checkpoint (number; note = payload), r retry (time), s snooze (time), d dead, l release, x cancel
-- Flags:    h keeps its lane, u unsure, n has a note (an error, a reason), a afresh
-- Effects:  j id due record | x id | s state | - (remove the state) | n origin (scrub) | p queue time
-- Answers: the time, jobs promoted, claims ended, when to come again, a letter for each commit
--          (a applied, c cancelled, l lost), the token, and of what was claimed: ids, records, more, states.
--
-- A token is new for each turn: if a process stalls and then claims again what it lost, the first of its two runs
-- must be fenced out like anyone else's. allow-oom: a commit frees more than it takes.

local later = number()
local count = number()
local ids = {}
for i = 1, count do ids[i] = text() end
local runs = {}
for i, claim in ipairs(hmget(CLAIM, ids)) do held[ids[i]] = claim or nil end
local mores = hmget(MORE, ids)
for i, record in ipairs(hmget(JOB, ids)) do
  runs[ids[i]] = runs[ids[i]] or { id = ids[i], record = record or '', more = open_more(mores[i]) }
end

-- Replaces the payloads of what is left of the chat's jobs of this origin.
local function scrub(chat, origin)
  if not chat then return end
  local ended = call('ZRANGEBYSCORE', CHAT .. chat, 1, 1)
  for i, record in ipairs(hmget(JOB, ended)) do
    local _, _, _, its_origin = header(record)
    if its_origin == origin then call('HSET', JOB, ended[i], with_payload(record, 'null')) end
  end
end

local effects = {
  j = function()
    local id = text()
    local due = due_time()
    insert(id, due, text())
  end,
  x = function(run)
    local id = text()
    if id ~= run.id then cancel(id) end
  end,
  s = function(run, lane)
    local state = text()
    if lane then call('HSET', STATE, lane, state) end
  end,
  ['-'] = function(run, lane)
    if lane then call('HDEL', STATE, lane) end
  end,
  n = function(run)
    local _, _, chat = header(run.record)
    local origin = text()
    settle()
    scrub(chat, origin)
  end,
  p = function()
    local queue = text()
    pause(queue, number())
  end,
}

local function again(run, lane, time, keeps_lane)
  save_more(run.id, run.more)
  schedule(run.id, time)
  if not keeps_lane then leave(lane) end
end

local outcomes = {
  c = function(run, lane)
    if keep_completed > 0 then
      save_more(run.id, run.more)
      keep(DONE, run.id, run.record)
    else
      remove(run.id, run.record)
    end
    leave(lane)
  end,
  x = function(run, lane)
    remove(run.id, run.record)
    leave(lane)
  end,
  r = function(run, lane, time, flags, line)
    run.more.failures = run.more.failures + 1
    note(run.id, run.more, line)
    again(run, lane, time, flags.h)
  end,
  s = function(run, lane, time, flags, line)
    if flags.n then note(run.id, run.more, line) end
    if flags.a then clear_first(run.more) end
    again(run, lane, time, flags.h)
  end,
  d = function(run, lane, _, _, line)
    run.more.failures = run.more.failures + 1
    note(run.id, run.more, line)
    save_more(run.id, run.more)
    keep(DEAD, run.id, run.record)
    leave(lane)
  end,
  l = function(run)
    save_more(run.id, run.more)
    put_first(run.id, (header(run.record)))
  end,
}

local function apply_effects(run, lane, finish)
  while at < finish do effects[text()](run, lane) end
end

local function checkpoint(run, lane, number_before, payload, finish)
  -- A worker that lost the answer sends the same checkpoint again: it must not count twice.
  if run.more.checkpoint ~= number_before then return end
  apply_effects(run, lane, finish)
  run.record = with_payload(run.record, payload)
  run.more.checkpoint = run.more.checkpoint + 1
  run.more.lost = 0
  call('HSET', JOB, run.id, run.record)
  save_more(run.id, run.more)
end

local function commit(id)
  local token, outcome, time, letters, line = text(), text(), number(), text(), text()
  local finish = number()
  finish = finish + at
  local claim, run = held[id], runs[id]
  local answer = 'l'
  if claim and sub(claim, 1, 8) == token then
    local lane = lane_of(id, run.record)
    local flags = {}
    for letter in string.gmatch(letters, '.') do flags[letter] = true end
    if #claim > CLAIM_BYTES then
      unclaim(id)
      outcomes.x(run, lane)
      answer = 'c'
    else
      answer = 'a'
      if outcome == 'k' then
        checkpoint(run, lane, time, line, finish)
      else
        apply_effects(run, lane, finish)
        unclaim(id)
        set_first(run.more, read('>i8', claim, 9) or now)
        if flags.u then run.more.flags = bor(run.more.flags, 1) end
        outcomes[outcome](run, lane, time, flags, line)
      end
    end
  end
  at = finish
  return answer
end

local answers = {}
for i = 1, count do answers[i] = commit(ids[i]) end
settle()
local promoted, ended, next = tick(later)
settle()
flush_ready()

local claimed = {}
for _ = 1, number() do
  local room = number()
  local queues = {}
  for i = 1, number() do queues[i] = text() end
  if room > 0 and #queues > 0 then
    local paused = call('ZMSCORE', PAUSED, unpack(queues))
    for i, queue in ipairs(queues) do
      if room > 0 and not (paused[i] and tonumber(paused[i]) > now) then
        local got = call('LPOP', READY .. queue, room)
        if got then
          touched[queue] = true
          for _, id in ipairs(got) do
            if #id == 16 then claimed[#claimed + 1] = id end
          end
          room = room - #got
        end
      end
    end
    -- This worker may have taken the markers of all its queues. If it is full, the rest is for another.
    if room == 0 then
      for i, queue in ipairs(queues) do
        if not paused[i] then touched[queue] = true end
      end
    end
  end
end
wake()
answers = table.concat(answers)
if #claimed == 0 then return { exact(now), promoted, ended, next, answers, '0', {}, {}, {}, {} } end

local token = call('INCR', TOKEN)
local records = hmget(JOB, claimed)
local states = {}
local claims, leases, lanes, places = {}, {}, {}, {}
local claim = pack('>I8i8', token, now)
for i, id in ipairs(claimed) do
  if not records[i] then                   -- a place without a job: it shall be seen, and end
    records[i] = ''
    call('HSET', JOB, id, '')
  end
  local _, lane = header(records[i])
  states[i] = false
  if lane then
    lanes[#lanes + 1] = lane
    places[#places + 1] = i
  end
  claims[2 * i - 1], claims[2 * i] = id, claim
  leases[2 * i - 1], leases[2 * i] = now + lease, id
end
for i, state in ipairs(hmget(STATE, lanes)) do states[places[i]] = state end
many('HSET', CLAIM, claims)
many('ZADD', LEASE, leases)
return { exact(now), promoted, ended, next, answers, exact(token), claimed, records, hmget(MORE, claimed), states }
