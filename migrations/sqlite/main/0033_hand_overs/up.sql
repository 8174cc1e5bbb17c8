-- Schedules that passed to another Owner by one deed, kept for a while so that it can be undone. `from_id`: whose they were,
-- NULL of several. `leaves`: the deed also deactivated that member. `untold`: the recipients were not told.
CREATE TABLE hand_overs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    by_id BIGINT NOT NULL REFERENCES members (id),
    from_id BIGINT REFERENCES members (id),
    to_id BIGINT NOT NULL REFERENCES members (id),
    leaves BOOLEAN NOT NULL,
    untold BOOLEAN NOT NULL,
    undone_at BIGINT,
    undone_by BIGINT REFERENCES members (id),
    CHECK ((undone_at IS NULL) = (undone_by IS NULL))
);
-- `owner_was`: NULL where only the recipients changed. `told_was`: in whose place `to_id` is told, NULL where nobody's is
-- taken; `told_before`: `to_id` was told before as well. `version`: what the deed made of the schedule.
CREATE TABLE hand_over_lines (
    hand_over_id BIGINT NOT NULL REFERENCES hand_overs (id) ON DELETE CASCADE,
    schedule_id BIGINT NOT NULL REFERENCES schedules (id),
    owner_was BIGINT REFERENCES members (id),
    told_was BIGINT REFERENCES members (id),
    told_before BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (hand_over_id, schedule_id)
);
