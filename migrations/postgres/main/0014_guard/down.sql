DROP TABLE run_holds;
