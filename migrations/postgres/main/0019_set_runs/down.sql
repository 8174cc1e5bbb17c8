CREATE OR REPLACE FUNCTION count_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.finished_at IS NOT NULL AND OLD.planned_until IS NULL THEN
        INSERT INTO run_counts (application_id, slot, status, scheduled, runs)
        VALUES (OLD.application_id, coalesce(OLD.planned_at, OLD.queued_at) / 900000000, OLD.status, OLD.trigger_kind = 'schedule', -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.finished_at IS NOT NULL AND NEW.planned_until IS NULL THEN
        INSERT INTO run_counts (application_id, slot, status, scheduled, runs)
        VALUES (NEW.application_id, coalesce(NEW.planned_at, NEW.queued_at) / 900000000, NEW.status, NEW.trigger_kind = 'schedule', 1);
    END IF;
    RETURN NULL;
END
$$;
DROP INDEX runs_set_ended;
DROP TABLE set_run_steps;
DROP TABLE set_runs;
