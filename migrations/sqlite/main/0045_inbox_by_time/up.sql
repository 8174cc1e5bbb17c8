-- The inbox goes by when things happened, page by page.
CREATE INDEX notices_by_time ON notices (member_id, at, id);
