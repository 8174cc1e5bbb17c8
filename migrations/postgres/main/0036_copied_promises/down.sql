ALTER TABLE promises DROP COLUMN copied;
