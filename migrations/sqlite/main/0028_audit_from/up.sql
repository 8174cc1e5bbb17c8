-- From which address somebody acted, and by which of their tokens. What stands in the log stays as it is.
ALTER TABLE audit_log ADD COLUMN from_address TEXT;
ALTER TABLE audit_log ADD COLUMN token_name TEXT;
CREATE INDEX audit_log_action ON audit_log (subject_kind, id);
CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
