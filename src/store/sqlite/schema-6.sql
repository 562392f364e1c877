-- Delayed messages of the outbox that can be cancelled, until they were handled.
CREATE TABLE tegami_timeouts (
    -- The message's id.
    id TEXT PRIMARY KEY,
    -- Who waits: a stream.
    owner TEXT NOT NULL,
    event TEXT NOT NULL,
    -- It was on its way already.
    cancelled INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX tegami_timeouts_by_owner ON tegami_timeouts (owner, event);
CREATE INDEX tegami_outbox_delayed ON tegami_outbox (id) WHERE due > 0;
