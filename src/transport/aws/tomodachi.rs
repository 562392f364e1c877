//! The names that tomodachi gives to queues.

use super::super::tomodachi;

/// The queue that tomodachi reads for this topic, where its `@aws_sns_sqs` says `competing=True` and no `queue_name`.
///
/// Give it to [`Subscription::queue`](crate::Subscription::queue), with `compat=tomodachi` in the URL, to read beside a
/// service that runs already. Both names are without the environment's prefix, which is tomodachi's `topic_prefix` and
/// `queue_name_prefix`.
///
/// The topic is the one in tomodachi's code. Where that says `fifo=True`, the queue's name ends in `.fifo`: add it, unless
/// the topic is written with it there.
///
/// # Examples
/// ```
/// use tegami::transport::aws::tomodachi_queue;
///
/// let queue = tomodachi_queue("test-topic");
/// assert_eq!(queue, "c6fb053c1b70aabd10bfefd087166b532b7c79ed12d24f2d43a9999c724797fd");
/// let ordered = tomodachi_queue("test-topic.fifo");
/// assert_eq!(ordered, "1183df5a6172224209951ac7251ea9bdab277dbe988cde334fd30f84144cafeb.fifo");
/// ```
pub fn tomodachi_queue(topic: &str) -> String {
    let ending = if topic.ends_with(".fifo") { ".fifo" } else { "" };
    tomodachi::queue(topic) + ending
}
