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
use tokio::time::Instant;

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
}

impl Wallet {
    pub(super) fn new(source: Source, clock: Clock) -> Self {
        Self(Arc::new(Inner { source, clock, held: Mutex::default() }))
    }

    /// Has credentials that were refused read again, files included (N6).
    pub(super) fn refused(&self) {
        let mut held = self.held();
        let now = self.0.clock.instant();
        if held.read.is_none_or(|read| now.duration_since(read) >= SPACING) {
            *held = Held { read: Some(now), ..Held::default() };
        }
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let ends = self.0.clock.now() + MARGIN;
        let good = |known: &Credentials| known.expiry().is_none_or(|expiry| expiry > ends);
        if let Some(known) = self.held().credentials.clone().filter(good) {
            return Ok(known);
        }
        let provider = self.provider().await;
        let credentials = provider.provide_credentials().await?;
        self.held().credentials = Some(credentials.clone());
        Ok(credentials)
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
