//! What a service shows when it is run at a terminal: its handlers with their queues, its schedules, its addresses.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use super::{Parts, plan::Station, transports::Transports};
use crate::pipeline::Route;

/// When the banner is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Show {
    /// At a terminal.
    #[default]
    Auto,
    Off,
}

/// What reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Terminal,
    Other,
}

/// A name, and tables below it.
#[derive(Debug, Default)]
pub(crate) struct Banner {
    name: String,
    tables: Vec<Table>,
}

/// Rows of one kind of thing; every row has as many cells as there are heads.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) heads: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

impl Banner {
    pub(super) fn of(parts: &Parts) -> Self {
        Self { name: parts.name.clone(), tables: Vec::new() }
    }

    /// Adds a table, unless it is empty.
    pub(super) fn and(mut self, table: Table) -> Self {
        self.tables.extend(Some(table).filter(|table| !table.rows.is_empty()));
        self
    }

    /// Shows it on standard output, where it is wanted.
    pub(super) fn show(&self, show: Show) {
        let output = if io::stdout().is_terminal() { Output::Terminal } else { Output::Other };
        self.write(&mut io::stdout().lock(), show, output);
    }

    fn write(&self, to: &mut impl Write, show: Show, output: Output) {
        if show == Show::Auto && output == Output::Terminal {
            // A terminal that is gone does not matter.
            let _ = to.write_all(self.to_string().as_bytes());
        }
    }
}

/// The handlers, and where their messages come from and go to.
pub(super) fn handlers(stations: &[Station], transports: &Transports) -> Table {
    let row = |station: &Station, route: &Route| {
        let transport = transports.of(station).map_or("", |transport| transport.name());
        let (queue, dead) = (&station.queue.name, &station.queue.dead_letters);
        [&route.name, route.contract.name, transport, queue, dead].map(str::to_owned).to_vec()
    };
    let rows = stations.iter().flat_map(|station| station.routes.iter().map(move |route| row(station, route)));
    Table { heads: &["handler", "event", "transport", "queue", "dead letters"], rows: rows.collect() }
}

/// Who is listened to, and where: the routes, and the admin listener.
pub(super) fn listeners(routes: Option<String>, admin: Option<String>) -> Table {
    let named = [("routes", routes), ("admin", admin)];
    let rows = named.into_iter().filter_map(|(name, url)| Some(vec![name.to_owned(), url?]));
    Table { heads: &["listener", "address"], rows: rows.collect() }
}

impl fmt::Display for Banner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", self.name)?;
        self.tables.iter().try_for_each(|table| write!(f, "\n{table}"))?;
        writeln!(f)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads: Vec<String> = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let lines = || std::iter::once(&heads).chain(&self.rows);
        let width = |column: usize| lines().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        for row in lines() {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "  {}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner() -> Banner {
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        let handlers = vec![
            cells(&[
                "billing::send_receipt",
                "shop.orders.v1.OrderPaid",
                "memory",
                "billing-orders",
                "billing-orders-dead",
            ]),
            cells(&["é", "shop.E", "amqp", "q", "q-dead"]),
        ];
        let heads = &["handler", "event", "transport", "queue", "dead letters"];
        Banner { name: "billing".to_owned(), tables: Vec::new() }
            .and(Table { heads, rows: handlers })
            .and(Table { heads: &[], rows: Vec::new() })
            .and(Table { heads: &["schedule", "when"], rows: vec![cells(&["nightly", "30 2 * * *"])] })
    }

    #[test]
    fn a_banner_has_its_tables_in_columns_and_none_that_is_empty() {
        let told = "
billing

  handler                event                     transport  queue           dead letters
  billing::send_receipt  shop.orders.v1.OrderPaid  memory     billing-orders  billing-orders-dead
  é                      shop.E                    amqp       q               q-dead

  schedule  when
  nightly   30 2 * * *

";
        assert_eq!(banner().to_string(), told);
    }

    #[test]
    fn only_a_terminal_is_shown_a_banner_and_only_where_it_is_wanted() {
        for (show, output, shown) in [
            (Show::Auto, Output::Terminal, true),
            (Show::Auto, Output::Other, false),
            (Show::Off, Output::Terminal, false),
            (Show::Off, Output::Other, false),
        ] {
            let mut written = Vec::new();
            banner().write(&mut written, show, output);
            assert_eq!(!written.is_empty(), shown, "{show:?} {output:?}");
        }
    }
}
