ALTER TABLE generations DROP COLUMN column_list;
ALTER TABLE generations DROP COLUMN row_count;
ALTER TABLE generations DROP COLUMN replaced_by;
ALTER TABLE generations DROP COLUMN replaced_at;
