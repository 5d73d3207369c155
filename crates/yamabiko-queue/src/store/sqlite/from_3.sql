-- Leads from schema version 3 to 4: what lasts a length of time has the time at which it was set; damaged records are set aside;
-- groups of a chat's jobs can be cancelled; a job that waits can lend its lane.
-- What version 3 has left goes by the moment alone. Damaged jobs keep their lane beside its next holder, so holders have numbers.

ALTER TABLE job ADD COLUMN set_at INTEGER;
CREATE INDEX job_set ON job (set_at) WHERE state = 0 AND set_at IS NOT NULL;
ALTER TABLE paused ADD COLUMN set_at INTEGER;
CREATE TABLE revoked (origin TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_until ON revoked (until);
ALTER TABLE store ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN set_back_at INTEGER;
ALTER TABLE store ADD COLUMN set_back_by INTEGER;

DROP INDEX lane_holder;
CREATE UNIQUE INDEX lane_holder ON job (lane, holds) WHERE holds > 0;

ALTER TABLE state RENAME TO state_3;
CREATE TABLE state (seq INTEGER PRIMARY KEY, lane TEXT NOT NULL, value BLOB NOT NULL) STRICT;
INSERT INTO state (lane, value) SELECT lane, value FROM state_3;
DROP TABLE state_3;
CREATE INDEX state_lane ON state (lane);

CREATE TABLE damaged (
    seq   INTEGER PRIMARY KEY,
    id    BLOB,
    lane  TEXT,
    found INTEGER NOT NULL,
    why   TEXT    NOT NULL,
    over  INTEGER NOT NULL
) STRICT;
CREATE TABLE damaged_state (
    seq   INTEGER PRIMARY KEY,
    lane  TEXT,
    found INTEGER NOT NULL,
    why   TEXT    NOT NULL,
    over  INTEGER NOT NULL
) STRICT;
ALTER TABLE store ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0;

ALTER TABLE job ADD COLUMN origin_time INTEGER;
ALTER TABLE job ADD COLUMN spared INTEGER NOT NULL DEFAULT 0;
DROP INDEX job_chat;
CREATE INDEX job_chat ON job (chat, spared DESC, id) WHERE chat IS NOT NULL;
CREATE TABLE cancelled_group (
    number     INTEGER PRIMARY KEY,
    chat       TEXT    NOT NULL,
    what       INTEGER NOT NULL,  -- what it goes by: 0 the kind, 1 the origin, 2 all but the kind
    name       TEXT    NOT NULL,
    origin_by  INTEGER            -- NULL: whenever
) STRICT;
CREATE INDEX cancelled_group_chat ON cancelled_group (chat);

ALTER TABLE job ADD COLUMN passes_until INTEGER;
DROP INDEX job_waiting;
CREATE INDEX job_waiting ON job (lane, place, passes_until) WHERE state = 2;
CREATE TABLE loan (
    lane     TEXT PRIMARY KEY,
    lender   INTEGER,
    borrower INTEGER,
    place    INTEGER
) STRICT, WITHOUT ROWID;
