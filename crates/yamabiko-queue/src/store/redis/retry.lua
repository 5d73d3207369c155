#!lua flags=allow-oom
-- Runs jobs now, for people: dead ones with all their attempts, scheduled ones before their time. ARGV: ids.
-- Answers 1 or 0 (in no such state) for each. Checkpoints and history stay: what was committed has happened.
local answers = {}
while at < #args do
  local id = text()
  settle()                               -- those before it have their lanes, which this one may lend
  local record, was_dead = call('HGET', JOB, id), call('ZREM', DEAD, id) == 1
  if was_dead or not is_cancelled_group(id, record, true) and call('ZREM', DUE, id) == 1 then
    unset({ id })
    local queue, lane, chat = header(record)
    local more = open_more(call('HGET', MORE, id))
    more.failures, more.lost = 0, 0
    if was_dead then
      clear_first(more)
      more.reruns = more.reruns + 1
      unremember(id)
      if chat then call('ZADD', CHAT .. chat, live_score(chat), id) end
    end
    save_more(id, more)
    enter(id, queue, lane, record)
    answers[#answers + 1] = 1
  else
    answers[#answers + 1] = 0
  end
end
wake()
return answers
