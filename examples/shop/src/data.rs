//! Where the shop keeps what must not be lost: one SQLite file for each service.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tegami::{error::BoxError, sqlite::Database};

/// How long the work of a process that was killed waits for the next one. It begins again soon; with several processes of
/// one service it may be longer.
pub const HOLD: Duration = Duration::from_secs(1);

/// The folder with the files: what `SHOP_DATA` names, or `shop-data`.
pub fn folder() -> PathBuf {
    env::var_os("SHOP_DATA").map_or_else(|| "shop-data".into(), PathBuf::from)
}

/// Opens a file, and makes it and its tables if they are not there.
pub async fn open(folder: &Path, file: &str, tables: &'static str) -> Result<Database, BoxError> {
    fs::create_dir_all(folder)?;
    let db = Database::connect(folder.join(file)).await?;
    let mut tx = db.begin().await?;
    tx.run(move |sql| sql.execute_batch(tables)).await?;
    tx.commit().await?;
    Ok(db)
}

/// A folder that is gone after the test.
#[cfg(test)]
pub struct Temporary(pub PathBuf);

#[cfg(test)]
impl Temporary {
    pub fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("shop-{name}-{}", std::process::id())))
    }
}

#[cfg(test)]
impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
