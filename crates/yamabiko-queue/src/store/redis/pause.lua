#!lua flags=allow-oom
-- Stops claims from a queue. ARGV: queue, until when ("" = until resumed).
local queue = text()
pause(queue, number())
wake()
