-- The Workspace's Slack: its bot token, sealed; when Slack last took something, and since when it takes nothing with this token.
CREATE TABLE slack (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed_token TEXT NOT NULL,
    team TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    answered_at BIGINT,
    broken_at BIGINT,
    said TEXT
);

-- Whom Slack knows by a member's address; without `slack_id`: nobody, when it was asked.
CREATE TABLE slack_members (
    member_id INTEGER PRIMARY KEY REFERENCES members (id),
    email TEXT NOT NULL,
    slack_id TEXT,
    asked_at BIGINT NOT NULL
);

-- Where an Application's messages go besides its members. `address` may be read by who sees the Application; `sealed` holds
-- addresses that are secrets, and what signs. Of one that was removed both are empty. `good` and `said`: how it last went.
CREATE TABLE outlets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    kind TEXT NOT NULL CHECK (kind IN ('slack_channel', 'slack_webhook', 'webhook')),
    about TEXT NOT NULL CHECK (about IN ('failed', 'failed_and_partial', 'all')),
    address TEXT NOT NULL,
    sealed TEXT,
    version BIGINT NOT NULL DEFAULT 1,
    set_at BIGINT NOT NULL,
    tried_at BIGINT,
    good BOOLEAN,
    said TEXT,
    UNIQUE (application_id, kind)
);

-- What goes to an outlet, once for each key: as `notices`, and as `deliveries` its way there. `event_id` is the same whenever
-- it is sent once more.
CREATE TABLE posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    outlet_id BIGINT NOT NULL REFERENCES outlets (id),
    key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('success', 'partial', 'failed', 'held', 'missed', 'backlog', 'reminder', 'recovered', 'slow',
        'waiting', 'at_risk', 'late', 'ready', 'digest', 'owner_changed', 'will_fail', 'expires', 'broken')),
    application_id BIGINT NOT NULL,
    run_id BIGINT,
    incident_id BIGINT,
    link TEXT,
    title TEXT NOT NULL,
    detail TEXT NOT NULL,
    at BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    attempt INTEGER NOT NULL DEFAULT 0,
    next_at BIGINT,
    said TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (outlet_id, key)
);
CREATE INDEX posts_due ON posts (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX posts_run ON posts (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX posts_incident ON posts (outlet_id, incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX posts_at ON posts (at);
