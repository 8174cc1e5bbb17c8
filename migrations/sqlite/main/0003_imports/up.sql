-- `settings` is JSON without secrets; `sealed_secrets` is JSON: which secrets are `set` since when, and all of them as one
-- `sealed` JSON object, bound to this row.
CREATE TABLE connections (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    settings TEXT NOT NULL,
    sealed_secrets TEXT,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    archived_at BIGINT
);

CREATE TABLE connection_applications (
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    application_id BIGINT NOT NULL REFERENCES applications (id),
    PRIMARY KEY (connection_id, application_id)
);
CREATE INDEX connection_applications_application ON connection_applications (application_id);

-- What changes seldom and is asked often stands here, as the newest version has it; each version holds all that a run
-- needs. `status` is that of the run that ended last (`status_at`) of those that ended success, partial, failed or held.
CREATE TABLE import_configurations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    block_id BIGINT NOT NULL REFERENCES blocks (id),
    connection_id BIGINT REFERENCES connections (id),
    source_block_id BIGINT REFERENCES blocks (id),
    version BIGINT NOT NULL DEFAULT 1,
    status TEXT CHECK (status IN ('success', 'partial', 'failed', 'held')),
    status_run_id BIGINT,
    status_at BIGINT,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    UNIQUE (application_id, name_key),
    CHECK (connection_id IS NULL OR source_block_id IS NULL)
);
CREATE INDEX import_configurations_block ON import_configurations (block_id);
CREATE INDEX import_configurations_connection ON import_configurations (connection_id);
CREATE INDEX import_configurations_source ON import_configurations (source_block_id) WHERE source_block_id IS NOT NULL;

CREATE TABLE configuration_versions (
    configuration_id BIGINT NOT NULL REFERENCES import_configurations (id),
    version BIGINT NOT NULL,
    block_id BIGINT NOT NULL REFERENCES blocks (id),
    connection_id BIGINT REFERENCES connections (id),
    source_block_id BIGINT REFERENCES blocks (id),
    definition TEXT NOT NULL,
    created_by BIGINT REFERENCES members (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (configuration_id, version)
);
CREATE INDEX configuration_versions_block ON configuration_versions (block_id);
CREATE INDEX configuration_versions_connection ON configuration_versions (connection_id);

-- An ordered sequence of configurations, run as one. Its steps stand in its versions, a JSON document each.
CREATE TABLE import_sets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    status TEXT CHECK (status IN ('success', 'partial', 'failed', 'held')),
    status_run_id BIGINT,
    status_at BIGINT,
    created_at BIGINT NOT NULL,
    archived_at BIGINT,
    UNIQUE (application_id, name_key)
);

CREATE TABLE set_versions (
    set_id BIGINT NOT NULL REFERENCES import_sets (id),
    version BIGINT NOT NULL,
    definition TEXT NOT NULL,
    created_by BIGINT REFERENCES members (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (set_id, version)
);
