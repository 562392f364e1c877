CREATE TABLE @.timeouts (
    -- The message's id.
    id text COLLATE "C" PRIMARY KEY,
    -- Who waits: a stream.
    owner text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    key text COLLATE "C",
    lane bigint,
    head text NOT NULL,
    body bytea NOT NULL,
    payload bytea,
    -- When it is put into the outbox.
    due timestamptz NOT NULL,
    -- waiting, sent, or cancelled after it was sent
    state text NOT NULL DEFAULT 'waiting'
);

CREATE INDEX timeouts_by_due ON @.timeouts (due) WHERE state = 'waiting';
CREATE INDEX timeouts_by_owner ON @.timeouts (owner, event);
