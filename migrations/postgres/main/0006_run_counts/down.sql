DROP TRIGGER runs_counted_in ON runs;
DROP TRIGGER runs_counted_out ON runs;
DROP TRIGGER runs_counted_anew ON runs;
DROP FUNCTION count_run();
DROP TABLE run_counts;
