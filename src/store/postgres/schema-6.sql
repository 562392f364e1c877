-- Delayed messages of the outbox that can be cancelled, until they were handled.
CREATE TABLE @.timeouts (
    -- The message's id.
    id text COLLATE "C" PRIMARY KEY,
    -- Who waits: a stream.
    owner text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    -- It was on its way already.
    cancelled boolean NOT NULL DEFAULT false
);

CREATE INDEX timeouts_by_owner ON @.timeouts (owner, event);
CREATE INDEX outbox_delayed ON @.outbox (id) WHERE due IS NOT NULL;
