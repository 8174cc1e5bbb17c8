-- How many a member has not read of the Applications that they see is counted by the index alone, whenever the bell asks.
DROP INDEX notices_unread;
CREATE INDEX notices_unread ON notices (member_id, application_id, read_at) WHERE read_at IS NULL;
