DROP TRIGGER runs_counted_in;
DROP TRIGGER runs_counted_out;
DROP TRIGGER runs_counted_anew;
DROP TABLE run_counts;
