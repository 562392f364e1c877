CREATE TABLE tegami_timeouts (
    -- The message's id.
    id TEXT PRIMARY KEY,
    -- Who waits: a stream.
    owner TEXT NOT NULL,
    event TEXT NOT NULL,
    lane TEXT,
    head TEXT NOT NULL,
    body BLOB NOT NULL,
    payload BLOB,
    -- Milliseconds since 1970: when it is put into the outbox.
    due INTEGER NOT NULL,
    -- waiting, sent, or cancelled after it was sent
    state TEXT NOT NULL DEFAULT 'waiting'
) STRICT;

CREATE INDEX tegami_timeouts_by_due ON tegami_timeouts (due) WHERE state = 'waiting';
CREATE INDEX tegami_timeouts_by_owner ON tegami_timeouts (owner, event);
