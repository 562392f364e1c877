-- Milliseconds since 1970: a delayed message goes out then, outside the order of its key; 0 is at once, and in order.
ALTER TABLE tegami_outbox ADD COLUMN due INTEGER NOT NULL DEFAULT 0;

CREATE INDEX tegami_outbox_by_due ON tegami_outbox (due) WHERE parked = 0 AND due > 0;
