-- Shows jobs to people.
-- Columns: ids, states, times ("" = none), records, more, claims, histories.

local rows, shown

local function begin_rows() rows, shown = { {}, {}, {}, {}, {}, {}, {} }, 0 end

local function show(id, record, place, time, claim)
  record = whole(id, record)
  shown = shown + #record
  local row = { id, place, time and exact(tonumber(time)) or '', record, call('HGET', MORE, id), claim or false,
    call('HGET', HISTORY, id) }
  local n = #rows[1] + 1
  for i, value in ipairs(row) do rows[i][n] = value end
end

-- Shows a job, or only one that is live and not about to be taken out.
local function look(id, only_live)
  local record = call('HGET', JOB, id)
  if not record then return end
  local place, time, claim = place_of(id, record)
  local is_live = place ~= 'dead' and place ~= 'completed'
  if only_live and not (is_live and not is_cancelled_group(id, record, place == 'scheduled')) then return end
  show(id, record, place, time, claim)
end
