-- The Workspace is one row: this installation. `fence` only grows: every lease of a run takes the next value. `turn` is
-- the Application whose run was taken last: the next one's turn comes.
CREATE TABLE workspace (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    fence BIGINT NOT NULL DEFAULT 0,
    turn BIGINT NOT NULL DEFAULT 0,
    fingerprint TEXT NOT NULL,
    standing_by_since BIGINT,
    seal_check TEXT,
    created_at BIGINT NOT NULL
);

-- A role is a named set of workspace permissions, a JSON list of their names.
CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    permissions TEXT NOT NULL,
    built_in BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role_id BIGINT NOT NULL REFERENCES roles (id),
    password_hash TEXT,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    time_zone TEXT,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    deactivated_at BIGINT
);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash TEXT NOT NULL UNIQUE,
    member_id BIGINT NOT NULL REFERENCES members (id),
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_member ON sessions (member_id);

-- Codes that open one door once: the set-up of a new Workspace; later invitations and password resets.
CREATE TABLE one_time_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    member_id BIGINT REFERENCES members (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE INDEX one_time_tokens_member ON one_time_tokens (member_id);

CREATE TABLE sign_in_attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_key TEXT NOT NULL,
    address TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX sign_in_attempts_account ON sign_in_attempts (account_key, at);
CREATE INDEX sign_in_attempts_address ON sign_in_attempts (address, at);

-- `scopes` is a JSON list; NULL means all that the member may do.
CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash TEXT NOT NULL UNIQUE,
    member_id BIGINT NOT NULL REFERENCES members (id),
    name TEXT NOT NULL,
    scopes TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_tokens_member ON api_tokens (member_id);

CREATE TABLE idempotency_keys (
    token_id BIGINT NOT NULL REFERENCES api_tokens (id),
    request_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER,
    location TEXT,
    body TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (token_id, request_key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- Append only. `before` and `after` are JSON; the member's name is kept as it was.
CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    member_id BIGINT,
    member_name TEXT NOT NULL,
    channel TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id BIGINT,
    application_id BIGINT,
    before TEXT,
    after TEXT,
    CHECK (channel IN ('page', 'token', 'command', 'clock'))
);
CREATE INDEX audit_log_at ON audit_log (at);
CREATE INDEX audit_log_application ON audit_log (application_id, id);
CREATE INDEX audit_log_member ON audit_log (member_id, id);
CREATE INDEX audit_log_subject ON audit_log (subject_kind, subject_id, id);
