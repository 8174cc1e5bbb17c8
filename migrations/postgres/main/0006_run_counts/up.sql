-- Else a run that ends while this counts, by another process that serves still, would be counted by nobody.
LOCK TABLE runs IN SHARE ROW EXCLUSIVE MODE;
-- How many runs ended with each status, by the quarter of an hour (of 900,000,000 microseconds) in which the calendar places
-- them: a month is counted from these and not from its runs. Every change of a run adds a row of +1 or -1, so that no two
-- workers wait for each other here; a duty merges the rows that say the same. Ranges, and runs that have not ended, are
-- not counted. All zones of today begin their days at a quarter.
-- Triggers, though the house has no others: a run ends, is put back and is cleared away in a dozen places of three rooms, and
-- one that forgot to count would be wrong for good and seen by nobody.
CREATE TABLE run_counts (
    id BIGSERIAL PRIMARY KEY,
    application_id BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    status TEXT NOT NULL,
    scheduled BOOLEAN NOT NULL,
    runs BIGINT NOT NULL,
    merged BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX run_counts_slot ON run_counts (application_id, slot, status, scheduled, runs);
CREATE INDEX run_counts_new ON run_counts (id) WHERE NOT merged;
INSERT INTO run_counts (application_id, slot, status, scheduled, runs, merged)
    SELECT application_id, coalesce(planned_at, queued_at) / 900000000, status, trigger_kind = 'schedule', count(*), TRUE
    FROM runs WHERE finished_at IS NOT NULL AND planned_until IS NULL
    GROUP BY application_id, coalesce(planned_at, queued_at) / 900000000, status, trigger_kind = 'schedule';
CREATE FUNCTION count_run() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER runs_counted_in AFTER INSERT ON runs FOR EACH ROW
    WHEN (NEW.finished_at IS NOT NULL AND NEW.planned_until IS NULL) EXECUTE FUNCTION count_run();
CREATE TRIGGER runs_counted_out AFTER DELETE ON runs FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL AND OLD.planned_until IS NULL) EXECUTE FUNCTION count_run();
CREATE TRIGGER runs_counted_anew AFTER UPDATE OF status, finished_at, planned_until, planned_at, queued_at, application_id, trigger_kind
    ON runs FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL OR NEW.finished_at IS NOT NULL) EXECUTE FUNCTION count_run();
