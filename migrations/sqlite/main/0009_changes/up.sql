-- What its load tells beside the counts, as JSON: cells that were loaded otherwise than they were written, lines that
-- held nothing, columns that were found by their names.
ALTER TABLE run_results ADD COLUMN told TEXT;
