-- What is broken, from its first failure until it is in order again: `key` names what and why, without times, and of each key
-- one is open. `told_at`: when recipients last heard of it; `reminders`: how often since it last failed.
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT REFERENCES applications (id),
    key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('partial', 'failed', 'held', 'missed', 'will_fail', 'broken')),
    cause TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 1 CHECK (failures > 0),
    reminders INTEGER NOT NULL DEFAULT 0,
    taken_by BIGINT REFERENCES members (id),
    taken_at BIGINT,
    snoozed_until BIGINT,
    closed_at BIGINT
);
CREATE UNIQUE INDEX incidents_open ON incidents (key) WHERE closed_at IS NULL;
CREATE INDEX incidents_application ON incidents (application_id, last_at) WHERE closed_at IS NULL;
CREATE INDEX incidents_told ON incidents (told_at) WHERE closed_at IS NULL;
CREATE INDEX incidents_closed ON incidents (closed_at) WHERE closed_at IS NOT NULL;

-- Which imports and sets an incident holds, as `schedules.target_key` names them; `run_id` is the latest that failed.
CREATE TABLE incident_targets (
    incident_id BIGINT NOT NULL REFERENCES incidents (id),
    target_key TEXT NOT NULL,
    run_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 1 CHECK (failures > 0),
    recovered_at BIGINT,
    PRIMARY KEY (incident_id, target_key)
);
CREATE INDEX incident_targets_open ON incident_targets (target_key) WHERE recovered_at IS NULL;

-- How far the audit log was read for what is to be told of it; nothing older is.
CREATE TABLE audit_told (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    audit_id BIGINT NOT NULL
);
INSERT INTO audit_told (id, audit_id) SELECT 1, coalesce(max(id), 0) FROM audit_log;

-- How many failures in a row are told as the first.
ALTER TABLE schedules ADD COLUMN notify_after INTEGER NOT NULL DEFAULT 1 CHECK (notify_after BETWEEN 1 AND 10);

-- `digest_hour`: mail comes once a day, at that hour of the member's zone; with `digest_all` also what failed.
ALTER TABLE member_channels ADD COLUMN slack BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE member_channels ADD COLUMN digest_hour INTEGER CHECK (digest_hour BETWEEN 0 AND 23);
ALTER TABLE member_channels ADD COLUMN digest_all BOOLEAN NOT NULL DEFAULT FALSE;

-- `link`: a path of this server, for what has no run. `gathers_at`: then it is mailed, together with others.
CREATE TABLE new_notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('success', 'partial', 'failed', 'held', 'missed', 'backlog', 'reminder', 'recovered', 'slow',
        'waiting', 'at_risk', 'late', 'ready', 'digest', 'owner_changed', 'will_fail', 'expires', 'broken')),
    application_id BIGINT REFERENCES applications (id),
    run_id BIGINT,
    incident_id BIGINT,
    link TEXT,
    title TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL,
    read_at BIGINT,
    gathers_at BIGINT,
    UNIQUE (member_id, key)
);
INSERT INTO new_notices (id, member_id, key, kind, application_id, run_id, title, detail, at, read_at) SELECT id, member_id, key, kind, application_id, run_id, title, detail, at, read_at FROM notices;
CREATE TABLE new_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    notice_id BIGINT NOT NULL REFERENCES new_notices (id),
    channel TEXT NOT NULL CHECK (channel IN ('email', 'slack')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    attempt INTEGER NOT NULL DEFAULT 0,
    next_at BIGINT,
    message_id TEXT NOT NULL,
    said TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (notice_id, channel)
);
INSERT INTO new_deliveries SELECT * FROM deliveries;
DROP TABLE deliveries;
DROP TABLE notices;
ALTER TABLE new_notices RENAME TO notices;
ALTER TABLE new_deliveries RENAME TO deliveries;
CREATE INDEX notices_unread ON notices (member_id) WHERE read_at IS NULL;
CREATE INDEX notices_inbox ON notices (member_id, id);
CREATE INDEX notices_run ON notices (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX notices_at ON notices (at);
CREATE INDEX notices_incident ON notices (incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX notices_gathering ON notices (gathers_at) WHERE gathers_at IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_channel ON deliveries (channel, id);
