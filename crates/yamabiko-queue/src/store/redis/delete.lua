#!lua flags=allow-oom
-- Deletes dead or completed jobs, for people. ARGV: ids. Answers 1 or 0 (in no such state) for each.
-- Their ids stay remembered as long as they were to be.
local answers = {}
while at < #args do
  local id = text()
  local found = call('ZREM', DEAD, id) + call('ZREM', DONE, id)
  if found == 1 then
    local _, _, chat = header(call('HGET', JOB, id))
    forget(id, chat)
  end
  answers[#answers + 1] = found
end
wake()
return answers
