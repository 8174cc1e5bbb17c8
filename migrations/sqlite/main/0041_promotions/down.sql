DROP TABLE kin;
DROP TABLE promotions;
