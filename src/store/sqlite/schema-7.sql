-- Recorded events that a queue has handed out and that wait for another attempt, or were given up on.
CREATE TABLE tegami_deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    -- The event's position.
    epoch INTEGER NOT NULL,
    event INTEGER NOT NULL,
    key TEXT,
    -- The attempt that comes next, or was the last.
    attempt INTEGER NOT NULL,
    -- Milliseconds since 1970: when it was first handed out; 0 is never.
    first INTEGER NOT NULL,
    -- Milliseconds since 1970: not before.
    due INTEGER NOT NULL,
    -- 0: waits. 1: was given up on, and is back. 2: was given up on.
    standing INTEGER NOT NULL,
    -- Why it was given up on, as JSON.
    reason TEXT,
    -- Who sorts what was given up on, and until when nobody else does, in milliseconds since 1970.
    sorter TEXT,
    sorted_until INTEGER NOT NULL DEFAULT 0,
    UNIQUE (queue, epoch, event)
) STRICT;

CREATE INDEX tegami_deliveries_by_standing ON tegami_deliveries (queue, standing, number);
