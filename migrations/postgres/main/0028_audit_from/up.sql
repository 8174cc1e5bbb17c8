-- From which address somebody acted, and by which of their tokens. What stands in the log stays as it is.
ALTER TABLE audit_log ADD COLUMN from_address TEXT;
ALTER TABLE audit_log ADD COLUMN token_name TEXT;
CREATE INDEX audit_log_action ON audit_log (subject_kind, id);
CREATE FUNCTION audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log is only added to'; END $$;
CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION audit_log_stays();
