-- Notices that wait for others, and go with them in one message at `due_at`: by mail and in Slack each for itself.
CREATE TABLE gathered (
    notice_id BIGINT NOT NULL REFERENCES notices (id),
    channel TEXT NOT NULL CHECK (channel IN ('email', 'slack')),
    member_id BIGINT NOT NULL REFERENCES members (id),
    due_at BIGINT NOT NULL,
    PRIMARY KEY (notice_id, channel)
);
CREATE INDEX gathered_due ON gathered (due_at);
CREATE INDEX gathered_member ON gathered (member_id, channel, due_at);
INSERT INTO gathered SELECT id, 'email', member_id, gathers_at FROM notices WHERE gathers_at IS NOT NULL;
DROP INDEX notices_gathering;
ALTER TABLE notices DROP COLUMN gathers_at;
