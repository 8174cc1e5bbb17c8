-- Whether single keys are shortcuts on this member's pages.
ALTER TABLE members ADD COLUMN shortcuts BOOLEAN NOT NULL DEFAULT TRUE;
