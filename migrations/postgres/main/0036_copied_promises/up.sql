-- It came with a copied Application, and rests there while nothing is on that would keep it.
ALTER TABLE promises ADD COLUMN copied BOOLEAN NOT NULL DEFAULT FALSE;
