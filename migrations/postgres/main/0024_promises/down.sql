DROP INDEX runs_set_good;
DROP TABLE promises;
