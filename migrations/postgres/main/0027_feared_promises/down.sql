ALTER TABLE promises DROP COLUMN feared;
