#!lua flags=no-writes
-- Shows the state of a lane. ARGV: lane.
return call('HGET', STATE, text())
