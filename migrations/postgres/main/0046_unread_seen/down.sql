DROP INDEX notices_unread;
CREATE INDEX notices_unread ON notices (member_id) WHERE read_at IS NULL;
