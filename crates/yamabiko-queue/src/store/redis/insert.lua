#!lua
-- Stores a batch of jobs. ARGV: how far away a due time may be, then of each job id, due time and record.
-- Answers a letter for each: s stored, d duplicate; or as a number how far away the first due time is that is too far,
-- and nothing is stored.
--
-- The one step without allow-oom: when memory is full the whole call is refused, so that the old work can be finished.
local furthest = number()
local ids, dues, rests = {}, {}, {}
while at < #args do
  local i = #ids + 1
  ids[i], dues[i], rests[i] = text(), due_time(), text()
  if dues[i] and dues[i] - now > furthest then return dues[i] - now end
end
look_up(ids)
local answers = {}
for i, id in ipairs(ids) do answers[i] = insert(id, dues[i], rests[i]) and 's' or 'd' end
wake()
return table.concat(answers)
