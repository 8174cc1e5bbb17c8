DROP TABLE run_restores;
