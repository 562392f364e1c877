//! The PostgreSQL of the tests does what its name says.

use std::time::Duration;

use tegami_test_servers::Postgres;
use tokio::{net::TcpStream, time::timeout};

#[tokio::test]
async fn what_was_committed_survives_a_power_cut_and_the_next_begins_with_nothing() {
    let postgres = Postgres::take().await;
    postgres.sql("create table kept (number int); insert into kept values (7)").await;
    postgres.kill9().await;
    assert!(TcpStream::connect(("127.0.0.1", postgres.port())).await.is_err(), "it is gone");
    postgres.start().await;
    assert_eq!(postgres.sql("select number from kept; drop table kept").await.trim(), "7");
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    assert_eq!(postgres.sql(tables).await.trim(), "0");
}

#[tokio::test]
async fn a_frozen_one_says_nothing_until_it_goes_on() {
    let postgres = Postgres::take().await;
    postgres.freeze().await;
    assert!(timeout(Duration::from_millis(500), postgres.sql("select 1")).await.is_err(), "nothing moves");
    postgres.start().await;
    assert_eq!(postgres.sql("select 1").await.trim(), "1");
}
