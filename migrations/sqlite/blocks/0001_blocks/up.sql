-- The Block database. Rows live in tables `b<block>_g<generation>`, made at run time with the columns
-- `_row, _run, _file, _line, c1 … cn`; what a Block holds is the generation that `block_state` points to.

-- The ledger: a row says that a run's load of a Block happened, or is held until somebody decides. It is written in the
-- transaction that makes the load visible, or holds it. A run is known by its random uid; its id is kept for people.
CREATE TABLE loads (
    run_uid TEXT NOT NULL,
    block_id BIGINT NOT NULL,
    run_id BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('visible', 'held', 'dropped')),
    generation BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_added BIGINT NOT NULL,
    rows_changed BIGINT NOT NULL,
    rows_removed BIGINT NOT NULL,
    rows_unchanged BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    source_name TEXT,
    source_sha256 TEXT,
    loaded_at BIGINT NOT NULL,
    PRIMARY KEY (run_uid, block_id)
);
CREATE INDEX loads_run ON loads (run_id);
CREATE INDEX loads_block ON loads (block_id, loaded_at);

-- The pointer. `generation` NULL: the Block never held anything. `fence`: the newest lease that began a load;
-- an older one can no longer commit.
CREATE TABLE block_state (
    block_id INTEGER PRIMARY KEY,
    generation BIGINT,
    last_generation BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    row_count BIGINT NOT NULL DEFAULT 0,
    loaded_at BIGINT
);

-- Every physical table there is, so that what a crash left behind is found and dropped. `state` is `staging` while a
-- load fills it, `held` while a full one waits for a decision, `current` while the Block shows it, `kept` when a later
-- load took its place.
CREATE TABLE generations (
    block_id BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    run_uid TEXT NOT NULL,
    run_id BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('staging', 'held', 'current', 'kept')),
    made_at BIGINT NOT NULL,
    PRIMARY KEY (block_id, generation)
);
CREATE INDEX generations_run ON generations (run_uid);
-- Few rows, looked through every few seconds.
CREATE INDEX generations_unsettled ON generations (state) WHERE state IN ('staging', 'held');

-- The name of a Block's view and the columns that it shows (a JSON list), kept here so that the transaction that makes
-- a load visible can make the view anew without asking the Workspace's own tables.
CREATE TABLE block_views (
    block_id INTEGER PRIMARY KEY,
    view_name TEXT NOT NULL UNIQUE,
    column_list TEXT NOT NULL
);

-- The original columns of a source of which rows were rejected, a JSON list, and how the source was written
-- (JSON), so that the download of what was rejected can be imported again as it is.
CREATE TABLE reject_heads (
    run_id INTEGER PRIMARY KEY,
    column_names TEXT NOT NULL,
    notation TEXT NOT NULL
);

-- A rejected row as it came, a JSON list.
CREATE TABLE reject_lines (
    run_id BIGINT NOT NULL,
    line BIGINT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (run_id, line)
);

-- Each thing that was wrong with it: the column's name in the source ('' for the row as a whole), the cell cut to 200
-- characters, a code to group by, what is wrong and what to do in plain words.
CREATE TABLE rejects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id BIGINT NOT NULL,
    line BIGINT NOT NULL,
    column_name TEXT NOT NULL,
    value TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    advice TEXT NOT NULL
);
CREATE INDEX rejects_run ON rejects (run_id, line, id);
CREATE INDEX rejects_cause ON rejects (run_id, code, column_name);

-- Of a run of which more rows were rejected than are kept: how many bad cells of the others there were, by cause.
CREATE TABLE reject_beyond (
    run_id BIGINT NOT NULL,
    code TEXT NOT NULL,
    column_name TEXT NOT NULL,
    cells BIGINT NOT NULL,
    first_line BIGINT NOT NULL,
    reason TEXT NOT NULL,
    advice TEXT NOT NULL,
    PRIMARY KEY (run_id, code, column_name)
);

CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE file_chunks (
    file_id BIGINT NOT NULL REFERENCES files (id),
    position INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (file_id, position)
);
