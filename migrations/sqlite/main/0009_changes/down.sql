ALTER TABLE run_results DROP COLUMN told;
