CREATE TABLE tegami_outbox (
    -- The order of commits, for those come one after the other.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    event TEXT NOT NULL,
    -- What goes out in order: the key.
    lane TEXT,
    -- What else is known, as JSON.
    head TEXT NOT NULL,
    body BLOB NOT NULL,
    payload BLOB,
    -- Milliseconds since 1970: nobody takes it before, for somebody has it or it waits for its next attempt.
    free_at INTEGER NOT NULL DEFAULT 0,
    -- Who has it.
    relay TEXT,
    refusals INTEGER NOT NULL DEFAULT 0,
    -- Why it was refused last.
    reason TEXT,
    -- It is not tried any more.
    parked INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX tegami_outbox_by_lane ON tegami_outbox (lane, free_at, number) WHERE parked = 0;

CREATE TABLE tegami_inbox (
    subscription TEXT NOT NULL,
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    -- Seconds since 1970.
    time INTEGER NOT NULL,
    PRIMARY KEY (subscription, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tegami_inbox_by_time ON tegami_inbox (time);
