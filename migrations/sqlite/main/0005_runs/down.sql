DROP TABLE outcomes;
DROP TABLE workers;
DROP TABLE resource_leases;
DROP TABLE run_log;
DROP TABLE run_steps;
DROP TABLE run_results;
DROP TABLE run_leases;
DROP TABLE runs;
