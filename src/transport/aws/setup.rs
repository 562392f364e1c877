//! What all parts of one transport share.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, identity::IdentityCache, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::SharedHttpClient, orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::{SdkConfig, service_config::ServiceConfigKey};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tracing::{Dispatch, instrument::WithSubscriber};

use super::{
    address::{Address, setting},
    directory::Directory,
    fault::{Fault, FaultKind, Reach},
    pulse::Pulse,
    upkeep::Upkeep,
    wallet::{Read, Role, Source, Wallet},
};
use crate::{
    lifecycle::Quarters,
    time::{Clock, Dice},
    transport::{TransportError, TransportErrorKind},
};

/// Where the SDK finds the endpoint of all services. What is no URL it passes over, and goes to AWS.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// The services that may have endpoints of their own: `AWS_ENDPOINT_URL_SNS`, or `endpoint_url` of `sns` in the profile.
const SERVICES: [&str; 3] = ["SNS", "SQS", "STS"];
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take that does not wait for messages.
pub(super) const CALL: Duration = Duration::from_secs(10);

/// Settings and clock of one transport, and the thread it lives on.
pub(super) struct Setup {
    address: Result<Address, TransportError>,
    credentials: Option<SharedCredentialsProvider>,
    lodging: Mutex<Lodging>,
    clients: OnceCell<Clients>,
    /// Set once the transport is closed, and what it held is lost.
    pub(super) gone: CancellationToken,
    pub(super) directory: Directory,
    pub(super) upkeep: Upkeep,
    pub(super) pulse: Arc<Pulse>,
    pub(super) clock: Clock,
    pub(super) dice: Dice,
}

/// Where the transport lives.
#[derive(Default)]
enum Lodging {
    #[default]
    NotYet,
    At(Arc<Quarters>),
    /// It was closed; what is asked for afterwards opens no other.
    Left,
}

/// Gives the thread up at its end.
pub(super) struct Leaving<'a>(&'a Setup);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.gone.cancel();
        *self.0.lodging() = Lodging::Left;
    }
}

/// The ways to SNS, SQS and STS. Used on the transport's thread only: connections live where they were made.
pub(super) struct Clients {
    pub(super) sns: aws_sdk_sns::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) region: String,
    wallet: Wallet,
    pulse: Arc<Pulse>,
    clock: Clock,
}

impl Clients {
    /// Makes a call, in this time at most. Refused credentials are read again for the next one (N6).
    pub(super) async fn call<T, E>(
        &self,
        time: Duration,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Fault>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let answer = self.ask(time, call).await;
        self.pulse.beat(answer.as_ref().err(), self.clock.instant());
        if answer.as_ref().is_err_and(|fault| fault.kind == FaultKind::Credentials) {
            self.wallet.refused();
        }
        answer
    }

    /// Makes a call of which nothing else is to be concluded.
    pub(super) async fn ask<T, E>(
        &self,
        time: Duration,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Fault>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        // The SDK writes whole answers into its log, with what messages hold.
        match tokio::time::timeout(time, call.with_subscriber(Dispatch::none())).await {
            Ok(answer) => answer.map_err(Fault::of),
            Err(_) => Err(Fault::new(FaultKind::Away, Reach::Maybe, format!("no answer within {time:?}"))),
        }
    }
}

impl Setup {
    /// The settings of this URL; what is wrong with it is told at the start.
    pub(super) fn new(url: &str) -> Self {
        Self::of(Address::parse(url))
    }

    fn of(address: Result<Address, TransportError>) -> Self {
        Self {
            address,
            credentials: None,
            lodging: Mutex::default(),
            clients: OnceCell::new(),
            gone: CancellationToken::new(),
            directory: Directory::default(),
            upkeep: Upkeep::default(),
            pulse: Arc::default(),
            clock: Clock::system(),
            dice: Dice::system(),
        }
    }

    /// The settings of this URL, with these credentials.
    pub(super) fn with(address: Result<Address, TransportError>, credentials: SharedCredentialsProvider) -> Self {
        Self { credentials: Some(credentials), ..Self::of(address) }
    }

    /// What the URL says.
    pub(super) fn address(&self) -> Result<&Address, TransportError> {
        self.address.as_ref().map_err(TransportError::again)
    }

    /// The ways to the services, made at first use; on the transport's thread.
    pub(super) async fn clients(&self) -> Result<&Clients, TransportError> {
        self.clients.get_or_try_init(|| self.dial()).await
    }

    /// The thread that everything happens on: time must not run out while handlers block theirs.
    fn quarters(&self) -> Result<Arc<Quarters>, TransportError> {
        let mut lodging = self.lodging();
        match &*lodging {
            Lodging::At(quarters) => return Ok(quarters.clone()),
            Lodging::Left => return Err(closed()),
            Lodging::NotYet => {}
        }
        let quarters = Quarters::open("tegami-aws").map(Arc::new).map_err(|error| {
            let text = "a thread for the calls to AWS cannot be started";
            TransportError::new(TransportErrorKind::Unreachable, text).caused_by(error)
        })?;
        *lodging = Lodging::At(quarters.clone());
        Ok(quarters)
    }

    /// Gives the thread up, and what still runs there, once what is done until then is done or dropped.
    pub(super) fn leaving(&self) -> Leaving<'_> {
        Leaving(self)
    }

    fn lodging(&self) -> MutexGuard<'_, Lodging> {
        self.lodging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has this run on the transport's thread, until it ends or the transport is closed.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Result<(), TransportError> {
        self.quarters()?.spawn(task);
        Ok(())
    }

    /// Runs this on the transport's thread.
    ///
    /// # Cancel safety
    /// It goes on without its caller.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, TransportError>> + Send + 'static,
    ) -> Result<T, TransportError> {
        let done = self.quarters()?.run(work).await;
        done.unwrap_or_else(|_| Err(closed()))
    }

    async fn dial(&self) -> Result<Clients, TransportError> {
        let address = self.address()?;
        let wallet = Wallet::new(self.source(address), self.clock);
        let loader = loader(address).credentials_provider(wallet.clone()).identity_cache(IdentityCache::no_cache());
        let config = loader.load().with_subscriber(Dispatch::none()).await;
        let region = config.region().map(ToString::to_string).ok_or_else(|| {
            setting("there is no region; give it as `aws:eu-west-1`, or in AWS_REGION, or in the profile")
        })?;
        config.endpoint_url().map_or(Ok(()), |endpoint| address.refuse_unsafe(endpoint))?;
        let parameters = address.parameters();
        if parameters.endpoint.is_none() {
            endpoints(&config).try_for_each(|endpoint| {
                address.refuse_unsafe(&endpoint)?;
                is_web(&endpoint).then_some(()).ok_or_else(|| setting("an endpoint is no `https://host:port`"))
            })?;
        }
        let mut sns = aws_sdk_sns::config::Builder::from(&config);
        let mut sqs = aws_sdk_sqs::config::Builder::from(&config);
        if let Some(endpoint) = &parameters.sns_endpoint {
            sns = sns.endpoint_url(endpoint);
        }
        let mut sts = aws_sdk_sts::config::Builder::from(&config);
        // An emulator is asked for everything.
        if let Some(endpoint) = parameters.sns_endpoint.as_ref().filter(|_| address.is_emulator()) {
            sts = sts.endpoint_url(endpoint);
        }
        if let Some(endpoint) = &parameters.sqs_endpoint {
            sqs = sqs.endpoint_url(endpoint);
        }
        Ok(Clients {
            sns: aws_sdk_sns::Client::from_conf(sns.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            region,
            wallet,
            pulse: self.pulse.clone(),
            clock: self.clock,
        })
    }

    fn source(&self, address: &Address) -> Source {
        match &self.credentials {
            Some(given) => Source::Given(given.clone()),
            None if address.is_emulator() => {
                Source::Given(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "emulator")))
            }
            None => {
                let (role, address) = (Role::of(address.parameters()), address.clone());
                let read: Read = Arc::new(move || loader(&address));
                Source::Found { read, role }
            }
        }
    }
}

/// What every client has: our deadlines, and no retries but ours. The SDK's end when its bucket of tokens is empty, and
/// then it fails at once, again and again.
fn loader(address: &Address) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled());
    if let Some(region) = address.region() {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(profile) = &address.parameters().profile {
        loader = loader.profile_name(profile);
    }
    match &address.parameters().endpoint {
        Some(endpoint) => loader.endpoint_url(endpoint),
        None => loader,
    }
}

/// What environment and profile say of where services are, beside what the SDK has read already.
fn endpoints(config: &SdkConfig) -> impl Iterator<Item = String> {
    let own = |service| {
        let key = ServiceConfigKey::builder().service_id(service).env(ENDPOINT).profile("endpoint_url").build();
        config.service_config()?.load_config(key.ok()?)
    };
    SERVICES.into_iter().filter_map(own).chain(std::env::var(ENDPOINT))
}

fn is_web(endpoint: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| endpoint.starts_with(scheme))
}

fn http() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Nothing more is done on a closed transport.
pub(super) fn closed() -> TransportError {
    TransportError::new(TransportErrorKind::Closed, "the transport to SNS and SQS was closed")
}
