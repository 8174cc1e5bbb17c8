-- The deadline by which people were told that it may not be ready, until they are told how it went.
ALTER TABLE promises ADD COLUMN feared BIGINT;
