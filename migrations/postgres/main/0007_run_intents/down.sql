ALTER TABLE run_leases ADD COLUMN intent TEXT;
DROP TABLE run_intents;
