-- Leads from schema version 2 to 3: tokens are chosen by workers, and have 16 bytes.
-- The worker of a run that version 2 has left is gone; the run's lease ends.

ALTER TABLE job RENAME TO job_2;
CREATE TABLE job (
    seq           INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE,
    state         INTEGER NOT NULL,             -- 0 scheduled, 1 ready, 2 waiting, 3 running, 4 dead, 5 completed
    -- What orders a job within its state: ready, waiting: its place in line; scheduled: when it is due;
    -- running: the end of its lease; dead, completed: since when. So each move is one UPDATE.
    place         INTEGER NOT NULL,
    holds         INTEGER NOT NULL DEFAULT 0,   -- 1: it has its lane
    token         BLOB,                         -- of its run; NULL unless running
    cancelled     INTEGER NOT NULL DEFAULT 0,   -- 1: called off while running
    failures      INTEGER NOT NULL DEFAULT 0,
    lost          INTEGER NOT NULL DEFAULT 0,
    checkpoint    INTEGER NOT NULL DEFAULT 0,
    reruns        INTEGER NOT NULL DEFAULT 0,
    unsure        INTEGER NOT NULL DEFAULT 0,
    first_claimed INTEGER,
    arrived       INTEGER NOT NULL,
    due           INTEGER,                      -- as stored; NULL: at once
    remember      INTEGER NOT NULL,             -- how long, in microseconds
    queue         TEXT    NOT NULL,
    lane          TEXT,
    chat          TEXT,
    kind          TEXT    NOT NULL,
    origin        TEXT,
    parent        BLOB,
    secret        TEXT,
    history       TEXT    NOT NULL DEFAULT '',  -- a line of each failure: its time, a space, its text
    payload       BLOB    NOT NULL
) STRICT;
INSERT INTO job (
    seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed,
    arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload
)
SELECT
    seq, id, state, place, holds, NULL, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed,
    arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload
FROM job_2;
DROP TABLE job_2;
CREATE INDEX job_scheduled ON job (place, id)    WHERE state = 0;
CREATE INDEX job_ready     ON job (queue, place) WHERE state = 1;
CREATE INDEX job_waiting   ON job (lane, place)  WHERE state = 2;
CREATE INDEX job_running   ON job (place, id)    WHERE state = 3;
CREATE INDEX job_dead      ON job (place, id)    WHERE state = 4;
CREATE INDEX job_completed ON job (place, id)    WHERE state = 5;
CREATE INDEX job_chat      ON job (chat)         WHERE chat IS NOT NULL;
CREATE UNIQUE INDEX lane_holder ON job (lane) WHERE holds = 1;

CREATE TABLE line (
    line   BLOB    PRIMARY KEY,
    number INTEGER NOT NULL,
    at     INTEGER NOT NULL,      -- when it claimed
    until  INTEGER NOT NULL       -- how long it is remembered
) STRICT, WITHOUT ROWID;
CREATE INDEX line_until ON line (until);

ALTER TABLE store DROP COLUMN token;
