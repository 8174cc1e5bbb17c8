-- What was promoted into an Application and when, as long as schedules wait there that came with it and are off since `at`.
CREATE TABLE promotions (
    application_id BIGINT NOT NULL REFERENCES applications (id),
    at BIGINT NOT NULL,
    from_id BIGINT NOT NULL REFERENCES applications (id),
    member_id BIGINT NOT NULL REFERENCES members (id),
    PRIMARY KEY (application_id, at)
);

-- Which thing is the same as which in another Application, whatever each is called by now.
CREATE TABLE kin (
    kind TEXT NOT NULL CHECK (kind IN ('configuration', 'set', 'schedule')),
    copy_id BIGINT NOT NULL,
    original_id BIGINT NOT NULL,
    copy_in BIGINT NOT NULL REFERENCES applications (id),
    original_in BIGINT NOT NULL REFERENCES applications (id),
    PRIMARY KEY (kind, copy_id, original_id)
);
CREATE INDEX kin_copies ON kin (copy_in, original_in);
CREATE INDEX kin_originals ON kin (original_in, copy_in);
