CREATE TABLE @.projections (
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    -- Up to where the events are in what the projection has made of them.
    position text COLLATE "C" NOT NULL,
    -- Who moves it on.
    projector text,
    -- Nobody else does before.
    held_until timestamptz NOT NULL DEFAULT to_timestamp(0),
    PRIMARY KEY (name, version)
);
