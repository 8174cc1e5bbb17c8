DROP TRIGGER audit_log_stays ON audit_log;
DROP FUNCTION audit_log_stays;
DROP INDEX audit_log_action;
ALTER TABLE audit_log DROP COLUMN token_name;
ALTER TABLE audit_log DROP COLUMN from_address;
