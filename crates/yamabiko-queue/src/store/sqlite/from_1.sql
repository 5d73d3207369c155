-- Leads from schema version 1 to 2.

ALTER TABLE store ADD COLUMN scheduled INTEGER NOT NULL DEFAULT 0;
UPDATE store SET scheduled = (SELECT count(*) FROM job WHERE state = 0);
