//! Lets connections in, and carries each to the server.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::{
    pump::Pump,
    rules::{Door, Rules, Shared, Way},
};

/// Lets connections in for ever; they end with this task.
pub(super) async fn accept(listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let (mut rules, mut connections, mut listener) = (shared.rules(), JoinSet::new(), Some(listener));
    loop {
        let door = rules.borrow_and_update().door;
        match (door, &listener) {
            (Door::Closed, _) => listener = None,
            (_, None) => listener = Some(TcpListener::bind(address).await.expect("its port is still free")),
            (_, Some(_)) => {}
        }
        shared.listens.send_replace(listener.is_some());
        tokio::select! {
            _ = rules.changed() => {}
            Some(_) = connections.join_next() => {}
            accepted = next(listener.as_ref()) => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(carry(client, shared.clone()));
                }
            }
        }
    }
}

async fn next(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Carries a connection until it ends.
async fn carry(client: TcpStream, shared: Arc<Shared>) {
    let mut rules = shared.rules();
    if rules.borrow_and_update().door == Door::Silent {
        shared.count(|counts| counts.silenced += 1);
        while rules.borrow_and_update().door == Door::Silent {
            let _ = rules.changed().await;
        }
        return;
    }
    let Ok(server) = TcpStream::connect(shared.server).await else {
        return reset(&[&client]);
    };
    shared.count(|counts| counts.connections += 1);
    both_ways(client, server, &shared, rules).await;
}

/// What one side resets is reset on the other.
async fn both_ways(mut client: TcpStream, mut server: TcpStream, shared: &Shared, rules: watch::Receiver<Rules>) {
    let number = shared.counts().connections;
    for stream in [&client, &server] {
        // Small pieces are not to wait for an answer to the last.
        let _ = stream.set_nodelay(true);
    }
    let ended = {
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let mut up = Pump::new(Way::Up, shared, number);
        let mut down = Pump::new(Way::Down, shared, number);
        tokio::select! {
            ended = async { tokio::try_join!(up.run(from_client, to_server), down.run(from_server, to_client)) } => ended,
            () = until_reset(rules) => Err(io::ErrorKind::ConnectionReset.into()),
        }
    };
    if ended.is_err() {
        shared.count(|counts| counts.resets += 1);
        reset(&[&client, &server]);
    }
}

async fn until_reset(mut rules: watch::Receiver<Rules>) {
    let before = rules.borrow().resets;
    let _ = rules.wait_for(|rules| rules.resets > before).await;
}

/// Has these end with a reset when they are dropped.
fn reset(streams: &[&TcpStream]) {
    for stream in streams {
        // One that is gone needs none.
        let _ = stream.set_zero_linger();
    }
}
