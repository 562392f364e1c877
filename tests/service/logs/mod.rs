//! What `tegami::logs` writes: what each line knows, what none may hold.

#[cfg(feature = "store")]
mod canaries;
mod contexts;
mod settings;

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tegami::{Config, Error, logs};
use tracing::subscriber::DefaultGuard;

/// The lines of a log, as they are written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Lines {
    /// Writes down what is told on this thread, by these settings.
    fn begin(settings: &[(&str, &str)]) -> Result<(Self, DefaultGuard), Error> {
        let config = settings.iter().try_fold(Config::new(), |config, (key, value)| config.set(key, value))?;
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber = logs::subscriber(&config, move |line| writer.0.lock().expect("one thread").push_str(line));
        Ok((lines, tracing::subscriber::set_default(subscriber)))
    }

    fn text(&self) -> String {
        self.0.lock().expect("one thread").clone()
    }

    /// The lines of a log in JSON that have this message.
    fn told(&self, message: &str) -> Vec<Value> {
        let lines: Vec<Value> = self.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        lines
            .into_iter()
            .filter(|line| line["message"].as_str().is_some_and(|told| told.starts_with(message)))
            .collect()
    }
}
