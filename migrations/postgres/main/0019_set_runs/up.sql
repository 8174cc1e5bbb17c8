-- The run of a set: which version of it, and who asked to cancel it. Its steps are runs of their own, whose `parent_id` it is;
-- here stands what belongs to the set. A step that was taken over names the earlier run that did it. `status` is how it
-- ended, kept for when its run is gone; a step that was not begun has none, and is 'skipped' once it will not be.
CREATE TABLE set_runs (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id),
    set_version BIGINT NOT NULL,
    cancelled_by TEXT
);
CREATE TABLE set_run_steps (
    run_id BIGINT NOT NULL REFERENCES set_runs (run_id),
    position INTEGER NOT NULL,
    configuration_id BIGINT NOT NULL REFERENCES import_configurations (id),
    partial_fails BOOLEAN NOT NULL,
    parameters TEXT,
    step_run_id BIGINT REFERENCES runs (id),
    taken_over BOOLEAN NOT NULL DEFAULT FALSE,
    status TEXT,
    PRIMARY KEY (run_id, position)
);
-- Retention: may a step's run go?
CREATE INDEX set_run_steps_run ON set_run_steps (step_run_id) WHERE step_run_id IS NOT NULL;
-- The strip and the latest run of a set, in the order in which they ended.
CREATE INDEX runs_set_ended ON runs (set_id, finished_at, id) WHERE set_id IS NOT NULL AND finished_at IS NOT NULL;
-- The calendar of an Application shows a set as one: its steps are not counted there.
CREATE OR REPLACE FUNCTION count_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.finished_at IS NOT NULL AND OLD.planned_until IS NULL AND OLD.trigger_kind <> 'set' THEN
        INSERT INTO run_counts (application_id, slot, status, scheduled, runs)
        VALUES (OLD.application_id, coalesce(OLD.planned_at, OLD.queued_at) / 900000000, OLD.status, OLD.trigger_kind = 'schedule', -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.finished_at IS NOT NULL AND NEW.planned_until IS NULL AND NEW.trigger_kind <> 'set' THEN
        INSERT INTO run_counts (application_id, slot, status, scheduled, runs)
        VALUES (NEW.application_id, coalesce(NEW.planned_at, NEW.queued_at) / 900000000, NEW.status, NEW.trigger_kind = 'schedule', 1);
    END IF;
    RETURN NULL;
END
$$;
