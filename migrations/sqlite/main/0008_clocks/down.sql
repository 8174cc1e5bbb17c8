CREATE TABLE freeze_skips_by_schedule (
    freeze_id BIGINT NOT NULL REFERENCES freezes (id),
    schedule_id BIGINT NOT NULL REFERENCES schedules (id),
    run_id BIGINT NOT NULL REFERENCES runs (id),
    occurrences BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    PRIMARY KEY (freeze_id, schedule_id)
);
INSERT INTO freeze_skips_by_schedule
    SELECT freeze_id, schedule_id, max(run_id), sum(occurrences), max(newest_at) FROM freeze_skips GROUP BY freeze_id, schedule_id;
DROP TABLE freeze_skips;
ALTER TABLE freeze_skips_by_schedule RENAME TO freeze_skips;
CREATE INDEX freeze_skips_schedule ON freeze_skips (schedule_id);
CREATE INDEX freeze_skips_run ON freeze_skips (run_id);
ALTER TABLE schedules DROP COLUMN claimed_at;
DROP INDEX schedules_made_by_form;
ALTER TABLE schedules DROP COLUMN made_by_form;
ALTER TABLE workspace DROP COLUMN zone_data;
ALTER TABLE runs DROP COLUMN interrupted;
