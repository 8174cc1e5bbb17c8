-- `occurrence_key` is `<schedule>:<planned instant>:<repeat number>` for what a schedule planned (and its repeats), else
-- NULL. `waiting_key` is set while a run by hand waits in the queue, so that a second click finds the first.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    configuration_id BIGINT REFERENCES import_configurations (id),
    configuration_version BIGINT,
    block_id BIGINT REFERENCES blocks (id),
    set_id BIGINT,
    parent_id BIGINT,
    schedule_id BIGINT REFERENCES schedules (id),
    planned_at BIGINT,
    planned_until BIGINT,
    repeat_no INTEGER NOT NULL DEFAULT 0,
    occurrence_key TEXT UNIQUE,
    waiting_key TEXT UNIQUE,
    again_of BIGINT REFERENCES runs (id),
    trigger_kind TEXT NOT NULL,
    started_by BIGINT REFERENCES members (id),
    as_member_id BIGINT REFERENCES members (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT,
    cause TEXT,
    late BOOLEAN NOT NULL DEFAULT FALSE,
    attempt INTEGER NOT NULL DEFAULT 0,
    parameters TEXT,
    file_id BIGINT,
    queued_at BIGINT NOT NULL,
    available_at BIGINT,
    started_at BIGINT,
    finished_at BIGINT
);
CREATE INDEX runs_configuration ON runs (configuration_id, id);
CREATE INDEX runs_schedule ON runs (schedule_id, id);
CREATE INDEX runs_application ON runs (application_id, id);
CREATE INDEX runs_recent ON runs (application_id, queued_at);
-- Where the calendar places a run, and the ranges of missed occurrences that reach into a stretch of time.
CREATE INDEX runs_calendar ON runs (application_id, (coalesce(planned_at, queued_at)));
CREATE INDEX runs_ranges ON runs (application_id, planned_until) WHERE planned_until IS NOT NULL;
CREATE INDEX runs_block ON runs (block_id, id);
CREATE INDEX runs_available ON runs (available_at) WHERE available_at IS NOT NULL;
-- How long imports usually take, however often they fail.
CREATE INDEX runs_successes ON runs (configuration_id, id) WHERE status = 'success';
-- What is queued or running: few rows, asked at each occurrence.
CREATE INDEX runs_open ON runs (configuration_id) WHERE finished_at IS NULL;

-- What a freeze kept from running: of each schedule one Skipped run, a range that grows with every further occurrence.
CREATE TABLE freeze_skips (
    freeze_id BIGINT NOT NULL REFERENCES freezes (id),
    schedule_id BIGINT NOT NULL REFERENCES schedules (id),
    run_id BIGINT NOT NULL REFERENCES runs (id),
    occurrences BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    PRIMARY KEY (freeze_id, schedule_id)
);

-- Hot while a run goes: who works on it, until when that holds, and how far it is.
CREATE TABLE run_leases (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id),
    worker TEXT NOT NULL,
    fence BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    phase TEXT NOT NULL,
    rows_done BIGINT NOT NULL DEFAULT 0,
    bytes_done BIGINT NOT NULL DEFAULT 0,
    bytes_total BIGINT
);

-- What a run did, written once when it ends.
CREATE TABLE run_results (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id),
    rows_read BIGINT NOT NULL,
    rows_added BIGINT NOT NULL,
    rows_changed BIGINT NOT NULL,
    rows_removed BIGINT NOT NULL,
    rows_unchanged BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    source_name TEXT,
    source_sha256 TEXT
);

CREATE TABLE run_steps (
    run_id BIGINT NOT NULL REFERENCES runs (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    detail TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    PRIMARY KEY (run_id, position)
);

CREATE TABLE run_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id BIGINT NOT NULL REFERENCES runs (id),
    at BIGINT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX run_log_run ON run_log (run_id, id);

-- What only one run may hold at a time: the writing of a Block (place 0), one of a Connection's four places.
CREATE TABLE resource_leases (
    kind TEXT NOT NULL,
    resource TEXT NOT NULL,
    place INTEGER NOT NULL,
    run_id BIGINT NOT NULL REFERENCES runs (id),
    PRIMARY KEY (kind, resource, place)
);
CREATE INDEX resource_leases_run ON resource_leases (run_id);

CREATE TABLE workers (
    name TEXT NOT NULL PRIMARY KEY,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Written in the transaction that ends a run; notifications turn them into messages.
CREATE TABLE outcomes (
    run_id BIGINT NOT NULL REFERENCES runs (id),
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    status TEXT NOT NULL,
    schedule_id BIGINT,
    announced_at BIGINT,
    PRIMARY KEY (run_id, kind)
);
CREATE INDEX outcomes_waiting ON outcomes (at) WHERE announced_at IS NULL;
