//! Over RabbitMQ, of two releases.

mod answers;
mod office;
mod shares;
mod words;

use tegami_test_servers::Release;

use crate::peer::Kind;

macro_rules! on_each_release {
    // A test is a function of its own: there is no other way to have one for each release.
    ($($name:ident: $case:path $(, $kind:expr)?;)*) => {
        mod rabbitmq_3 {
            use super::*;
            $(#[tokio::test] async fn $name() { $case(Release::V3 $(, $kind)?).await })*
        }
        mod rabbitmq_4 {
            use super::*;
            $(#[tokio::test] async fn $name() { $case(Release::V4 $(, $kind)?).await })*
        }
    };
}

on_each_release! {
    p9_tomodachi_reads_json_that_tegami_publishes: words::to_tomodachi, Kind::Json;
    p9_tomodachi_reads_protobuf_that_tegami_publishes: words::to_tomodachi, Kind::Protobuf;
    p9_tegami_reads_json_that_tomodachi_publishes: words::to_tegami, Kind::Json;
    p9_tegami_reads_protobuf_that_tomodachi_publishes: words::to_tegami, Kind::Protobuf;
    p9_json_schema_keeps_the_names_that_tomodachi_reads: words::by_json_schema;
    p9_tegami_answers_in_the_conversation_that_tomodachi_began: answers::in_the_conversation;
    r1_json_without_properties_is_retried_kept_and_put_back: answers::failing, Kind::Json;
    r1_protobuf_without_properties_is_retried_kept_and_put_back: answers::failing, Kind::Protobuf;
    d3_tegami_joins_a_queue_of_tomodachi: shares::tomodachi_first;
    d3_tomodachi_joins_a_queue_of_tegami: shares::tegami_first;
    d3_tegami_joins_a_queue_that_tomodachi_named: shares::named_by_tomodachi;
    d1_tegami_gets_what_a_killed_tomodachi_held: shares::killed;
    d1_tomodachi_gets_what_tegami_gave_up_on_and_put_back: shares::put_back;
    k1_a_queue_of_tomodachi_is_refused_without_compat: shares::without_compat;
}
