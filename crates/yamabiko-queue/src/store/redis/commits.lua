-- The ends and checkpoints of runs, with their effects.
--
-- A commit: token, outcome and flags in one text ("rhu"), and then, but for a "c" that stands alone: how many arguments follow,
--   how many checkpoints the run knows behind its job, time span, note, effects
-- Outcomes: c complete, k checkpoint (note = payload), r retry (span), s snooze (span), d dead, l release, x cancel,
--           b gives its lane back to the one that lent it
-- Flags:    h keeps its lane, t and lends it, u unsure, n has a note (an error, a reason), a afresh
-- Effects:  j job (and its payload, see moves.lua) | x id | a group time (cancel all, see groups.lua) | s state
--           | - (remove the state) | n origin (scrub) | p queue span

local make_commits do

local effects = {
  j = function()
    local job, body, due, revokes = read_job()
    if insert(id_of(job), job, body, due) and revokes then revoke(revokes) end
  end,
  x = function(run, finish)
    local ids = {}
    repeat
      local id = text()
      if id ~= run.id then ids[#ids + 1] = id end
      local is_followed = at < finish and args[at + 1] == 'x'
      if is_followed then at = at + 1 end
    until not is_followed
    cancel_all(ids)
  end,
  a = function(run)
    local group = text()
    cancel_group(run, sub(group, 1, 1), sub(group, 2), number())
  end,
  s = function(run)
    local state = text()
    if run.lane then set(STATE, run.lane, state) end
  end,
  ['-'] = function(run)
    if fields[STATE] then settle() end
    if run.lane then call('HDEL', STATE, run.lane) end
  end,
  n = function(run) scrub(run.chat, text()) end,
  p = function()
    local queue = text()
    pause(queue, number())
  end,
}

local function apply_effects(run, finish)
  while at < finish do effects[text()](run, finish) end
end

local function has(run, flag) return find(run.what, flag, 2, true) end

-- A job that leaves its lane, or dies, has it on loan no longer.
local function own_again(run) run.more.flags = band(run.more.flags, bit.bnot(4)) end

local function again(run, span)
  if not has(run, 'h') then own_again(run) end
  save_more(run.id, run.more)
  schedule(run.id, now + span, true)
  if not has(run, 'h') then leave(run.lane) elseif has(run, 't') then change_loan('lend', run.id, false, run.lane) end
end

local function call_off(run)
  remove(run.id, run.chat, run.remember)
  leave(run.lane, run.id)
end

local outcomes = {
  c = function(run)
    if keep_completed == 0 then call_off(run) return end
    own_again(run)
    save_more(run.id, run.more)
    keep(DONE, run.id, run.record, run.chat, run.remember, run.secret)
    leave(run.lane, run.id)
  end,
  x = call_off,
  r = function(run, span, line)
    run.more.failures = run.more.failures + 1
    note(run.id, run.more, line)
    again(run, span)
  end,
  s = function(run, span, line)
    if has(run, 'n') then note(run.id, run.more, line) end
    if has(run, 'a') then clear_first(run.more) end
    again(run, span)
  end,
  d = function(run, _, line)
    run.more.failures = run.more.failures + 1
    note(run.id, run.more, line)
    own_again(run)
    save_more(run.id, run.more)
    keep(DEAD, run.id, run.record, run.chat, run.remember, run.secret)
    leave(run.lane, run.id)
  end,
  l = function(run)
    save_more(run.id, run.more)
    put_first(run.id, (header(run.record)))
  end,
  b = function(run)
    local is_on_loan = band(run.more.flags, 4) > 0
    own_again(run)
    if has(run, 'a') then clear_first(run.more) end
    save_more(run.id, run.more)
    local queue = header(run.record)
    if is_on_loan then change_loan('back', run.id, queue, run.lane) else put_first(run.id, queue) end
  end,
}

local function checkpoint(run, known, payload, finish)
  -- A worker that lost the answer sends the same checkpoint again: it must not count twice.
  if run.more.checkpoint ~= known then return end
  apply_effects(run, finish)
  run.record = set_payload(run.id, run.record, payload)
  run.more.checkpoint = run.more.checkpoint + 1
  run.more.lost = 0
  set(JOB, run.id, run.record)
  save_more(run.id, run.more)
end

local function open_run(id, record, more)
  local lane, chat, remember, secret = lane_of(id, record)
  return {
    id = id, record = record or '', lane = lane, chat = chat, remember = remember, secret = secret, more = open_more(more),
  }
end

-- Answers whether the commit was made: not where the job has lost checkpoints with a tail, and with them their effects (K6).
local function end_run(run, claim, what, finish)
  local known, span, line = 0, nil, nil
  if at < finish then known, span, line = number(), number(), text() end
  if run.more.checkpoint < known then return false end
  run.what = what
  local outcome = sub(what, 1, 1)
  if outcome == 'k' then
    checkpoint(run, known, line, finish)
    return true
  end
  apply_effects(run, finish)
  unclaim(run.id)
  set_first(run.more, read('>i8', claim, 17) or now)
  if has(run, 'u') then run.more.flags = bor(run.more.flags, 1) end
  outcomes[outcome](run, span, line)
  return true
end

-- Reads a commit, and makes it if it comes from the run that has the job's claim. `runs` has the runs of this turn so far.
local function commit(id, record, more, runs)
  local token, what, finish = text(), text(), at
  if what ~= 'c' then
    finish = number()
    finish = finish + at
  end
  local answer, claim = 'l', held[id]
  if claim and sub(claim, 1, 16) == token then
    local is_cancelled = #claim > CLAIM_BYTES or has_groups() and is_cancelled_group(id, record)
    answer = is_cancelled and 'c' or 'a'
    if is_cancelled or what == 'c' and not more and not runs[id] then
      local lane, chat, time, secret = lane_of(id, record)
      unclaim(id)
      if is_cancelled or keep_completed == 0 then
        remove(id, chat, time)
      else
        set(MORE, id, first_run(claim))
        keep(DONE, id, record, chat, time, secret)
      end
      leave(lane, id)
    else
      runs[id] = runs[id] or open_run(id, record, more)
      if not end_run(runs[id], claim, what, finish) then answer = 'l' end
    end
  end
  at = finish
  return answer
end

-- ARGV: number of jobs that effects insert, the id of each and for how long it is to be remembered; number of commits, their ids, the commits.
-- Answers a letter for each commit: a applied, c cancelled, l lost; of an exchange that comes too late all are lost.
function make_commits(is_late)
  local new, spans, ids = {}, {}, nil
  for i = 1, number() do new[i], spans[i] = text(), number() end
  ids = texts(number())
  if is_late then return ('l'):rep(#ids) end
  look_up(new, spans)
  local claims, records, runs, answers = hmget(CLAIM, ids), hmget(JOB, ids), {}, {}
  local mores = #ids > 0 and is_there(MORE) and hmget(MORE, ids) or {}
  for i = 1, #ids do held[ids[i]] = claims[i] end
  for i = 1, #ids do answers[i] = commit(ids[i], records[i], mores[i], runs) end
  return concat(answers)
end

end
