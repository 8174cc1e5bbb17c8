-- Of which file a run does what its version says once it is loaded: written down before the load, and kept after the end of
-- the run until it is known to be done. `stamp` says which file it was. They stood with the leases, where a run that was
-- over looked as if somebody worked on it; and the stamp began with the number of the disk, which another mount changes.
CREATE TABLE run_intents (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id),
    configuration_id BIGINT NOT NULL,
    configuration_version BIGINT NOT NULL,
    block_id BIGINT NOT NULL REFERENCES blocks (id),
    connection_id BIGINT NOT NULL REFERENCES connections (id),
    path TEXT NOT NULL,
    stamp TEXT NOT NULL,
    FOREIGN KEY (configuration_id, configuration_version)
        REFERENCES configuration_versions (configuration_id, version)
);
CREATE INDEX run_intents_configuration ON run_intents (configuration_id, connection_id);
-- What a process of the release before ends meanwhile is in it, or waits.
LOCK TABLE run_leases IN ACCESS EXCLUSIVE MODE;
INSERT INTO run_intents (run_id, configuration_id, configuration_version, block_id, connection_id, path, stamp)
    SELECT r.id, v.configuration_id, v.version, v.block_id, v.connection_id, l.intent::json ->> 'path', l.intent::json ->> 'stamp'
    FROM run_leases l JOIN runs r ON r.id = l.run_id
    JOIN configuration_versions v ON v.configuration_id = r.configuration_id AND v.version = r.configuration_version
    WHERE l.intent LIKE '{"deed":%,"path":%,"stamp":%}' AND v.connection_id IS NOT NULL;
UPDATE run_intents SET stamp = substr(stamp, strpos(stamp, ':') + 1);
DELETE FROM run_leases WHERE phase = 'Ended';
ALTER TABLE run_leases DROP COLUMN intent;
