-- "Ready by 08:00": by when a configuration or a set is to have loaded, on which days (`rule`, as a schedule's), and what was
-- found of it. `deadline`: the one that `state` is of. Deadlines up to `settled` are over with; a run counts for the next one if
-- it ended after `counts_from`. `late_since`: the first deadline since which nothing was ready. What was ready late at last:
-- `answered_at`, due at `answered_deadline`.
CREATE TABLE promises (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    application_id BIGINT NOT NULL REFERENCES applications (id),
    configuration_id BIGINT REFERENCES import_configurations (id),
    set_id BIGINT REFERENCES import_sets (id),
    target_key TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL REFERENCES members (id),
    state TEXT NOT NULL CHECK (state IN ('fresh', 'at_risk', 'late', 'resting')),
    deadline BIGINT,
    settled BIGINT NOT NULL,
    counts_from BIGINT NOT NULL,
    late_since BIGINT,
    answered_deadline BIGINT,
    answered_at BIGINT,
    CHECK ((configuration_id IS NULL) <> (set_id IS NULL)),
    CHECK ((late_since IS NULL) = (state <> 'late')),
    CHECK ((answered_deadline IS NULL) = (answered_at IS NULL))
);
CREATE INDEX promises_application ON promises (application_id, state);

-- Of a set, the first run that ended well after an instant; configurations have an index by status.
CREATE INDEX runs_set_good ON runs (set_id, finished_at) WHERE set_id IS NOT NULL AND status IN ('success', 'partial');
