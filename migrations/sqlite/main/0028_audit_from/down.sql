DROP TRIGGER audit_log_kept;
DROP TRIGGER audit_log_unchanged;
DROP INDEX audit_log_action;
ALTER TABLE audit_log DROP COLUMN token_name;
ALTER TABLE audit_log DROP COLUMN from_address;
