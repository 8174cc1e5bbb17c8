-- One run for each (schedule, planned instant, repeat number), and one repeat of each run: two unique keys below.
-- `uid` is random, and what the Block database knows a run by: ids may be handed out again after a power cut or a partial
-- restore. `waiting_key` is set while a run by hand waits in the queue, so that a second click finds the first.
-- While it is queued, `precedence` says who goes first (0 by hand, 1 the rest) and `waits_for` in which line it stands:
-- NULL may begin, `time` waits for `available_at`, else what others hold (`block:7`).
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    configuration_id BIGINT REFERENCES import_configurations (id),
    configuration_version BIGINT,
    block_id BIGINT REFERENCES blocks (id),
    set_id BIGINT REFERENCES import_sets (id),
    parent_id BIGINT REFERENCES runs (id),
    schedule_id BIGINT REFERENCES schedules (id),
    planned_at BIGINT,
    planned_until BIGINT,
    repeat_no INTEGER NOT NULL DEFAULT 0,
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
    precedence INTEGER NOT NULL DEFAULT 1,
    waits_for TEXT,
    available_at BIGINT,
    started_at BIGINT,
    finished_at BIGINT,
    CHECK ((configuration_id IS NULL) <> (set_id IS NULL)),
    CHECK (trigger_kind IN ('schedule', 'member', 'api', 'set')),
    CHECK (status IN ('queued', 'running', 'success', 'partial', 'failed', 'cancelled', 'skipped', 'missed', 'held')),
    CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL)),
    CHECK (waits_for IS NULL OR status = 'queued'),
    CHECK (planned_until IS NULL OR planned_until >= planned_at)
);
-- Each index costs at every insert: beside each stands what is asked of it.
-- The dispatcher: is there a run of this occurrence?
CREATE UNIQUE INDEX runs_occurrence ON runs (schedule_id, planned_at, repeat_no) WHERE schedule_id IS NOT NULL;
-- Run again: was it? Retention: may it go?
CREATE UNIQUE INDEX runs_repeat ON runs (again_of) WHERE again_of IS NOT NULL;
CREATE INDEX runs_parent ON runs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX runs_set ON runs (set_id, id) WHERE set_id IS NOT NULL;
-- Which kept files are in use?
CREATE INDEX runs_file ON runs (file_id) WHERE file_id IS NOT NULL;
-- Histories, the newest first: of a configuration, a schedule, an Application; and by status and by trigger, however
-- rare what is asked for.
CREATE INDEX runs_configuration ON runs (configuration_id, id);
CREATE INDEX runs_schedule ON runs (schedule_id, id);
CREATE INDEX runs_application ON runs (application_id, id);
CREATE INDEX runs_application_status ON runs (application_id, status, id);
CREATE INDEX runs_application_trigger ON runs (application_id, trigger_kind, id);
CREATE INDEX runs_configuration_status ON runs (configuration_id, status, id);
CREATE INDEX runs_configuration_trigger ON runs (configuration_id, trigger_kind, id);
-- The order in which runs ended, which is not that of their ids: strips, the latest one, retention.
CREATE INDEX runs_ended ON runs (configuration_id, finished_at, id) WHERE finished_at IS NOT NULL;
-- The last 24 hours.
CREATE INDEX runs_recent ON runs (application_id, queued_at);
-- Where the calendar places a run, of an Application and of one configuration: what a month needs to be counted stands in
-- the index itself.
CREATE INDEX runs_calendar ON runs (application_id, status, (coalesce(planned_at, queued_at)), schedule_id,
    configuration_id, trigger_kind) WHERE planned_until IS NULL;
CREATE INDEX runs_calendar_of ON runs (configuration_id, status, (coalesce(planned_at, queued_at)), schedule_id,
    application_id, trigger_kind) WHERE planned_until IS NULL;
-- Ranges of occurrences that did not run and that reach into a stretch of time.
CREATE INDEX runs_ranges ON runs (application_id, planned_until) WHERE planned_until IS NOT NULL;
-- The queue: those that may begin, by Application so that these take turns; and the lines of those that wait. Both hold
-- only what is queued, and the first of a line is found without reading those behind it.
CREATE INDEX runs_ready ON runs (precedence, application_id, available_at, id)
    WHERE available_at IS NOT NULL AND waits_for IS NULL;
CREATE INDEX runs_lines ON runs (waits_for, precedence, available_at, id) WHERE waits_for IS NOT NULL;
-- What is queued or running: few rows, asked at each occurrence.
CREATE INDEX runs_open ON runs (configuration_id) WHERE finished_at IS NULL;
CREATE INDEX runs_under_way ON runs (application_id, id) WHERE finished_at IS NULL;

-- What a freeze kept from running: of each schedule one Skipped run, a range that grows with every further occurrence.
CREATE TABLE freeze_skips (
    freeze_id BIGINT NOT NULL REFERENCES freezes (id),
    schedule_id BIGINT NOT NULL REFERENCES schedules (id),
    run_id BIGINT NOT NULL REFERENCES runs (id),
    occurrences BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    PRIMARY KEY (freeze_id, schedule_id)
);
CREATE INDEX freeze_skips_schedule ON freeze_skips (schedule_id);
CREATE INDEX freeze_skips_run ON freeze_skips (run_id);

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
    bytes_total BIGINT,
    intent TEXT
);
CREATE INDEX run_leases_until ON run_leases (lease_until);

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
    status TEXT NOT NULL CHECK (status IN ('success', 'failed', 'cancelled', 'skipped')),
    detail TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    PRIMARY KEY (run_id, position)
);

CREATE TABLE run_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id BIGINT NOT NULL REFERENCES runs (id),
    at BIGINT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    message TEXT NOT NULL
);
CREATE INDEX run_log_run ON run_log (run_id, id);

-- What only so many runs may hold at a time: `block:7` and `file:3:a.csv` have the place 0, `connection:3` has four.
CREATE TABLE resource_leases (
    resource TEXT NOT NULL,
    place INTEGER NOT NULL,
    run_id BIGINT NOT NULL REFERENCES runs (id),
    PRIMARY KEY (resource, place)
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
