-- Who made a code for another member; it ends with their right to. NULL: nobody, it was asked for at the door.
ALTER TABLE one_time_tokens ADD COLUMN made_by BIGINT REFERENCES members (id);
