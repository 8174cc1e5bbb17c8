-- Where a session began, and in which browser, in plain words.
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN browser TEXT;

-- Without one: as the device.
ALTER TABLE members ADD COLUMN theme TEXT;

-- By whom a second factor is demanded.
ALTER TABLE workspace ADD COLUMN second_factor_of TEXT NOT NULL DEFAULT 'nobody';

-- The secret that a member's app makes codes of, sealed. `last_step`: the 30 seconds whose code was taken last; none before is
-- taken any more.
CREATE TABLE second_factors (
    member_id INTEGER PRIMARY KEY REFERENCES members (id),
    sealed TEXT NOT NULL,
    last_step BIGINT NOT NULL,
    set_at BIGINT NOT NULL
);

-- Codes for who lost the phone, each good once. Of each the hash.
CREATE TABLE recovery_codes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    code_hash TEXT NOT NULL UNIQUE,
    used_at BIGINT
);
CREATE INDEX recovery_codes_member ON recovery_codes (member_id);
