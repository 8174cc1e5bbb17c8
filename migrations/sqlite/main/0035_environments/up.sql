-- An Application that was cloned from another, refreshed from it or reset. At `at` its schedules were turned off: those that are
-- off since then wait for somebody to look at them. `connections`: what stands for each Connection of the original, as JSON.
-- `rows_of`: of how many Blocks the rows were to be copied. Without `finished_at`, rows are still to be copied or removed.
CREATE TABLE environments (
    application_id INTEGER PRIMARY KEY REFERENCES applications (id),
    original_id BIGINT REFERENCES applications (id),
    made_by TEXT NOT NULL CHECK (made_by IN ('clone', 'refresh', 'reset')),
    at BIGINT NOT NULL,
    member_id BIGINT NOT NULL REFERENCES members (id),
    connections TEXT NOT NULL,
    rows_of BIGINT NOT NULL,
    finished_at BIGINT,
    dismissed_at BIGINT
);
CREATE INDEX environments_unfinished ON environments (application_id) WHERE finished_at IS NULL;

-- The Blocks into which rows are still to be copied, and from which.
CREATE TABLE row_copies (
    block_id INTEGER PRIMARY KEY REFERENCES blocks (id),
    application_id BIGINT NOT NULL REFERENCES environments (application_id),
    from_block_id BIGINT NOT NULL REFERENCES blocks (id)
);
CREATE INDEX row_copies_application ON row_copies (application_id);
