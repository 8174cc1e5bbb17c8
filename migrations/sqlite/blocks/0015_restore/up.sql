-- Of a generation that the Block does not show any more: when it was last shown, the run that took its place, how many
-- rows it has, and what its columns meant. Those that were kept before anybody asked have none of it.
ALTER TABLE generations ADD COLUMN replaced_at BIGINT;
ALTER TABLE generations ADD COLUMN replaced_by BIGINT;
ALTER TABLE generations ADD COLUMN row_count BIGINT;
ALTER TABLE generations ADD COLUMN column_list TEXT;
