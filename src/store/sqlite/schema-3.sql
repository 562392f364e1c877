CREATE TABLE tegami_projections (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    -- Up to where the events are in what the projection has made of them.
    position TEXT NOT NULL,
    -- Who moves it on.
    projector TEXT,
    -- Milliseconds since 1970: nobody else does before.
    held_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
