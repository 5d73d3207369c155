#!lua flags=allow-oom
-- Deletes dead or completed jobs, for people. ARGV: ids. Answers 1 or 0 (in no such state) for each.
-- Their ids stay remembered as long as they were to be.
local answers = {}
while at < #ARGV do
  local id = text()
  local found = call('ZREM', DEAD, id) + call('ZREM', DONE, id)
  if found == 1 then forget(id, call('HGET', JOB, id)) end
  answers[#answers + 1] = found
end
wake()
return answers
