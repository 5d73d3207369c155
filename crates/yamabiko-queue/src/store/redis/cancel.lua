#!lua flags=allow-oom
-- Cancels jobs. ARGV: ids. Answers a letter for each: g gone, m marked (it is running), o over already, u unknown.
local answers = {}
while at < #args do answers[#answers + 1] = cancel(text()) end
wake()
return concat(answers)
