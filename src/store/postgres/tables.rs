//! The tables by their names, and the statements about them that are the same each time.

use std::{borrow::Cow, sync::Arc};

use sha2::{Digest, Sha256};

use super::{row::columns, text::written};
use crate::store::{
    limits,
    sql::query::{Among, Dialect},
};

/// Where long tags become digests, in bytes: an entry of an index has a third of a page of 8 KiB at most.
const LONG: usize = 512;

/// Those after a position, up to another; so many.
pub(super) const BETWEEN: Among =
    Among { which: "(t0.epoch, t0.number) > ($1, $2) AND (t0.epoch, t0.number) <= ($4, $5)", limit: "$3", values: 5 };
/// Those after a position, but for some numbers.
pub(super) const UNKNOWN: Among =
    Among { which: "(t0.epoch, t0.number) > ($1, $2) AND t0.number <> ALL ($4)", limit: "$3", values: 4 };

/// What is asked again and again.
pub(super) struct Tables {
    pub(super) schema: String,
    pub(super) dialect: Dialect,
    /// The channel on which it is told that events were recorded.
    pub(super) channel: String,
    /// The channel on which it is told that messages were put into the outbox.
    pub(super) outbox: String,
    /// Where the last event is before which no transaction is open.
    pub(super) end: Arc<str>,
    /// Is there such an event after a position? And one of any kind?
    pub(super) later: Arc<str>,
    /// Isolation, a stream's version and last epoch, and whether one of some ids is known.
    pub(super) state: Arc<str>,
    pub(super) of_ids: Arc<str>,
    pub(super) of_stream: Arc<str>,
    pub(super) insert: Arc<str>,
    pub(super) snapshot: Arc<str>,
    pub(super) keep_snapshot: Arc<str>,
}

impl Tables {
    /// Those in this schema, whose name needs no care in SQL.
    pub(super) fn of(schema: &str) -> Self {
        let [events, tags, snapshots, epochs] =
            ["events", "tags", "snapshots", "epochs"].map(|table| format!("\"{schema}\".{table}"));
        let shift = format!("(SELECT shift FROM {epochs})");
        let open = format!("pg_snapshot_xmin(pg_current_snapshot())::text::bigint + {shift}");
        let last = "ORDER BY epoch DESC, number DESC LIMIT 1";
        let after = format!("SELECT FROM {events} WHERE (epoch, number) > ($1, $2)");
        let select = format!("SELECT {} FROM {events}", columns());
        Self {
            schema: schema.to_owned(),
            channel: format!("{schema}_events"),
            outbox: outbox_channel(schema),
            end: format!("SELECT epoch, number FROM {events} WHERE epoch < {open} {last}").into(),
            later: format!("SELECT EXISTS ({after} AND epoch < {open}), EXISTS ({after})").into(),
            state: state(&events).into(),
            of_ids: format!("{select} WHERE id = ANY ($1)").into(),
            of_stream: page(
                &format!("{select} WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3"),
                "version",
            )
            .into(),
            insert: insert(&events, &tags, &shift, &format!("tegami.epoch_{schema}")).into(),
            snapshot: format!("SELECT version, bytes FROM {snapshots} WHERE stream = $1 AND state = $2").into(),
            keep_snapshot: format!(
                "INSERT INTO {snapshots} AS kept (stream, state, version, bytes) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (stream, state) DO UPDATE SET version = excluded.version, bytes = excluded.bytes \
                 WHERE excluded.version > kept.version"
            )
            .into(),
            dialect: Dialect { events, tags, place: &["epoch", "number"], sign: '$', unindexed: "", tag },
        }
    }
}

/// The channel of the outbox in this schema.
pub(crate) fn outbox_channel(schema: &str) -> String {
    format!("{schema}_outbox")
}

/// The events that a statement finds in this order, but only as many as one read should bring, and at least one; and
/// behind each, how many were found.
pub(super) fn page(select: &str, order: &str) -> String {
    let size = "octet_length(payload) + octet_length(head)";
    let before = format!("sum({size}) OVER (ORDER BY {order} ROWS UNBOUNDED PRECEDING) - {size} AS before");
    format!(
        "SELECT {}, found FROM (SELECT *, {before}, count(*) OVER () AS found FROM ({select}) chosen) page \
         WHERE before < {} ORDER BY {order}",
        columns(),
        limits::READ
    )
}

/// Ids are looked for one by one: a plan for all at once, made while there are few events, would read all that come.
fn state(events: &str) -> String {
    format!(
        "SELECT current_setting('transaction_isolation'), coalesce(version, 0), coalesce(epoch, 0), \
         EXISTS (SELECT FROM unnest($2::text[]) new (id) WHERE (SELECT true FROM {events} known WHERE known.id = new.id)) \
         FROM (SELECT) one LEFT JOIN \
         (SELECT version, epoch FROM {events} WHERE stream = $1 ORDER BY version DESC LIMIT 1) last ON true"
    )
}

/// The epoch is never before that of the stream's last event, whose transaction may have begun after this one; a reader
/// that sees it sees both ended. Nor is it before what the transaction has written already, in whichever stream. That is in
/// a setting which ends with the transaction, or with the savepoint that is undone; after that, it is empty.
fn insert(events: &str, tags: &str, shift: &str, setting: &str) -> String {
    let epoch = format!(
        "greatest($1, pg_current_xact_id()::text::bigint + {shift}, nullif(current_setting('{setting}', true), '')::bigint)"
    );
    format!(
        "WITH recorded AS (\
         INSERT INTO {events} (epoch, stream, version, id, event, contract_version, time, encoding, payload, head) \
         SELECT {epoch}, $2, entry.* FROM unnest($3::bigint[], \
         $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bytea[], $10::text[]) entry \
         RETURNING epoch, number, version\
         ), tagged AS (\
         INSERT INTO {tags} (name, value, epoch, number) SELECT tag.name, tag.value, epoch, number FROM recorded \
         JOIN unnest($11::bigint[], $12::text[], $13::text[]) tag (version, name, value) USING (version)) \
         SELECT epoch, number, pg_notify($14, ''), set_config('{setting}', epoch::text, true) FROM recorded \
         ORDER BY version DESC LIMIT 1"
    )
}

/// A tag's text as the table has it: without NUL, which PostgreSQL has not, and short enough for an index. Different
/// texts stay different.
pub(super) fn tag(text: &str) -> Cow<'_, str> {
    if text.len() > LONG {
        let digest = Sha256::digest(text);
        return digest.iter().fold("\u{1}#".to_owned(), |all, byte| all + &format!("{byte:02x}")).into();
    }
    written(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_differ_are_written_differently() {
        let long = "x".repeat(LONG + 1);
        let digest = tag(&long);
        let texts =
            ["", "\u{0}", "\u{1}", "\u{1}0", "\u{0}0", "\u{1}1", "\u{1}\u{1}", &digest, &long, &"x".repeat(LONG)];
        let written: std::collections::BTreeSet<_> = texts.iter().map(|text| tag(text)).collect();
        assert_eq!(written.len(), texts.len(), "{written:?}");
        assert!(written.iter().all(|text| !text.contains('\u{0}') && text.len() <= LONG));
        assert_eq!(tag("o-1 é"), "o-1 é");
    }
}
