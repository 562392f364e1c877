//! Checkpoints in an SQLite file. It has one writer at a time, so an open transaction has every checkpoint.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params, types::Type};

use super::{Checkpoint, Checkpoints, Claim, Held, Id, checkpoints::LONGEST};
use crate::{
    outbox::{
        DatabaseError,
        sql::of_store,
        sqlite::{Database, Tx},
    },
    store::Position,
    time::epoch::{self, milliseconds, milliseconds_of},
};

#[async_trait]
impl Checkpoints for Database {
    async fn checkpoint(&self, id: &Id) -> Result<Option<Checkpoint>, DatabaseError> {
        let id = id.clone();
        self.store().read(move |sql| one(sql, &id)).await.map_err(of_store)
    }

    async fn checkpoint_in(&self, tx: &mut Tx, id: &Id) -> Result<Option<Checkpoint>, DatabaseError> {
        let id = id.clone();
        tx.run(move |sql| one(sql, &id)).await
    }

    async fn checkpoints(&self) -> Result<Vec<Checkpoint>, DatabaseError> {
        let work = |sql: &Connection| {
            let query = format!("{SELECT} ORDER BY name, version");
            sql.prepare_cached(&query)?.query_map((), read)?.collect()
        };
        self.store().read(work).await.map_err(of_store)
    }

    async fn hold(&self, tx: &mut Tx, claim: &Claim) -> Result<Held, DatabaseError> {
        let claim = claim.clone();
        tx.run(move |sql| hold(sql, &claim)).await
    }

    async fn advance(&self, tx: &mut Tx, claim: &Claim, from: Position, to: Position) -> Result<bool, DatabaseError> {
        let Claim { id, projector, .. } = claim.clone();
        let update = "UPDATE tegami_projections SET position = ?5 \
                      WHERE name = ?1 AND version = ?2 AND projector = ?3 AND position = ?4";
        let [from, to] = [from, to].map(|position| position.to_string());
        let work = move |sql: &Connection| {
            let moved = sql.prepare_cached(update)?.execute(params![id.name, id.version, projector, from, to])?;
            Ok(moved == 1)
        };
        tx.run(work).await
    }

    async fn release(&self, tx: &mut Tx, claim: &Claim) -> Result<(), DatabaseError> {
        let Claim { id, projector, .. } = claim.clone();
        let update = "UPDATE tegami_projections SET projector = NULL, held_until = 0 \
                      WHERE name = ?1 AND version = ?2 AND projector = ?3";
        tx.run(move |sql| sql.prepare_cached(update)?.execute(params![id.name, id.version, projector])).await.map(drop)
    }

    async fn rewind(&self, tx: &mut Tx, id: &Id) -> Result<(), DatabaseError> {
        let (Id { name, version }, start) = (id.clone(), Position::START.to_string());
        let update = "UPDATE tegami_projections SET position = ?3 WHERE name = ?1 AND version = ?2";
        tx.run(move |sql| sql.execute(update, params![name, version, start])).await.map(drop)
    }

    async fn remove_checkpoint(&self, tx: &mut Tx, id: &Id) -> Result<bool, DatabaseError> {
        let Id { name, version } = id.clone();
        let delete = "DELETE FROM tegami_projections WHERE name = ?1 AND version = ?2";
        tx.run(move |sql| Ok(sql.execute(delete, params![name, version])? == 1)).await
    }
}

const SELECT: &str = "SELECT name, version, position, projector, held_until FROM tegami_projections";

fn one(sql: &Connection, id: &Id) -> rusqlite::Result<Option<Checkpoint>> {
    let query = format!("{SELECT} WHERE name = ?1 AND version = ?2");
    sql.prepare_cached(&query)?.query_row(params![id.name, id.version], read).optional()
}

fn hold(sql: &Connection, claim: &Claim) -> rusqlite::Result<Held> {
    let Claim { id, projector, hold, now } = claim;
    let make = "INSERT INTO tegami_projections (name, version, position) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    sql.prepare_cached(make)?.execute(params![id.name, id.version, Position::START.to_string()])?;
    let take = "UPDATE tegami_projections SET projector = :projector, held_until = :until \
                WHERE name = :name AND version = :version \
                AND (projector IS NULL OR projector = :projector OR NOT (held_until > :now AND held_until <= :longest)) \
                RETURNING position";
    let now = milliseconds_of(*now);
    let later = |by: Duration| now.saturating_add(milliseconds(by));
    let values = named_params! {
        ":projector": projector, ":name": id.name, ":version": id.version,
        ":now": now, ":until": later((*hold).min(LONGEST)), ":longest": later(LONGEST),
    };
    let position = sql.prepare_cached(take)?.query_row(values, |row| position(row, 0)).optional()?;
    Ok(position.map_or(Held::Elsewhere, Held::Here))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    let id = Id::new(row.get::<_, String>(0)?, row.get(1)?);
    let until = epoch::time(row.get(4)?, Duration::from_millis);
    Ok(Checkpoint::new(id, position(row, 2)?).held(row.get(3)?, until))
}

fn position(row: &Row<'_>, column: usize) -> rusqlite::Result<Position> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
