//! What is done to a RabbitMQ is felt by its clients, and taken back; on both releases.

use std::net::TcpStream;

use tegami_test_servers::{Nest, Producer, Rabbit, Release};

const RELEASES: [Release; 2] = [Release::V3, Release::V4];

/// Publishes to nobody, which a broker that takes publishes confirms.
fn publish(rabbit: &Rabbit, nest: Nest) -> std::io::Result<()> {
    Producer::connect(rabbit.port())?.put("nobody", ("m-1", b"hello"), nest)
}

#[tokio::test]
async fn the_deepest_nests_are_taken() {
    for release in RELEASES {
        let rabbit = Rabbit::take(release).await;
        for nest in [Nest::Lists(1), Nest::Lists(Nest::MOST_LISTS), Nest::Tables(Nest::MOST_TABLES)] {
            publish(&rabbit, nest).unwrap_or_else(|error| panic!("{release:?} {nest:?}: {error}"));
        }
    }
}

#[tokio::test]
async fn a_killed_one_is_gone_until_it_is_started() {
    for release in RELEASES {
        let rabbit = Rabbit::take(release).await;
        rabbit.kill9().await;
        assert!(TcpStream::connect(("127.0.0.1", rabbit.port())).is_err(), "{release:?}");
        rabbit.start().await;
        publish(&rabbit, Nest::Lists(1)).unwrap();
    }
}

#[tokio::test]
async fn one_that_is_left_broken_is_mended_for_the_next() {
    for release in RELEASES {
        let rabbit = Rabbit::take(release).await;
        rabbit.freeze().await;
        drop(rabbit);
        // Another instance may be free: this one is among as many as there are.
        for rabbit in [Rabbit::take(release).await, Rabbit::take(release).await] {
            publish(&rabbit, Nest::Lists(1)).unwrap();
        }
    }
}

#[tokio::test]
async fn nobody_else_has_the_same() {
    for release in RELEASES {
        let (one, other) = tokio::join!(Rabbit::take(release), Rabbit::take(release));
        assert_ne!(one.port(), other.port());
    }
}
