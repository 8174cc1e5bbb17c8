-- What values of a source become on their way into a Block. `otherwise`: what becomes of a value that the table lacks.
-- `name_key` is the name in lower case, of one that was deleted `archived:<id>`, so that a name is free again.
CREATE TABLE translations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    otherwise TEXT NOT NULL CHECK (otherwise IN ('keep', 'reject', 'empty')),
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    UNIQUE (application_id, name_key)
);

-- Values meet by their exact spelling.
CREATE TABLE translation_entries (
    translation_id BIGINT NOT NULL REFERENCES translations (id),
    source TEXT NOT NULL CHECK (source <> ''),
    target TEXT NOT NULL,
    PRIMARY KEY (translation_id, source)
);
