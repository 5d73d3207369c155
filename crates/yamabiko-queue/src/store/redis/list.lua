#!lua flags=no-writes
-- Lists jobs of one state. ARGV: state, lines to look into ("" = all; else the queue of ready jobs, the lane of waiting ones),
--   where the last call ended: line, entry, time (entry "" = at the beginning),
--   how many to look at, how many to find, then for queue, lane, chat, kind: "=" and what it must be, or "".
-- Answers: 1 if that was all, how many were looked at, line, entry and time of the last one, the columns of rows.lua.
-- If the entry has gone meanwhile, the listing goes on at its time, or at the head of its line: twice rather than never.

begin_rows()
local state, only = text(), text()
local line, entry, time = text(), text(), text()
local budget, wanted = number(), number()
local filters = { text(), text(), text(), text() }
local examined, found = 0, 0

local function matches(record)
  local queue, lane, chat, _, _, kind = header(record)
  for i, value in ipairs({ queue, lane, chat, kind }) do
    if filters[i] ~= '' and (not value or sub(filters[i], 2) ~= value) then return false end
  end
  return true
end

local function take(id, its_time)
  local record = call('HGET', JOB, id)
  examined = examined + 1
  if record and matches(record) then
    found = found + 1
    show(id, record, state, its_time, state == 'running' and call('HGET', CLAIM, id))
  end
end

local function is_full() return examined >= budget or found >= wanted or shown >= MOST_BYTES end

local SETS = { scheduled = { DUE, false }, running = { LEASE, false }, dead = { DEAD, true }, completed = { DONE, true } }
-- How far an entry of a moving line is looked for.
local FAR = 1000

-- Lists a sorted set by its scores; `has_times` if these are times.
local function list_set(key, newest_first, has_times)
  local start, left = 0, budget - examined
  if entry ~= '' then
    local score = call('ZSCORE', key, entry)
    if score and exact(tonumber(score)) == time then
      start = call(newest_first and 'ZREVRANK' or 'ZRANK', key, entry) + 1
    elseif newest_first then
      start = call('ZCOUNT', key, '(' .. time, '+inf')
    else
      start = call('ZCOUNT', key, '-inf', '(' .. time)
    end
  end
  local part = call(newest_first and 'ZREVRANGE' or 'ZRANGE', key, start, start + left - 1, 'WITHSCORES')
  for i = 1, #part, 2 do
    if is_full() then return false end
    entry, time = part[i], exact(tonumber(part[i + 1]))
    take(sub(entry, 1, 16), has_times and time)
  end
  return #part < 2 * left
end

-- Where a ready queue's line goes on: behind the last entry, which is not far from where it stood.
local function place_behind(queue)
  if entry == '' then return 0 end
  local first = math.max(0, (tonumber(time) or 0) - FAR)
  local part = part_of_line(queue, first, 2 * FAR)
  for i = #part, 1, -1 do
    if part[i] == entry then return first + i end
  end
  return 0
end

local function list_ready(queue)
  local start, left = place_behind(queue), budget - examined
  local part, has_left = part_of_line(queue, start, left)
  for i = 1, #part do
    if is_full() then return false end
    entry, time = part[i], exact(start + i - 1)
    if has_left[i] == 1 then examined = examined + 1 else take(sub(entry, 1, 16)) end
  end
  return #part < left
end

local function list_waiting(lane) return list_set(WAIT .. lane) end

local function list_lines(names, list_line)
  local lines = { only }
  if only == '' then lines = call('ZRANGEBYLEX', names, '[' .. line, '+', 'LIMIT', 0, budget) end
  for _, next in ipairs(lines) do
    if next ~= line then line, entry = next, '' end
    if not list_line(line) or is_full() then return false end
  end
  return #lines < budget
end

local all
if SETS[state] then
  all = list_set(SETS[state][1], SETS[state][2], true)
elseif state == 'ready' then
  all = list_lines(QUEUES, list_ready)
else
  all = list_lines(LANES, list_waiting)
end
return { all and 1 or 0, examined, line, entry, time, rows }
