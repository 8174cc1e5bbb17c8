ALTER TABLE notices ADD COLUMN gathers_at BIGINT;
CREATE INDEX notices_gathering ON notices (gathers_at) WHERE gathers_at IS NOT NULL;
UPDATE notices SET gathers_at = (
    SELECT due_at FROM gathered WHERE gathered.notice_id = notices.id AND channel = 'email'
);
DROP TABLE gathered;
