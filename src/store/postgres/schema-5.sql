-- A delayed message goes out then, and has no lane.
ALTER TABLE @.outbox ADD COLUMN due timestamptz;

CREATE INDEX outbox_by_due ON @.outbox (due) WHERE NOT parked AND due IS NOT NULL;
