//! Over SNS and SQS, as two emulators have them.

mod answers;
mod attributes;
mod office;
mod order;
mod shares;
mod words;

use tegami_test_servers::Kind as Emulated;

use self::office::Way;
use crate::peer::Kind;

macro_rules! on_each_emulator {
    // A test is a function of its own: there is no other way to have one for each emulator.
    ($($name:ident: $case:path $(, $what:expr)*;)*) => {
        mod localstack {
            use super::*;
            $(#[tokio::test] async fn $name() { $case(Emulated::LocalStack $(, $what)*).await })*
        }
        mod ministack {
            use super::*;
            $(#[tokio::test] async fn $name() { $case(Emulated::MiniStack $(, $what)*).await })*
        }
    };
}

on_each_emulator! {
    p9_tomodachi_reads_json_that_tegami_publishes: words::to_tomodachi, Kind::Json, Way::Topic;
    p9_tomodachi_reads_protobuf_that_tegami_publishes: words::to_tomodachi, Kind::Protobuf, Way::Topic;
    p9_tomodachi_reads_json_that_tegami_sends_to_its_queue: words::to_tomodachi, Kind::Json, Way::Queue;
    p9_tomodachi_reads_protobuf_that_tegami_sends_to_its_queue: words::to_tomodachi, Kind::Protobuf, Way::Queue;
    p9_tegami_reads_json_that_tomodachi_publishes: words::to_tegami, Kind::Json, Way::Topic;
    p9_tegami_reads_protobuf_that_tomodachi_publishes: words::to_tegami, Kind::Protobuf, Way::Topic;
    p9_tegami_reads_json_in_a_notification: words::to_tegami, Kind::Json, Way::Notification;
    p9_tegami_reads_protobuf_in_a_notification: words::to_tegami, Kind::Protobuf, Way::Notification;
    p9_tegami_reads_json_that_tomodachi_sends_to_its_queue: words::to_tegami, Kind::Json, Way::Queue;
    p9_tegami_reads_protobuf_that_tomodachi_sends_to_its_queue: words::to_tegami, Kind::Protobuf, Way::Queue;
    p9_attributes_of_all_types_reach_tomodachi_through_a_topic: attributes::to_tomodachi, Way::Topic;
    p9_attributes_of_all_types_reach_tomodachi_in_its_queue: attributes::to_tomodachi, Way::Queue;
    p9_attributes_of_all_types_come_from_tomodachi_through_a_topic: attributes::to_tegami, Way::Topic;
    p9_attributes_of_all_types_come_from_tomodachi_in_a_notification: attributes::to_tegami, Way::Notification;
    p9_attributes_of_all_types_come_from_tomodachi_in_a_queue: attributes::to_tegami, Way::Queue;
    r1_json_of_tomodachi_is_retried_kept_and_put_back: answers::failing, Kind::Json;
    r1_protobuf_of_tomodachi_is_retried_kept_and_put_back: answers::failing, Kind::Protobuf;
    o2_tomodachi_gets_what_tegami_publishes_in_order_in_its_groups: order::to_tomodachi, Kind::Json, Way::Topic;
    o2_tomodachi_gets_what_tegami_sends_in_order_in_its_groups: order::to_tomodachi, Kind::Json, Way::Queue;
    o2_tomodachi_gets_protobuf_that_tegami_publishes_in_order: order::to_tomodachi, Kind::Protobuf, Way::Topic;
    o2_tomodachi_gets_protobuf_that_tegami_sends_in_order: order::to_tomodachi, Kind::Protobuf, Way::Queue;
    o2_tegami_keeps_the_order_of_what_tomodachi_publishes: order::to_tegami, Kind::Json, Way::Topic;
    o2_tegami_keeps_the_order_of_notifications: order::to_tegami, Kind::Json, Way::Notification;
    o2_tegami_keeps_the_order_of_what_tomodachi_sends: order::to_tegami, Kind::Json, Way::Queue;
    o2_tegami_keeps_the_order_of_protobuf_that_tomodachi_publishes: order::to_tegami, Kind::Protobuf, Way::Topic;
    o2_tegami_keeps_the_order_of_protobuf_in_notifications: order::to_tegami, Kind::Protobuf, Way::Notification;
    o2_tegami_keeps_the_order_of_protobuf_that_tomodachi_sends: order::to_tegami, Kind::Protobuf, Way::Queue;
    o2_what_tegami_gives_up_on_says_its_group: order::given_up, Kind::Json;
    o2_protobuf_that_tegami_gives_up_on_says_its_group: order::given_up, Kind::Protobuf;
    o2_a_queue_in_order_that_tomodachi_named_is_shared_in_order: order::shared, Kind::Json;
    o2_protobuf_in_a_queue_that_tomodachi_named_is_shared_in_order: order::shared, Kind::Protobuf;
    d3_tegami_joins_a_queue_of_tomodachi: shares::tomodachi_first;
    d3_tomodachi_joins_a_queue_of_tegami_and_replaces_its_policy: shares::tegami_first;
    d3_tegami_joins_a_queue_that_tomodachi_named: shares::named_by_tomodachi;
    d1_tegami_gets_what_a_killed_tomodachi_held: shares::killed;
    d1_tomodachi_gets_what_tegami_gave_up_on_and_put_back: shares::put_back;
}
