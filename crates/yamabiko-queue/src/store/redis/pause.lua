#!lua flags=allow-oom
-- Stops claims from a queue. ARGV: queue, for how long ("" = until resumed).
local queue = text()
pause(queue, number())
wake()
