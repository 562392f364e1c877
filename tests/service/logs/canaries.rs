//! K-03: of many secrets, put wherever a service takes anything, none is told, at any level in any format.

use tegami::{error::BoxError, transport::Memory};

use crate::canaries::{Life, live};

/// Not a test by itself: the process that the test starts.
#[tokio::test]
async fn a_life() -> Result<(), BoxError> {
    live(|_| Memory::named("canaries")).await
}

#[tokio::test]
async fn k03_no_secret_is_told_on_the_memory_transport() {
    for format in ["console", "json"] {
        let life = Life::of("logs::canaries::a_life", format).on("memory:canaries");
        let words = [
            "attempt failed",
            "given up",
            "on purpose",
            "status_code",
            "user:***@host",
            "is no TOML",
            "the run failed",
            "the collector was shown its secret",
        ];
        life.tells(&words).await;
    }
}
