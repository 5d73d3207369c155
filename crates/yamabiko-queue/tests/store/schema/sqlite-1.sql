-- A file of schema version 1, as `fill` in schema.rs leaves it. It is never changed.
CREATE TABLE job (
    seq           INTEGER PRIMARY KEY,
    id            BLOB    NOT NULL UNIQUE,
    state         INTEGER NOT NULL,             -- 0 scheduled, 1 ready, 2 waiting, 3 running, 4 dead, 5 completed
    -- What orders a job within its state: ready, waiting: its place in line; scheduled: when it is due;
    -- running: the end of its lease; dead, completed: since when. So each move is one UPDATE.
    place         INTEGER NOT NULL,
    holds         INTEGER NOT NULL DEFAULT 0,   -- 1: it has its lane
    token         INTEGER,                      -- of its run; NULL unless running
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
CREATE TABLE state (lane TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE seen (id BLOB PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE paused (queue TEXT PRIMARY KEY, until INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE process (name TEXT PRIMARY KEY, until INTEGER NOT NULL, about TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE store (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    token     INTEGER NOT NULL,   -- the last run token
    front     INTEGER NOT NULL,   -- the foremost place in line that was given
    tail      INTEGER NOT NULL,   -- the hindmost
    completed INTEGER NOT NULL,   -- how many completed jobs are kept
    latest    INTEGER NOT NULL    -- the latest time seen, to the second
) STRICT;
CREATE INDEX job_scheduled ON job (place, id)    WHERE state = 0;
CREATE INDEX job_ready     ON job (queue, place) WHERE state = 1;
CREATE INDEX job_waiting   ON job (lane, place)  WHERE state = 2;
CREATE INDEX job_running   ON job (place, id)    WHERE state = 3;
CREATE INDEX job_dead      ON job (place, id)    WHERE state = 4;
CREATE INDEX job_completed ON job (place, id)    WHERE state = 5;
CREATE INDEX job_chat      ON job (chat)         WHERE chat IS NOT NULL;
CREATE UNIQUE INDEX lane_holder ON job (lane) WHERE holds = 1;
CREATE INDEX seen_until ON seen (until);
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (1, X'AEBE06C5633B57A7A6DD8A92347A8C83', 0, 1800000040000000, 1, NULL, 0, 1, 0, 1, 0, 1, 1800000000000000, 1800000000000000, NULL, 100000000, 'events', 'lane', 'チャット', 'kind', 'message', X'EE3A7102FF2F57C8A85C8B86507C2407', 'reply token', '1800000000000000 一度
', X'0168616C66');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (2, X'78CD58C6005B5A32A0E6B204B93CA7FA', 2, 2, 0, NULL, 0, 0, 0, 0, 0, 0, NULL, 1800000000000000, NULL, 3600000000, 'events', 'lane', NULL, 'kind', NULL, NULL, NULL, '', X'77616974696E67');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (3, X'7C9C59612A78533CA2A9229110BA1126', 4, 1800000000000000, 0, NULL, 0, 1, 0, 0, 0, 0, 1800000000000000, 1800000000000000, NULL, 3600000000, 'default', NULL, NULL, 'kind', NULL, NULL, NULL, '1800000000000000 no hope
', X'64656164');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (4, X'A5001E3D5514577988BD15517A235CDF', 5, 1800000000000000, 0, NULL, 0, 0, 0, 0, 0, 0, 1800000000000000, 1800000000000000, NULL, 3600000000, 'default', NULL, NULL, 'kind', NULL, NULL, NULL, '', X'636F6D706C65746564');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (5, X'40CB199AF92A53A995A2CF5ACA64462C', 3, 1800000009000000, 0, 1, 0, 0, 0, 0, 0, 0, 1800000000000000, 1800000000000000, NULL, 3600000000, 'default', NULL, NULL, 'kind', NULL, NULL, NULL, '', X'72756E6E696E67');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (6, X'BBE7984530E050808737E4C153B83803', 3, 1800000009000000, 0, 1, 1, 0, 0, 0, 0, 0, 1800000000000000, 1800000000000000, NULL, 3600000000, 'default', NULL, NULL, 'kind', NULL, NULL, NULL, '', X'6D61726B6564');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (8, X'B5D57309A0D55D8C9122EA4F40623E38', 1, 10, 0, NULL, 0, 0, 0, 0, 1, 0, NULL, 1800000000000000, NULL, 3600000000, 'default', NULL, NULL, 'kind', NULL, NULL, NULL, '1800000000000000 no hope
', X'726572756E');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (9, X'4082A7127315570B84A69E9274DF1376', 1, -1, 0, NULL, 0, 0, 1, 0, 0, 1, 1800000000000000, 1800000000000000, NULL, 3600000000, 'default', NULL, NULL, 'kind', NULL, NULL, NULL, '1800000005000000 the claim ended without a report
', X'6C6F7374');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (10, X'8A3F8E07FF055A3DBDF908B5D328E6C6', 0, 1800000065000000, 0, NULL, 0, 0, 0, 0, 0, 0, NULL, 1800000005000000, 1800000065000000, 3600000000, 'default', NULL, 'chat', 'kind', NULL, NULL, NULL, '', X'74696D6572');
INSERT INTO job (seq, id, state, place, holds, token, cancelled, failures, lost, checkpoint, reruns, unsure, first_claimed, arrived, due, remember, queue, lane, chat, kind, origin, parent, secret, history, payload) VALUES (11, X'79A8C731E4C657B4B39B31AFE75FD8A7', 1, 11, 0, NULL, 0, 0, 0, 0, 0, 0, NULL, 1800000005000000, NULL, 3600000000, 'low', NULL, NULL, 'kind', NULL, NULL, NULL, '', X'7265616479');
INSERT INTO state (lane, value) VALUES ('lane', X'7B226E223A317D');
INSERT INTO seen (id, until) VALUES (X'7C9C59612A78533CA2A9229110BA1126', 1800003600000000);
INSERT INTO seen (id, until) VALUES (X'7DA55B85CDFE54ACB509B46C09E70C41', 1800003600000000);
INSERT INTO seen (id, until) VALUES (X'A5001E3D5514577988BD15517A235CDF', 1800003600000000);
INSERT INTO paused (queue, until) VALUES ('low', 1800000300000000);
INSERT INTO paused (queue, until) VALUES ('outbox', NULL);
INSERT INTO process (name, until, about) VALUES ('web-1', 1800000010000000, '{"name":"web-1","role":"worker","host":"here","pid":7,"version":"0.1.0"}');
INSERT INTO process (name, until, about) VALUES ('worker-1', 1800000009000000, '{"name":"worker-1","role":"worker","host":"here","pid":7,"version":"0.1.0"}');
INSERT INTO store (one, token, front, tail, completed, latest) VALUES (1, 1, -1, 11, 1, 0);
PRAGMA user_version = 1;
