CREATE TABLE IF NOT EXISTS tegami_keys (
    id BLOB PRIMARY KEY,
    subject TEXT NOT NULL,
    -- Which master key has wrapped it.
    master BLOB,
    -- NULL once the subject was forgotten.
    wrapped BLOB
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS tegami_keys_by_subject ON tegami_keys (subject) WHERE wrapped IS NOT NULL;
CREATE INDEX IF NOT EXISTS tegami_keys_of_subject ON tegami_keys (subject);
