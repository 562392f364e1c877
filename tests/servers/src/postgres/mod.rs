//! PostgreSQL for one test: started on first use, mended if an earlier run left it broken, never stopped.
//!
//! There are a few instances, and a test holds one alone for as long as it has its [`Postgres`]: it may kill and freeze
//! it, and its database is empty at first. `scripts/services/all stop` ends them all.

use std::{fs, path::PathBuf};

use crate::{
    disk::SmallDisk,
    held::{self, Held, blocking, services},
};

/// As many tests can run at once.
const INSTANCES: u16 = 3;
/// Makes the one database of a test anew, whoever is still in there. Nothing else has transactions: readers that wait for
/// older ones would wait for those.
const EMPTY: &str = "alter system set autovacuum = off; select pg_reload_conf(); \
                     drop database if exists test with (force); create database test;";

/// A running PostgreSQL that nobody else uses.
#[derive(Debug)]
pub struct Postgres {
    instance: Instance,
    held: Held,
}

impl Postgres {
    /// Takes an instance, once one is free, and has it running, with an empty database.
    ///
    /// # Panics
    /// It cannot be started; the text says what to do.
    pub async fn take() -> Self {
        Self::take_one((0..INSTANCES).map(Instance).collect()).await
    }

    /// One that lives on the disk of this process, and ends with it. There is one such process at a time.
    ///
    /// # Panics
    /// As [`take`](Self::take).
    pub async fn take_on(_: &SmallDisk) -> Self {
        Self::take_one(vec![Instance(INSTANCES)]).await
    }

    async fn take_one(instances: Vec<Instance>) -> Self {
        blocking(move || {
            let (instance, held) = Held::one_of(&instances, Instance::folder, Instance::is_anothers);
            let taken = Self { instance, held };
            taken.mend();
            taken.instance.script(&["sql", EMPTY]);
            taken
        })
        .await
    }

    /// One that an earlier test left broken begins anew.
    fn mend(&self) {
        if self.held.is_broken() {
            self.instance.script(&["kill9"]);
            for kept in ["data", "whole"].map(|name| self.instance.folder().join(name)) {
                // Where there is none yet, there is nothing to forget.
                let _ = if kept.is_dir() { fs::remove_dir_all(kept) } else { fs::remove_file(kept) };
            }
        }
        self.instance.script(&["start"]);
        self.held.whole();
    }

    /// Where its database is, for a client of this machine.
    pub fn url(&self) -> String {
        format!("postgres://tegami:tegami@127.0.0.1:{}/test", self.port())
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.instance.port()
    }

    /// Ends it as a power cut would: what was committed is there again after [`start`](Self::start).
    ///
    /// # Panics
    /// It does not end.
    pub async fn kill9(&self) {
        self.broken("kill9").await;
    }

    /// Ends it in good order.
    ///
    /// # Panics
    /// It does not end.
    pub async fn stop(&self) {
        self.broken("stop").await;
    }

    /// Lets it hang: connections stay open, nothing moves.
    ///
    /// # Panics
    /// It did not run.
    pub async fn freeze(&self) {
        self.broken("freeze").await;
    }

    /// Starts it, or lets it go on, and waits until it answers.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(&self) {
        self.script("start", None).await;
        self.held.whole();
    }

    /// What it answers to these statements, as its superuser, in the database `tegami`: one line a row.
    ///
    /// # Panics
    /// It refuses one of them.
    pub async fn sql(&self, statements: &str) -> String {
        self.script("sql", Some(statements.to_owned())).await
    }

    async fn broken(&self, command: &'static str) {
        self.held.broken();
        self.script(command, None).await;
    }

    async fn script(&self, command: &'static str, more: Option<String>) -> String {
        let instance = self.instance;
        blocking(move || instance.script(&[&[command], more.as_deref().as_slice()].concat())).await
    }
}

/// An instance by its number: a folder and a port of its own.
#[derive(Debug, Clone, Copy)]
struct Instance(u16);

impl Instance {
    fn name(self) -> String {
        format!("postgres-test-{}", self.0)
    }

    fn port(self) -> u16 {
        17_761 + self.0
    }

    fn folder(self) -> PathBuf {
        services().join(self.name())
    }

    /// Has a server of another folder its port?
    fn is_anothers(self) -> bool {
        let data = self.folder().join("data");
        held::is_anothers(self.port(), &data.join("postmaster.pid"), ("cmdline", data.as_os_str()))
    }

    fn script(self, arguments: &[&str]) -> String {
        let mut command = held::script("postgres.sh");
        command.args(arguments).env("POSTGRES_NAME", self.name()).env("POSTGRES_PORT", self.port().to_string());
        held::run(&mut command)
    }
}
