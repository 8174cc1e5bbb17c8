-- `name_key` is the name in lower case while it is in use and `archived:<id>` afterwards, so that a name is free again.
CREATE TABLE applications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    time_zone TEXT NOT NULL,
    spacing_minutes INTEGER NOT NULL DEFAULT 15 CHECK (spacing_minutes >= 0),
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    archived_at BIGINT
);

CREATE TABLE application_access (
    application_id BIGINT NOT NULL REFERENCES applications (id),
    member_id BIGINT NOT NULL REFERENCES members (id),
    can_view BOOLEAN NOT NULL,
    can_import_data BOOLEAN NOT NULL,
    can_configure BOOLEAN NOT NULL,
    PRIMARY KEY (application_id, member_id)
);
CREATE INDEX application_access_member ON application_access (member_id);

CREATE TABLE blocks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('dimension_list', 'transaction_list', 'metric')),
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    UNIQUE (application_id, name_key)
);

-- The physical column is `c<position>` for ever; people rename `name`. An archived column keeps its position.
CREATE TABLE block_columns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    block_id BIGINT NOT NULL REFERENCES blocks (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    column_type TEXT NOT NULL
        CHECK (column_type IN ('text', 'integer', 'number', 'boolean', 'date', 'timestamp', 'dimension')),
    dimension_block_id BIGINT REFERENCES blocks (id),
    is_key BOOLEAN NOT NULL DEFAULT FALSE,
    required BOOLEAN NOT NULL DEFAULT FALSE,
    archived_at BIGINT,
    UNIQUE (block_id, position),
    UNIQUE (block_id, name_key)
);
CREATE INDEX block_columns_dimension ON block_columns (dimension_block_id);
