-- A worker had begun with the run and was stopped; it waits to begin anew, and what an outage made late queues behind it.
ALTER TABLE runs ADD COLUMN interrupted BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE runs SET interrupted = TRUE WHERE status = 'queued' AND attempt > 0;
-- By which version of the zone data `schedules.next_at` was reckoned; NULL: not known.
ALTER TABLE workspace ADD COLUMN zone_data TEXT;
-- Which form made the schedule, a hash of it: sent twice it makes one.
ALTER TABLE schedules ADD COLUMN made_by_form TEXT;
CREATE UNIQUE INDEX schedules_made_by_form ON schedules (made_by_form) WHERE made_by_form IS NOT NULL;
-- The newest occurrence of its rule that was claimed: a clock that goes back plans none of them again.
ALTER TABLE schedules ADD COLUMN claimed_at BIGINT;
-- A schedule that is moved to another target within a freeze skips for both: one range each.
CREATE TABLE freeze_skips_by_target (
    freeze_id BIGINT NOT NULL REFERENCES freezes (id),
    schedule_id BIGINT NOT NULL REFERENCES schedules (id),
    target_key TEXT NOT NULL,
    run_id BIGINT NOT NULL REFERENCES runs (id),
    occurrences BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    PRIMARY KEY (freeze_id, schedule_id, target_key)
);
INSERT INTO freeze_skips_by_target
    SELECT s.freeze_id, s.schedule_id, coalesce('c' || r.configuration_id, 's' || r.set_id), s.run_id, s.occurrences, s.newest_at
    FROM freeze_skips s JOIN runs r ON r.id = s.run_id;
DROP TABLE freeze_skips;
ALTER TABLE freeze_skips_by_target RENAME TO freeze_skips;
CREATE INDEX freeze_skips_schedule ON freeze_skips (schedule_id);
CREATE INDEX freeze_skips_run ON freeze_skips (run_id);
