//! Which calls are struck, and with what; and what has been called and struck so far.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use super::call::Call;

/// What is done to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Answers with this status and error code, in the words of the service; nothing is done.
    Answer(u16, &'static str),
    /// The signature is wrong; the answer has all that was to be signed in it, as that of AWS.
    WrongSignature,
    /// The service has had too many calls, and says so as it really does.
    Throttled,
    /// The call waits until [`lift`](super::AwsFault::lift), then it goes on; [`spare`](super::AwsFault::spare) lets it wait.
    Hang,
    /// The connection is reset; nothing is done.
    Reset,
    /// The call is done, and the connection is reset in place of the answer.
    LostAnswer,
    /// The call is done so much later.
    Late(Duration),
    /// The call is answered as if it were done: a delete, or a change of visibility, one or many.
    Pretended,
    /// The call is done; of the answer's body, one half comes, then the connection ends.
    Cut,
    /// The call is done; the answer's body comes byte by byte, with such a pause before each.
    Drip(Duration),
    /// Every other entry of a batch fails, and the first one first. Another call is not touched.
    PartlyFailed(Applied),
    /// A receive is answered with what the last one of the queue brought that brought anything; nothing is done.
    EarlierReceive,
    /// The call is done, and every MD5 in the answer is another's.
    WrongDigest,
}

impl Trouble {
    /// Credentials that are no longer good.
    pub const EXPIRED: Self = Self::Answer(403, "ExpiredToken");
    /// No access to this operation.
    pub const DENIED: Self = Self::Answer(403, "AccessDenied");
    /// Something broke inside of the service.
    pub const INTERNAL: Self = Self::Answer(500, "InternalFailure");
    /// The service is not there just now.
    pub const UNAVAILABLE: Self = Self::Answer(503, "ServiceUnavailable");
}

/// Was done what is said to have failed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was.
    Yes,
    /// It was not.
    No,
}

/// Which calls are struck, and with what.
#[derive(Debug, Clone)]
pub struct Rule {
    operation: &'static str,
    ending: &'static str,
    key: Option<&'static str>,
    left: u64,
    share: f64,
    trouble: Trouble,
}

impl Rule {
    /// Strikes every call of this operation; `SendMessage*` are all that begin so, `*` are all.
    pub fn on(operation: &'static str, trouble: Trouble) -> Self {
        Self { operation, ending: "", key: None, left: u64::MAX, share: 1.0, trouble }
    }

    /// Only calls for a queue or topic whose name ends so.
    pub fn to(self, ending: &'static str) -> Self {
        Self { ending, ..self }
    }

    /// Only calls that are signed with the key of this id.
    pub fn signed_with(self, key: &'static str) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Only so many calls.
    pub fn times(self, times: u64) -> Self {
        Self { left: times, ..self }
    }

    /// Only such a share of calls, by chance.
    pub fn share(self, share: f64) -> Self {
        Self { share, ..self }
    }

    fn is_for(&self, call: &Call) -> bool {
        let signed = self.key.is_none_or(|key| call.key == key);
        self.left > 0 && signed && is_named(&call.operation, self.operation) && call.target.ends_with(self.ending)
    }
}

fn is_named(operation: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(operation == pattern, |beginning| operation.starts_with(beginning))
}

/// A call that was made, once or more often.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// What was called.
    pub operation: String,
    /// The queue's URL, the topic's, subscription's or role's ARN, or the name of what is looked for or made.
    pub target: String,
    /// The id of the key that it was signed with.
    pub key: String,
}

/// All rules, and what came of them.
#[derive(Debug)]
pub(super) struct Book {
    pages: Mutex<Pages>,
    lifted: watch::Sender<()>,
}

#[derive(Debug)]
struct Pages {
    rules: Vec<Rule>,
    chance: fastrand::Rng,
    /// How often each operation was called, and how often something was done to it.
    counts: BTreeMap<String, [u64; 2]>,
    made: BTreeSet<Made>,
}

impl Book {
    pub(super) fn new(seed: u64) -> Self {
        let chance = fastrand::Rng::with_seed(seed);
        let pages = Pages { rules: Vec::new(), chance, counts: BTreeMap::new(), made: BTreeSet::new() };
        Self { pages: Mutex::new(pages), lifted: watch::Sender::new(()) }
    }

    pub(super) fn put(&self, rule: Rule) {
        self.pages().rules.push(rule);
    }

    pub(super) fn spare(&self) {
        self.pages().rules.clear();
    }

    pub(super) fn lift(&self) {
        self.spare();
        self.lifted.send_replace(());
    }

    /// Waits until the rules are lifted, from when this is called.
    pub(super) fn until_lifted(&self) -> impl Future<Output = ()> + use<> {
        let mut lifted = self.lifted.subscribe();
        async move {
            // The book is there for as long as calls are.
            let _ = lifted.changed().await;
        }
    }

    /// Counts the call; what is to be done to it.
    pub(super) fn strike(&self, call: &Call) -> Option<Trouble> {
        let Pages { rules, chance, counts, made } = &mut *self.pages();
        let Call { operation, target, key, .. } = call.clone();
        made.insert(Made { operation, target, key });
        let rule = rules.iter_mut().find(|rule| rule.is_for(call) && chance.f64() < rule.share);
        let count = counts.entry(call.operation.clone()).or_default();
        count[0] += 1;
        let rule = rule?;
        rule.left -= 1;
        count[1] += 1;
        Some(rule.trouble)
    }

    pub(super) fn calls(&self, operation: &str) -> u64 {
        self.sum(operation, 0)
    }

    pub(super) fn struck(&self, operation: &str) -> u64 {
        self.sum(operation, 1)
    }

    pub(super) fn counts(&self) -> Vec<(String, u64)> {
        self.pages().counts.iter().map(|(operation, [calls, _])| (operation.clone(), *calls)).collect()
    }

    pub(super) fn made(&self) -> BTreeSet<Made> {
        self.pages().made.clone()
    }

    fn sum(&self, operation: &str, which: usize) -> u64 {
        let pages = self.pages();
        pages.counts.iter().filter(|(name, _)| is_named(name, operation)).map(|(_, counts)| counts[which]).sum()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
