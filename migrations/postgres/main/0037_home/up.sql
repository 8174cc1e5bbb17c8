-- Where this database is at home, and the address at which people reached it there: elsewhere it stands by
-- (`standing_by_since`) until an Administrator confirms that it is the living one.
ALTER TABLE workspace ADD COLUMN place TEXT;
ALTER TABLE workspace ADD COLUMN home_url TEXT;
