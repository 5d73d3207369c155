#!lua
-- Stores a batch of jobs. ARGV: how far away a due time may be, then the jobs.
-- Answers a letter for each: s stored, d duplicate; or as a number how far away the first due time is that is too far,
-- and nothing is stored.
--
-- The one step without allow-oom: when memory is full the whole call is refused, so that the old work can be finished.
local furthest = number()
local jobs = texts(#args - at)
local ids, dues = {}, {}
for i, job in ipairs(jobs) do
  local due = due_of(job)
  if due and due - now > furthest then return due - now end
  ids[i], dues[i] = id_of(job), due
end
look_up(ids)
local answers = {}
for i, job in ipairs(jobs) do answers[i] = insert(ids[i], dues[i], job) and 's' or 'd' end
wake()
return concat(answers)
