-- What a member is told: once for each key, which names what happened. `kind` is how a run ended, or `backlog`: of several
-- that ended long before anybody could be told.
CREATE TABLE notices (
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
CREATE INDEX notices_unread ON notices (member_id) WHERE read_at IS NULL;
CREATE INDEX notices_inbox ON notices (member_id, id);
CREATE INDEX notices_run ON notices (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX notices_at ON notices (at);

-- What goes to a member besides the inbox. `state`: waiting for `next_at`; sending until `next_at`, after which nobody knows
-- whether it arrived, and it goes once more under the same `message_id`; sent; or given up, `said` tells why.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    notice_id BIGINT NOT NULL REFERENCES notices (id),
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
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;

-- Which ways a member chose; without a row, all of them.
CREATE TABLE member_channels (
    member_id INTEGER PRIMARY KEY REFERENCES members (id),
    email BOOLEAN NOT NULL
);

-- What is held will end yet, which is another outcome.
UPDATE outcomes SET kind = 'held' WHERE status = 'held';

-- What ended before there were notices is told to nobody.
UPDATE outcomes SET announced_at = at WHERE announced_at IS NULL;
