#!lua flags=allow-oom
-- Cancels jobs. ARGV: ids. Answers a letter for each: g gone, m marked (it is running), o over already, u unknown.
local answers = cancel_all(texts(#args - at))
wake()
return concat(answers)
