-- The private addresses under which members' calendars are read: of each only the hash. One for all that a member sees
-- and one for each Application; `scope_key` is 'all' or the Application's id.
CREATE TABLE calendar_feeds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    application_id BIGINT REFERENCES applications (id),
    scope_key TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    made_at BIGINT NOT NULL,
    UNIQUE (member_id, scope_key),
    CHECK ((application_id IS NULL) = (scope_key = 'all'))
);
