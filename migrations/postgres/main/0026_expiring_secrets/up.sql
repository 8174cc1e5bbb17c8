-- The last day on which the secret of a Connection works, as its issuer says; Administrators are told before.
ALTER TABLE connections ADD COLUMN secret_ends_on TEXT;
