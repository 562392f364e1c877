CREATE TABLE @.schedules (
    -- Service and name.
    name text COLLATE "C" PRIMARY KEY,
    -- The latest tick that anybody took, in milliseconds since 1970.
    latest bigint
);

-- Ticks that were taken and not finished. Nobody changes one without the lock on its schedule's row.
CREATE TABLE @.ticks (
    schedule text COLLATE "C" NOT NULL,
    -- When it was planned, in milliseconds since 1970.
    tick bigint NOT NULL,
    -- Who runs it, or did.
    holder text NOT NULL,
    -- Nobody else runs it before.
    held_until timestamptz NOT NULL,
    PRIMARY KEY (schedule, tick)
);
