ALTER TABLE workspace DROP COLUMN home_url;
ALTER TABLE workspace DROP COLUMN place;
