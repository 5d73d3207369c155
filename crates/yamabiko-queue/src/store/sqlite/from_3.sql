-- Leads from schema version 3 to 4: what lasts a length of time has the time at which it was set.
-- What version 3 has left goes by the moment alone.

ALTER TABLE job ADD COLUMN set_at INTEGER;
CREATE INDEX job_set ON job (set_at) WHERE state = 0 AND set_at IS NOT NULL;
ALTER TABLE paused ADD COLUMN set_at INTEGER;
ALTER TABLE store ADD COLUMN set_back_at INTEGER;
ALTER TABLE store ADD COLUMN set_back_by INTEGER;
