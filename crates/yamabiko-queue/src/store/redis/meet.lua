#!lua flags=allow-oom
-- Notes which server has the data, and since when. ARGV: the server's run id, which it chooses when it starts.
-- Answers since when ("" = no other had the data before): such a server may lack what another acknowledged last.
local run_id = text()
local known, since = unpack(call('HMGET', SERVER, 'run_id', 'since'))
if known == run_id then return since or '' end
call('HSET', SERVER, 'run_id', run_id)
if not known then return '' end
call('HSET', SERVER, 'since', stamp)
return stamp
