DROP TABLE block_columns;
DROP TABLE blocks;
DROP TABLE application_access;
DROP TABLE applications;
