CREATE TABLE tegami_schedules (
    -- Service and name.
    name TEXT PRIMARY KEY,
    -- The latest tick that anybody took, in milliseconds since 1970.
    latest INTEGER
) STRICT, WITHOUT ROWID;

-- Ticks that were taken and not finished.
CREATE TABLE tegami_ticks (
    schedule TEXT NOT NULL,
    -- When it was planned, in milliseconds since 1970.
    tick INTEGER NOT NULL,
    -- Who runs it, or did.
    holder TEXT NOT NULL,
    -- Milliseconds since 1970: nobody else runs it before.
    held_until INTEGER NOT NULL,
    PRIMARY KEY (schedule, tick)
) STRICT, WITHOUT ROWID;
