DROP TRIGGER runs_counted_in;
DROP TRIGGER runs_counted_out;
DROP TRIGGER runs_counted_anew;
CREATE TRIGGER runs_counted_in AFTER INSERT ON runs WHEN NEW.finished_at IS NOT NULL AND NEW.planned_until IS NULL BEGIN
    INSERT INTO run_counts (application_id, slot, status, scheduled, runs)
    VALUES (NEW.application_id, coalesce(NEW.planned_at, NEW.queued_at) / 900000000, NEW.status, NEW.trigger_kind = 'schedule', 1);
END;
CREATE TRIGGER runs_counted_out AFTER DELETE ON runs WHEN OLD.finished_at IS NOT NULL AND OLD.planned_until IS NULL BEGIN
    INSERT INTO run_counts (application_id, slot, status, scheduled, runs)
    VALUES (OLD.application_id, coalesce(OLD.planned_at, OLD.queued_at) / 900000000, OLD.status, OLD.trigger_kind = 'schedule', -1);
END;
CREATE TRIGGER runs_counted_anew AFTER UPDATE OF status, finished_at, planned_until, planned_at, queued_at, application_id, trigger_kind
ON runs
WHEN OLD.finished_at IS NOT NULL OR NEW.finished_at IS NOT NULL BEGIN
    INSERT INTO run_counts (application_id, slot, status, scheduled, runs)
    SELECT OLD.application_id, coalesce(OLD.planned_at, OLD.queued_at) / 900000000, OLD.status, OLD.trigger_kind = 'schedule', -1 WHERE OLD.finished_at IS NOT NULL AND OLD.planned_until IS NULL;
    INSERT INTO run_counts (application_id, slot, status, scheduled, runs)
    SELECT NEW.application_id, coalesce(NEW.planned_at, NEW.queued_at) / 900000000, NEW.status, NEW.trigger_kind = 'schedule', 1 WHERE NEW.finished_at IS NOT NULL AND NEW.planned_until IS NULL;
END;
DROP INDEX runs_set_ended;
DROP TABLE set_run_steps;
DROP TABLE set_runs;
