-- What the load tells beside the counts, as JSON: a run that is ended by somebody else tells it too.
ALTER TABLE loads ADD COLUMN told TEXT;
