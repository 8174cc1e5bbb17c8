DELETE FROM deliveries WHERE channel = 'slack' OR notice_id IN (SELECT id FROM notices WHERE kind NOT IN ('success', 'partial', 'failed', 'held', 'missed', 'backlog'));
DELETE FROM notices WHERE kind NOT IN ('success', 'partial', 'failed', 'held', 'missed', 'backlog');
CREATE TABLE new_notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('success', 'partial', 'failed', 'held', 'missed', 'backlog')),
    application_id BIGINT REFERENCES applications (id),
    run_id BIGINT,
    title TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL,
    read_at BIGINT,
    UNIQUE (member_id, key)
);
INSERT INTO new_notices SELECT id, member_id, key, kind, application_id, run_id, title, detail, at, read_at FROM notices;
CREATE TABLE new_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    notice_id BIGINT NOT NULL REFERENCES new_notices (id),
    channel TEXT NOT NULL CHECK (channel IN ('email')),
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
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;
ALTER TABLE member_channels DROP COLUMN digest_all;
ALTER TABLE member_channels DROP COLUMN digest_hour;
ALTER TABLE member_channels DROP COLUMN slack;
ALTER TABLE schedules DROP COLUMN notify_after;
DROP TABLE audit_told;
DROP TABLE incident_targets;
DROP TABLE incidents;
