#!lua flags=allow-oom
-- Notes which server has the data, and since when. ARGV: the server's run id, which it chooses when it starts, and 1 if it has
-- been promoted.
-- Answers since when ("" = no other had the data before): such a server may lack what another acknowledged last; and when the
-- last 16 servers were met that had been promoted, 8 bytes each.
local PROMOTED_BYTES = 16 * 8
local run_id, was_promoted = text(), text() == '1'
local known, since, promoted = unpack(call('HMGET', SERVER, 'run_id', 'since', 'promoted'))
if known == run_id then return { since or '', promoted or '' } end
call('HSET', SERVER, 'run_id', run_id)
if not known then return { '', promoted or '' } end
call('HSET', SERVER, 'since', stamp)
if was_promoted then
  promoted = sub((promoted or '') .. pack('>i8', now), -PROMOTED_BYTES)
  call('HSET', SERVER, 'promoted', promoted)
end
return { stamp, promoted or '' }
