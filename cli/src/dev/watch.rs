//! What changes in a service's folder, as far as the service is made of it.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::mpsc::{Receiver, channel},
    time::timeout,
};

/// What a service is made of, in its folder.
const FOLDERS: [&str; 3] = ["contracts", "proto", "src"];
const FILES: [&str; 3] = ["Cargo.toml", "build.rs", "tegami.toml"];
/// How long it must be quiet: an editor writes more than once, and a change of branch writes much.
const QUIET: Duration = Duration::from_millis(100);
/// Events that wait to be looked at. Beyond them one more says nothing new.
const WAITING: usize = 1024;

/// Sees changes from when it is made.
pub(super) struct Watch {
    root: PathBuf,
    asked: Vec<PathBuf>,
    watcher: RecommendedWatcher,
    events: Receiver<Event>,
    /// What has changed, and was not told yet.
    paths: BTreeSet<String>,
}

impl Watch {
    /// Watches this folder, and these paths.
    pub(super) fn new(asked: &[PathBuf]) -> notify::Result<Self> {
        let (send, events) = channel(WAITING);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if let Ok(event) = event {
                let _ = send.try_send(event);
            }
        })?;
        let root = env::current_dir()?.canonicalize()?;
        let asked = asked.iter().map(|path| path.canonicalize()).collect::<Result<_, _>>()?;
        let mut watch = Self { root, asked, watcher, events, paths: BTreeSet::new() };
        watch.watcher.watch(&watch.root, RecursiveMode::NonRecursive)?;
        watch.folders();
        for path in &watch.asked {
            watch.watcher.watch(path, RecursiveMode::Recursive)?;
        }
        Ok(watch)
    }

    /// What has changed since it was asked last, once that is quiet. Dropped meanwhile, it forgets nothing.
    pub(super) async fn changed(&mut self) -> Vec<String> {
        loop {
            let event = match self.paths.is_empty() {
                true => self.events.recv().await,
                false => timeout(QUIET, self.events.recv()).await.unwrap_or_default(),
            };
            match event {
                Some(event) => self.paths.extend(self.concerned(&event)),
                None if self.paths.is_empty() => std::future::pending().await,
                None => break,
            }
        }
        self.folders();
        std::mem::take(&mut self.paths).into_iter().collect()
    }

    /// Folders that were not there before, or others of their name.
    fn folders(&mut self) {
        for folder in FOLDERS.map(|folder| self.root.join(folder)).iter().filter(|folder| folder.is_dir()) {
            let _ = self.watcher.watch(folder, RecursiveMode::Recursive);
        }
    }

    /// The paths of an event that the service is made of.
    fn concerned(&self, event: &Event) -> Vec<String> {
        if matches!(event.kind, EventKind::Access(_)) {
            return Vec::new();
        }
        let concerned = event.paths.iter().filter(|path| is_concerned(&self.root, &self.asked, path));
        let mut paths: Vec<_> = concerned.map(|path| self.shown(path)).collect();
        if event.need_rescan() {
            paths.push("more than could be told".to_owned());
        }
        paths
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }
}

fn is_concerned(root: &Path, asked: &[PathBuf], path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What editors keep beside a file.
    if name.starts_with('.') || name.ends_with('~') {
        return false;
    }
    let below = path.strip_prefix(root).ok().and_then(|below| below.iter().next()).unwrap_or_default();
    let ours = FOLDERS.iter().any(|folder| below == *folder);
    ours || FILES.iter().any(|file| path == root.join(file)) || asked.iter().any(|asked| path.starts_with(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_service_is_made_of_concerns_it() {
        let asked = [PathBuf::from("/other/proto")];
        for (path, expected) in [
            ("/a/src/main.rs", true),
            ("/a/src/deep/in/mod.rs", true),
            ("/a/proto/shop.proto", true),
            ("/a/tegami.toml", true),
            ("/a/Cargo.toml", true),
            ("/other/proto/x.proto", true),
            ("/a/src/.main.rs.swp", false),
            ("/a/src/main.rs~", false),
            ("/a/Cargo.lock", false),
            ("/a/data/store.sqlite", false),
            ("/a/target/debug/build.rs", false),
            ("/a/sources/x.rs", false),
            ("/other/src/x.rs", false),
            ("/a", false),
        ] {
            assert_eq!(is_concerned(Path::new("/a"), &asked, Path::new(path)), expected, "{path}");
        }
    }
}
