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

local function is_full() return examined >= budget or found >= wanted end

local SETS = { scheduled = { DUE }, running = { LEASE }, dead = { DEAD, true }, completed = { DONE, true } }

local function list_set(key, newest_first)
  local start = 0
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
  local part = call(newest_first and 'ZREVRANGE' or 'ZRANGE', key, start, start + budget - 1, 'WITHSCORES')
  for i = 1, #part, 2 do
    if is_full() then return false end
    entry, time = part[i], exact(tonumber(part[i + 1]))
    take(entry, time)
  end
  return #part < 2 * budget
end

local function list_line(key)
  local start = 0
  if entry ~= '' then start = (call('LPOS', key, entry) or -1) + 1 end
  local left = budget - examined
  local part = call('LRANGE', key, start, start + left - 1)
  for _, next in ipairs(part) do
    if is_full() then return false end
    entry = next
    take(sub(entry, 1, 16))
  end
  return #part < left
end

local function list_lines(names, prefix_of_line)
  local lines = { only }
  if only == '' then lines = call('ZRANGEBYLEX', names, '[' .. line, '+', 'LIMIT', 0, budget) end
  for _, next in ipairs(lines) do
    if next ~= line then line, entry = next, '' end
    if not list_line(prefix_of_line .. line) or is_full() then return false end
  end
  return #lines < budget
end

local all
if SETS[state] then
  all = list_set(unpack(SETS[state]))
elseif state == 'ready' then
  all = list_lines(QUEUES, READY)
else
  all = list_lines(LANES, WAIT)
end
return { all and 1 or 0, examined, line, entry, time, rows }
