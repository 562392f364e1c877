CREATE TABLE tegami_events (
    -- The order of all events: commits come one after the other, so no position appears behind a later one.
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    contract_version INTEGER NOT NULL,
    -- Nanoseconds since 1970, by the clock of whoever recorded it.
    time INTEGER NOT NULL,
    -- json or protobuf
    encoding TEXT NOT NULL,
    payload BLOB NOT NULL,
    -- What else is known, as JSON.
    head TEXT NOT NULL,
    UNIQUE (stream, version)
) STRICT;

CREATE INDEX tegami_events_by_event ON tegami_events (event, position);

CREATE TABLE tegami_tags (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (name, value, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE tegami_snapshots (
    stream TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (stream, state)
) STRICT, WITHOUT ROWID;
