//! What is logged, to read it again.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;

/// Everything that its subscriber is told.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Writes down what is told at this level, and above.
    pub fn subscriber(&self, level: LevelFilter) -> impl Subscriber + Send + Sync + use<> {
        let log = self.clone();
        tracing_subscriber::fmt().with_ansi(false).with_max_level(level).with_writer(move || log.clone()).finish()
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("no panic while it is held").clone();
        String::from_utf8(bytes).expect("text").lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic while it is held").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
