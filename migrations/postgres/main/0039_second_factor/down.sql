DROP TABLE recovery_codes;
DROP TABLE second_factors;
ALTER TABLE workspace DROP COLUMN second_factor_of;
ALTER TABLE members DROP COLUMN theme;
ALTER TABLE sessions DROP COLUMN browser;
ALTER TABLE sessions DROP COLUMN address;
