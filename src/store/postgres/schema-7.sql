-- Recorded events that a queue has handed out and that wait for another attempt, or were given up on.
CREATE TABLE @.deliveries (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text COLLATE "C" NOT NULL,
    -- The event's position.
    epoch bigint NOT NULL,
    event bigint NOT NULL,
    key text COLLATE "C",
    -- The attempt that comes next, or was the last.
    attempt bigint NOT NULL,
    -- Milliseconds since 1970: when it was first handed out; 0 is never.
    first bigint NOT NULL,
    -- Milliseconds since 1970: not before.
    due bigint NOT NULL,
    -- 0: waits. 1: was given up on, and is back. 2: was given up on.
    standing smallint NOT NULL,
    -- Why it was given up on, as JSON.
    reason text,
    -- Who sorts what was given up on, and until when nobody else does, in milliseconds since 1970.
    sorter text,
    sorted_until bigint NOT NULL DEFAULT 0,
    UNIQUE (queue, epoch, event)
);

CREATE INDEX deliveries_by_standing ON @.deliveries (queue, standing, number);
