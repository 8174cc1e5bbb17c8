ALTER TABLE one_time_tokens DROP COLUMN made_by;
