//! The headers that this transport keeps for itself, and those that the broker does.

/// What must stay in order together.
pub(super) const KEY: &str = "tegami-key";
/// Number of the next delivery.
pub(super) const ATTEMPT: &str = "tegami-attempt";
/// When the queue first handed the message out, in milliseconds since 1970.
pub(super) const FIRST: &str = "tegami-first";
/// The message must not be handled before then, in milliseconds since 1970.
pub(super) const NOT_BEFORE: &str = "tegami-not-before";
/// Why it was given up on, as JSON.
pub(super) const REASON: &str = "tegami-reason";
/// What the guard had to take out of the headers.
pub(super) const REFUSED: &str = "tegami-refused";
/// In a table of its own: the digits of a whole number of more than 64 bits with its sign.
pub(super) const INTEGER: &str = "tegami-integer";
/// Where and why the broker itself put the message aside.
pub(super) const DEATHS: &str = "x-death";

const OURS: [&str; 6] = [KEY, ATTEMPT, FIRST, NOT_BEFORE, REASON, REFUSED];
/// RabbitMQ acts on these, or writes them: see https://www.rabbitmq.com/docs/sender-selected, /docs/dlx and
/// /docs/quorum-queues.
const BROKERS: [&str; 5] = ["CC", "BCC", DEATHS, "x-delivery-count", "x-acquired-count"];
const BROKERS_BEGIN: [&str; 2] = ["x-first-death-", "x-last-death-"];

/// Does nobody but this transport and the broker write this header?
pub(super) fn is_kept(name: &str) -> bool {
    OURS.contains(&name) || BROKERS.contains(&name) || BROKERS_BEGIN.iter().any(|begin| name.starts_with(begin))
}
