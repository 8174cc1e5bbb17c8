DROP TABLE row_copies;
DROP TABLE environments;
