-- Applications of which no run begins, because their rows are still being removed or copied.
CREATE TABLE queue_stops (
    application_id INTEGER PRIMARY KEY REFERENCES applications (id)
);
INSERT INTO queue_stops SELECT application_id FROM environments WHERE made_by = 'reset' AND finished_at IS NULL;
