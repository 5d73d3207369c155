-- What is stored of a job: its record, and what only some jobs have.

local CLAIM_BYTES = 24
-- A payload of more bytes is kept apart from its record.
local MOST_INLINE = 2048
-- A call answers no further jobs when it has answered so many bytes.
local MOST_BYTES = 512 * 1024

local read, header, new_header, origin_time, has_body, may_have_lane, with_secret, with_payload, open_more, pack_more,
  set_first, first_run, clear_first, NOTHING do

-- Where a flag is looked for in every job, this is done by a remainder: a call of band() costs as much as a job's other lines.
local HAS_LANE, HAS_CHAT, HAS_ORIGIN, HAS_PARENT, HAS_SECRET, HAS_BODY, HAS_ORIGIN_TIME = 2, 4, 8, 16, 32, 64, 128

-- A script is not rolled back when it fails, so no record may make it fail: of what cannot be read there is nothing.
local function read_on(is_read, ...)
  if is_read then return ... end
end

function read(format, packed, position) return read_on(pcall(pick, format, packed or '', position)) end

-- A record: arrived, due, remember (8 bytes each), flags; queue, lane, chat, origin, secret, kind, each behind a byte
-- with its length; the parent's id and the origin's time if there are such; the payload, if BODY has none. What is absent is false here. See encode.rs.
-- In the place of `due`, a job that is due at once has until when it may pass one that lends their lane (0: it may not).
-- One that cannot be read counts for the queue that is always served, and has no kind: its worker gives it up.
local NAMES = '>i8BBc0Bc0Bc0Bc0Bc0Bc0'

-- Answers queue, lane, chat, origin, secret, kind, remember.
function header(record)
  local is_read, remember, flags, queue, lane, chat, origin, secret, kind = pcall(pick, NAMES, record, 17)
  if not is_read then return 'events', false, false, false, false, nil, read('>i8', record, 17) or 0 end
  if flags < HAS_LANE then return queue, false, false, false, false, kind, remember end
  return queue, flags % 4 >= HAS_LANE and lane, flags % 8 >= HAS_CHAT and chat, flags % 16 >= HAS_ORIGIN and origin,
    flags % 64 >= HAS_SECRET and secret, kind, remember
end

-- Queue, lane and chat of a record that is sure to be whole.
function new_header(record)
  local flags, queue, lane, chat = pick('>BBc0Bc0Bc0', record, 25)
  return queue, flags % 4 >= HAS_LANE and lane, flags % 8 >= HAS_CHAT and chat
end

-- Whether a record's payload is in BODY.
function has_body(record)
  local flags = byte(record, 25)
  return flags and flags % 128 >= HAS_BODY
end

-- Whether it is worth while to look for a lane.
function may_have_lane(record)
  local flags = byte(record, 25)
  return flags and flags >= HAS_LANE
end

function with_secret(record, secret)
  if not read(NAMES, record, 17) then return record end
  -- Where the length of the secret stands.
  local flags, _, _, _, _, pos = read('>BBc0Bc0Bc0Bc0', record, 25)
  flags = bor(band(flags, bit.bnot(HAS_SECRET)), secret and HAS_SECRET or 0)
  secret = secret or ''
  return sub(record, 1, 24) .. char(flags) .. sub(record, 26, pos - 1) .. char(#secret) .. secret
    .. sub(record, pos + 1 + byte(record, pos))
end

-- When what started a job happened, by the clock outside; when the job arrived if that is not known.
function origin_time(record)
  local _, flags, _, _, _, _, _, _, pos = read(NAMES, record, 17)
  if not flags or band(flags, HAS_ORIGIN_TIME) == 0 then return read('>i8', record) or 0 end
  return read('>i8', record, band(flags, HAS_PARENT) > 0 and pos + 16 or pos) or 0
end

-- A record with another payload, which is in it only if `is_inline`.
function with_payload(record, payload, is_inline)
  local _, flags, _, _, _, _, _, _, pos = read(NAMES, record, 17)
  if not flags then return record end
  if band(flags, HAS_PARENT) > 0 then pos = pos + 16 end
  if band(flags, HAS_ORIGIN_TIME) > 0 then pos = pos + 8 end
  flags = is_inline and band(flags, bit.bnot(HAS_BODY)) or bor(flags, HAS_BODY)
  return sub(record, 1, 24) .. char(flags) .. sub(record, 26, pos - 1) .. (is_inline and payload or '')
end

-- What MORE has: failures, lost claims, checkpoints, re-runs (4 bytes each), flags (1: unsure, 2: claimed before, 4: has its lane
-- on loan), first claim.
function open_more(packed)
  local more = { stored = packed, failures = 0, lost = 0, checkpoint = 0, reruns = 0, flags = 0, first = 0 }
  if packed then
    local failures, lost, checkpoint, reruns, flags, first = read('>I4I4I4I4Bi8', packed)
    if failures then
      more.failures, more.lost, more.checkpoint, more.reruns, more.flags, more.first
        = failures, lost, checkpoint, reruns, flags, first
    end
  end
  return more
end

NOTHING = ('\0'):rep(25)
local FIRST_RUN = ('\0'):rep(16) .. '\2'

function pack_more(more)
  return pack('>I4I4I4I4Bi8', more.failures, more.lost, more.checkpoint, more.reruns, more.flags, more.first)
end

function set_first(more, claimed)
  if band(more.flags, 2) == 0 then more.flags, more.first = bor(more.flags, 2), claimed end
end

-- What MORE has of a job that ends in its first run.
function first_run(claim)
  if #claim ~= CLAIM_BYTES then return pack('>I4I4I4I4Bi8', 0, 0, 0, 0, 2, now) end
  return FIRST_RUN .. sub(claim, 17)
end

function clear_first(more) more.flags, more.first = band(more.flags, bit.bnot(2)), 0 end

end
