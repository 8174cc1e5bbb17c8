-- The runs that restore what their Block held before, and the id of the run that had loaded it, whose own row may be gone by
-- now. Such a run is kept under an import, by `runs.configuration_id`, but is no run of it.
CREATE TABLE run_restores (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id),
    restores_run_id BIGINT NOT NULL
);
