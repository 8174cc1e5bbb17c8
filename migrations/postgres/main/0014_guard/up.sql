-- What the volume guard holds: one row for each run that is Held, until it has ended. `started_at` and `finished_at` are
-- those of the run as it was held: a decision changes what a run is, and not when it ran. `approved_by` is set from the
-- approval until what is held is visible.
CREATE TABLE run_holds (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id),
    block_id BIGINT NOT NULL REFERENCES blocks (id),
    rows_held BIGINT NOT NULL,
    rows_usual BIGINT NOT NULL,
    held_until BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT NOT NULL,
    approved_by BIGINT REFERENCES members (id)
);
CREATE INDEX run_holds_block ON run_holds (block_id);
