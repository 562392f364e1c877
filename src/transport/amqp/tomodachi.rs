//! The names that tomodachi gives to queues.

use super::super::tomodachi;

/// The queue that tomodachi reads for this routing key, where its `@amqp` says `competing=True` and no `queue_name`.
///
/// Give it to [`Subscription::queue`](crate::Subscription::queue), with `compat=tomodachi` in the broker's URL, to read
/// beside a service that runs already. Both names are without the environment's prefix, which is tomodachi's
/// `queue_name_prefix` and `routing_key_prefix`.
///
/// The key is the one on the wire: tomodachi sends what is beyond printable ASCII encoded, `ö` as `___c3b6_`. The names of
/// protobuf events have none; a contract that sets a `routing_key` of tomodachi's with such characters sets it encoded.
///
/// # Examples
/// ```
/// use tegami::transport::amqp::tomodachi_queue;
///
/// let queue = tomodachi_queue("test.topic");
/// assert_eq!(queue, "540e8e5bc604e4ea618f7e0517a04f030ad1dcbff2e121e9466ddd1c811450bf");
/// ```
pub fn tomodachi_queue(routing_key: &str) -> String {
    tomodachi::queue(routing_key)
}
