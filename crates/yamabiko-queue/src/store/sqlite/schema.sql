-- Schema version 4. Times are microseconds since the Unix epoch.

CREATE TABLE job (
    seq           INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE,
    state         INTEGER NOT NULL,             -- 0 scheduled, 1 ready, 2 waiting, 3 running, 4 dead, 5 completed
    -- What orders a job within its state: ready, waiting: its place in line; scheduled: when it is due;
    -- running: the end of its lease; dead, completed: since when. So each move is one UPDATE.
    place         INTEGER NOT NULL,
    set_at        INTEGER,                      -- of a scheduled job: when its delay, retry or snooze was set; NULL: due at a moment
    holds         INTEGER NOT NULL DEFAULT 0,   -- over 0: it has its lane; 1 but where damaged jobs had it before
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
    origin_time   INTEGER,                      -- by the clock outside
    parent        BLOB,
    secret        TEXT,
    history       TEXT    NOT NULL DEFAULT '',  -- a line of each failure: its time, a space, its text
    payload       BLOB    NOT NULL,
    spared        INTEGER NOT NULL DEFAULT 0,   -- the number of the newest of its chat's groups that does not concern it
    passes_until  INTEGER                       -- until when it may pass a job that lends their lane; NULL: it may not
) STRICT;

-- One index for each state: a job is in one of them.
CREATE INDEX job_scheduled ON job (place, id)    WHERE state = 0;
CREATE INDEX job_set       ON job (set_at)       WHERE state = 0 AND set_at IS NOT NULL;
CREATE INDEX job_ready     ON job (queue, place) WHERE state = 1;
CREATE INDEX job_waiting   ON job (lane, place, passes_until) WHERE state = 2;
CREATE INDEX job_running   ON job (place, id)    WHERE state = 3;
CREATE INDEX job_dead      ON job (place, id)    WHERE state = 4;
CREATE INDEX job_completed ON job (place, id)    WHERE state = 5;
CREATE INDEX job_chat      ON job (chat, spared DESC, id) WHERE chat IS NOT NULL;

-- The database itself refuses a second job that holds a lane.
CREATE UNIQUE INDEX lane_holder ON job (lane, holds) WHERE holds > 0;

-- Lanes that a scheduled job lends, each to one job at a time.
CREATE TABLE loan (
    lane     TEXT PRIMARY KEY,
    lender   INTEGER,             -- the job that lends it, by its seq; NULL: it is due and waits first in line, or has ended
    borrower INTEGER,             -- the job that has it, by its seq; NULL: none, and the lender holds it
    place    INTEGER              -- the place in line that the borrower had
) STRICT, WITHOUT ROWID;

-- The states of the lanes. A table of rowids: damage to one state then concerns no other.
CREATE TABLE state (seq INTEGER PRIMARY KEY, lane TEXT NOT NULL, value BLOB NOT NULL) STRICT;
CREATE INDEX state_lane ON state (lane);

-- Records that cannot be read, or not be changed or removed, because a page is damaged: no step looks at them.
-- over: 1 if it has ended all the same, so that it never comes back.
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

-- Ids that are remembered after their jobs.
CREATE TABLE seen (id BLOB PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX seen_until ON seen (until);

-- Origins whose jobs are not to run any more, each for a day.
CREATE TABLE revoked (origin TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_until ON revoked (until);

-- Groups of chats' jobs that are being cancelled: they concern each live job with a smaller `spared`.
CREATE TABLE cancelled_group (
    number     INTEGER PRIMARY KEY,
    chat       TEXT    NOT NULL,
    what       INTEGER NOT NULL,  -- what it goes by: 0 the kind, 1 the origin, 2 all but the kind
    name       TEXT    NOT NULL,
    origin_by INTEGER            -- NULL: whenever
) STRICT;
CREATE INDEX cancelled_group_chat ON cancelled_group (chat);

-- Queues without claims; NULL: until resumed.
CREATE TABLE paused (queue TEXT PRIMARY KEY, until INTEGER, set_at INTEGER) STRICT, WITHOUT ROWID;

-- Processes that have beaten, for people; what else is known of them is JSON.
CREATE TABLE process (name TEXT PRIMARY KEY, until INTEGER NOT NULL, about TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The last exchange of each line of a worker.
CREATE TABLE line (
    line   BLOB    PRIMARY KEY,
    number INTEGER NOT NULL,
    at     INTEGER NOT NULL,      -- when it claimed
    until  INTEGER NOT NULL       -- how long it is remembered
) STRICT, WITHOUT ROWID;
CREATE INDEX line_until ON line (until);

-- The one row of what all jobs share.
CREATE TABLE store (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    front     INTEGER NOT NULL,   -- the foremost place in line that was given
    tail      INTEGER NOT NULL,   -- the hindmost
    completed INTEGER NOT NULL,   -- how many completed jobs are kept
    latest    INTEGER NOT NULL,   -- the latest time seen, to the second
    scheduled INTEGER NOT NULL,   -- how many jobs are scheduled: counting a million takes half a second
    revoked   INTEGER NOT NULL DEFAULT 0, -- how many origins are revoked
    set_back_at INTEGER,          -- when the stored time was last found ahead of the wall clock
    set_back_by INTEGER,          -- and by how much
    damaged   INTEGER NOT NULL    -- how many jobs are damaged
) STRICT;
INSERT INTO store (one, front, tail, completed, latest, scheduled, damaged) VALUES (1, 0, 0, 0, 0, 0, 0);
