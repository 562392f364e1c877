//! Who we are to AWS: credentials, kept until they end, and read anew when they are refused.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use futures_util::future::BoxFuture;
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use super::address::Parameters;
use crate::time::Clock;

/// Refused credentials are read again this often at most (N6).
const SPACING: Duration = Duration::from_secs(5);
/// Credentials that end within this time are no longer used.
const MARGIN: Duration = Duration::from_secs(60);

/// Makes a loader of the configuration that environment and files say now.
pub(super) type Read = Arc<dyn Fn() -> aws_config::ConfigLoader + Send + Sync>;

/// The credentials in use. Clones share them.
#[derive(Clone)]
pub(super) struct Wallet(Arc<Inner>);

struct Inner {
    source: Source,
    clock: Clock,
    held: Mutex<Held>,
    /// Held by whoever asks for credentials: what one is told serves all.
    asking: AsyncMutex<()>,
}

/// Where credentials come from.
pub(super) enum Source {
    /// From whoever set up the transport.
    Given(SharedCredentialsProvider),
    /// From environment, files, and what AWS tells its machines; then those of a role, if one is to be taken on.
    Found { read: Read, role: Option<Role> },
}

/// A role to take on.
#[derive(Clone)]
pub(super) struct Role {
    arn: String,
    external_id: Option<String>,
}

impl Role {
    /// The role that the URL names.
    pub(super) fn of(parameters: &Parameters) -> Option<Self> {
        let arn = parameters.role.clone()?;
        Some(Self { arn, external_id: parameters.external_id.clone() })
    }
}

#[derive(Default)]
struct Held {
    credentials: Option<Credentials>,
    provider: Option<SharedCredentialsProvider>,
    read: Option<Instant>,
    /// When somebody asked for new ones in vain.
    failed: Option<Instant>,
    /// There were some once.
    had: bool,
}

impl Wallet {
    pub(super) fn new(source: Source, clock: Clock) -> Self {
        Self(Arc::new(Inner { source, clock, held: Mutex::default(), asking: AsyncMutex::default() }))
    }

    /// Has credentials that were refused read again, files included (N6).
    pub(super) fn refused(&self) {
        let mut held = self.held();
        let now = self.0.clock.instant();
        if held.read.is_none_or(|read| now.duration_since(read) >= SPACING) {
            *held = Held { read: Some(now), had: held.had, ..Held::default() };
        }
    }

    /// Those in use; when they end within a minute, new ones. Where these cannot be had, the old ones serve to their end.
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let _alone = self.0.asking.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let asked = self.provider().await.provide_credentials().await;
        let mut held = self.held();
        match asked {
            Ok(credentials) => {
                (held.credentials, held.failed, held.had) = (Some(credentials.clone()), None, true);
                Ok(credentials)
            }
            Err(error) => {
                held.failed = Some(self.0.clock.instant());
                let known = held.credentials.clone().filter(|known| self.lasts(known, Duration::ZERO));
                // Who had credentials once is not without any: they will come again.
                known.ok_or_else(|| if held.had { CredentialsError::provider_error(error) } else { error })
            }
        }
    }

    /// What is good for a while, or for as long as nobody gives us better.
    fn known(&self) -> Option<Credentials> {
        let held = self.held();
        let now = self.0.clock.instant();
        let in_vain = held.failed.is_some_and(|failed| now.duration_since(failed) < SPACING);
        let margin = if in_vain { Duration::ZERO } else { MARGIN };
        held.credentials.clone().filter(|known| self.lasts(known, margin))
    }

    fn lasts(&self, credentials: &Credentials, margin: Duration) -> bool {
        let ends = self.0.clock.now() + margin;
        credentials.expiry().is_none_or(|expiry| expiry > ends)
    }

    async fn provider(&self) -> SharedCredentialsProvider {
        if let Some(known) = self.held().provider.clone() {
            return known;
        }
        let provider = match &self.0.source {
            Source::Given(given) => given.clone(),
            Source::Found { read, role } => found(read, role.clone()).await,
        };
        self.held().provider = Some(provider.clone());
        provider
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found<'a>(read: &'a Read, role: Option<Role>) -> BoxFuture<'a, SharedCredentialsProvider> {
    Box::pin(async move {
        let config = read().load().await;
        let found = config.credentials_provider();
        let nobody = || CredentialsError::not_loaded("there are none in the environment, the files, or on the machine");
        let Some(found) = found else { return SharedCredentialsProvider::new(Nobody(nobody)) };
        let Some(Role { arn, external_id }) = role else { return found };
        let mut taking_on = AssumeRoleProvider::builder(arn).session_name("tegami").configure(&config);
        if let Some(external_id) = external_id {
            taking_on = taking_on.external_id(external_id);
        }
        SharedCredentialsProvider::new(taking_on.build_from_provider(found).await)
    })
}

/// Has none.
struct Nobody(fn() -> CredentialsError);

impl std::fmt::Debug for Nobody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nobody")
    }
}

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(self.0()))
    }
}

impl std::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wallet").finish_non_exhaustive()
    }
}

impl ProvideCredentials for Wallet {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Gives credentials that end in 90 s, as often as it may; then none.
    #[derive(Debug)]
    struct Giver {
        asked: Arc<AtomicUsize>,
        gives: usize,
    }

    impl ProvideCredentials for Giver {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                let asked = self.asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
                if asked >= self.gives {
                    return Err(CredentialsError::not_loaded("nobody is at home"));
                }
                let ends = Clock::system().now() + Duration::from_secs(90);
                Ok(Credentials::new(asked.to_string(), "secret", None, Some(ends), "test"))
            })
        }
    }

    fn wallet(gives: usize) -> (Wallet, Arc<AtomicUsize>) {
        let asked = Arc::<AtomicUsize>::default();
        let giver = SharedCredentialsProvider::new(Giver { asked: asked.clone(), gives });
        (Wallet::new(Source::Given(giver), Clock::system()), asked)
    }

    async fn key(wallet: &Wallet) -> Result<String, bool> {
        let given = wallet.credentials().await;
        given
            .map(|given| given.access_key_id().to_owned())
            .map_err(|error| matches!(error, CredentialsError::CredentialsNotLoaded(_)))
    }

    #[tokio::test(start_paused = true)]
    async fn n6_all_who_need_credentials_at_once_ask_once() {
        let (wallet, asked) = wallet(usize::MAX);
        let keys = futures_util::future::join_all((0..10).map(|_| key(&wallet))).await;
        assert!(keys.iter().all(|key| key.as_deref() == Ok("0")), "{keys:?}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn n6_refused_credentials_are_read_again_at_once_and_then_every_five_seconds() {
        let (wallet, _) = wallet(usize::MAX);
        let mut keys = Vec::new();
        for _ in 0..12 {
            wallet.refused();
            keys.push(key(&wallet).await.expect("there are some"));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(keys.join(" "), "0 0 0 0 0 1 1 1 1 1 2 2");
    }

    #[tokio::test(start_paused = true)]
    async fn n6_where_no_new_ones_can_be_had_the_old_ones_serve_to_their_end() {
        let (wallet, asked) = wallet(1);
        assert_eq!(key(&wallet).await.as_deref(), Ok("0"));
        tokio::time::sleep(Duration::from_secs(40)).await;
        for _ in 0..40 {
            assert_eq!(key(&wallet).await.as_deref(), Ok("0"), "they are good for a while");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let tries = asked.load(Ordering::Relaxed);
        assert!((5..=10).contains(&tries), "asked {tries} times within 40 s");
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert_eq!(key(&wallet).await, Err(false), "which passes");
    }

    #[tokio::test(start_paused = true)]
    async fn k1_who_never_had_credentials_has_none() {
        assert_eq!(key(&wallet(0).0).await, Err(true));
    }
}
