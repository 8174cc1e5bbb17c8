-- `target_key` is `c<configuration>` or `s<set>`. An unfinished schedule holds one of the slots 1 to 4 of its target
-- (`slot_key` is `<target_key>:<slot>`); a finished or archived one holds none. `next_at` is the next occurrence that
-- nobody has claimed; NULL while the schedule is off or finished. `broken`: why the clock cannot go on with it; it waits
-- until somebody saves it again.
CREATE TABLE schedules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    configuration_id BIGINT REFERENCES import_configurations (id),
    set_id BIGINT REFERENCES import_sets (id),
    target_key TEXT NOT NULL,
    slot_key TEXT UNIQUE,
    run_name TEXT,
    rule TEXT NOT NULL,
    enabled BOOLEAN NOT NULL DEFAULT TRUE,
    off_since BIGINT,
    off_until BIGINT,
    next_at BIGINT,
    broken TEXT,
    owner_id BIGINT NOT NULL REFERENCES members (id),
    notify_about TEXT CHECK (notify_about IN ('failed', 'failed_and_partial', 'all')),
    parameters TEXT,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL REFERENCES members (id),
    finished_at BIGINT,
    archived_at BIGINT,
    CHECK ((configuration_id IS NULL) <> (set_id IS NULL))
);
CREATE INDEX schedules_target ON schedules (target_key);
CREATE INDEX schedules_configuration ON schedules (configuration_id);
CREATE INDEX schedules_set ON schedules (set_id) WHERE set_id IS NOT NULL;
CREATE INDEX schedules_application ON schedules (application_id, target_key);
CREATE INDEX schedules_owner ON schedules (owner_id);
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX schedules_off_until ON schedules (off_until) WHERE off_until IS NOT NULL;

CREATE TABLE schedule_recipients (
    schedule_id BIGINT NOT NULL REFERENCES schedules (id),
    member_id BIGINT NOT NULL REFERENCES members (id),
    PRIMARY KEY (schedule_id, member_id)
);
CREATE INDEX schedule_recipients_member ON schedule_recipients (member_id);

-- While a freeze holds, from `starts_at` (included) to `ends_at` (excluded), nothing of its Application starts by
-- schedule. `name_key` is `n:` and the name in lower case, once it has ended `ended:<id>`, so that a name is free again.
-- `settled_at`: the clock did what was to be done at its end. A deleted one keeps the time in which it held.
CREATE TABLE freezes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    run_once BOOLEAN NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_by BIGINT NOT NULL REFERENCES members (id),
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    archived_at BIGINT,
    UNIQUE (application_id, name_key),
    CHECK (ends_at >= starts_at)
);
CREATE INDEX freezes_application ON freezes (application_id, ends_at);
CREATE INDEX freezes_unsettled ON freezes (ends_at) WHERE settled_at IS NULL;
