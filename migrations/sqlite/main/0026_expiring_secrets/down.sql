ALTER TABLE connections DROP COLUMN secret_ends_on;
