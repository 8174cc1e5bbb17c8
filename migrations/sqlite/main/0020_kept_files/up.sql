-- Files kept for schedules and for the steps of import sets. `name_key` is the name in lower case, of one that was deleted
-- `archived:<id>`, so that a name is free again. `version` is that of the newest row below.
CREATE TABLE kept_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    UNIQUE (application_id, name_key)
);

-- What a kept file was. `file_id` is the file's in the Block database; `name` what it was called where it came from.
CREATE TABLE kept_file_versions (
    kept_file_id BIGINT NOT NULL REFERENCES kept_files (id),
    version BIGINT NOT NULL,
    file_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    kept_by BIGINT NOT NULL REFERENCES members (id),
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (kept_file_id, version)
);
CREATE INDEX kept_file_versions_file ON kept_file_versions (file_id);
