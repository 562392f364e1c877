//! What this process holds, as Linux tells it.

use std::{fs, io};

use tokio::runtime::Handle;

use super::{Entry, Ledger};

impl Ledger {
    /// Writes what this process holds now. Tasks are those of the runtime it is called in, none outside of one.
    ///
    /// # Errors
    /// `/proc/self` cannot be read: this is not Linux.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    pub fn resources(&self) -> io::Result<()> {
        let status = fs::read_to_string("/proc/self/status")?;
        let tasks = Handle::try_current().map_or(0, |runtime| runtime.metrics().num_alive_tasks());
        // One of them is the folder that is being read.
        let descriptors = fs::read_dir("/proc/self/fd")?.count().saturating_sub(1);
        let (threads, bytes) = (field(&status, "Threads:")?, field(&status, "VmRSS:")? * 1024);
        self.write(Entry::Resources { tasks: tasks as u64, descriptors: descriptors as u64, threads, bytes });
        Ok(())
    }
}

/// The number behind this name.
fn field(status: &str, name: &str) -> io::Result<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name));
    let number = rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("`{name}` is not in /proc/self/status")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{future::pending, path::Path};

    use super::{super::Line, *};
    use crate::time::Clock;

    fn last(path: &Path) -> [u64; 4] {
        let text = fs::read_to_string(path).unwrap();
        match serde_json::from_str(text.lines().last().unwrap()).unwrap() {
            Line { entry: Entry::Resources { tasks, descriptors, threads, bytes }, .. } => {
                [tasks, descriptors, threads, bytes]
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn h2_a_leaked_task_is_seen() {
        let folder = std::env::temp_dir().join(format!("tegami-ledger-resources-{}", std::process::id()));
        let ledger = Ledger::open(&folder, "service", Clock::system()).unwrap();
        ledger.resources().unwrap();
        let [tasks, descriptors, threads, bytes] = last(ledger.path());
        assert!(descriptors > 0 && threads > 0 && bytes > 1024 * 1024);
        tokio::spawn(pending::<()>());
        ledger.resources().unwrap();
        assert_eq!(last(ledger.path())[0], tasks + 1);
        fs::remove_dir_all(folder).unwrap();
    }
}
