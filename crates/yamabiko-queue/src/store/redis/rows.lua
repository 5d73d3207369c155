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

local function look(id)
  local record = call('HGET', JOB, id)
  if record then show(id, record, place_of(id, record)) end
end
