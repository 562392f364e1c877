//! Who is told that events or messages were recorded, by whichever process: one connection for each channel, once somebody
//! waits.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::{sync::watch, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    lifecycle,
    time::{Dice, backoff},
};

/// How long to wait for the connection before it is tried anew.
const FOR_CONNECTION: Duration = Duration::from_secs(5);

pub(crate) struct Listener {
    /// How often it was told. What is told while nobody listens is lost: whoever waits looks by himself now and then.
    told: watch::Sender<u64>,
    options: PgConnectOptions,
    channel: String,
    task: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl Listener {
    pub(crate) fn new(options: PgConnectOptions, channel: &str) -> Self {
        Self { told: watch::Sender::new(0), options, channel: channel.to_owned(), task: Mutex::default() }
    }

    /// Changes when something was recorded after this call, and when that cannot be known.
    pub(crate) fn wait(&self) -> watch::Receiver<u64> {
        let mut task = self.task();
        // It ends with the runtime that it was started in.
        if task.as_ref().is_none_or(|task| task.is_finished()) {
            let listening = listen(self.options.clone(), self.channel.clone(), self.told.clone());
            *task = Some(lifecycle::owned(listening));
        }
        self.told.subscribe()
    }

    /// Something was recorded here.
    pub(crate) fn tell(&self) {
        tell(&self.told);
    }

    pub(crate) async fn close(&self) {
        let task = self.task().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
        self.tell();
    }

    fn task(&self) -> MutexGuard<'_, Option<AbortOnDropHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(told: &watch::Sender<u64>) {
    told.send_modify(|count| *count = count.wrapping_add(1));
}

/// Listens for ever, on one connection after another.
async fn listen(options: PgConnectOptions, channel: String, told: watch::Sender<u64>) {
    let (dice, mut failures) = (Dice::system(), 0);
    // Apart from the pool that is read by: it could be small, and this would keep one of its connections.
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(FOR_CONNECTION).max_lifetime(None);
    let pool = pool.idle_timeout(None).connect_lazy_with(options);
    loop {
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && listener.listen(&channel).await.is_ok()
        {
            failures = 0;
            // Whatever came before is not told of any more.
            tell(&told);
            while listener.try_recv().await.is_ok() {
                while listener.next_buffered().is_some() {}
                tell(&told);
            }
        }
        failures += 1;
        sleep(backoff(failures, &dice)).await;
    }
}
