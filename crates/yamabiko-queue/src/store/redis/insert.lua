#!lua
-- Stores a batch of jobs. ARGV: how far away a due time may be, then of each job id, due time and record.
-- Answers 1 or 0 (duplicate) for each; or how far away the first due time is that is too far, and nothing is stored.
--
-- The one script without allow-oom: when memory is full the whole call is refused, so that the old work can be finished.
local furthest = number()
local first = at
local dues = {}
while at < #ARGV do
  at = at + 1
  local due = due_time()
  if due and due - now > furthest then return exact(due - now) end
  dues[#dues + 1] = due
  at = at + 1
end
local answers = {}
for i, due in ipairs(dues) do
  local job = first + 3 * i - 2
  answers[i] = insert(ARGV[job], due, ARGV[job + 2])
end
wake()
return answers
