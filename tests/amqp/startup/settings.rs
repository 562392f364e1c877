//! URLs that are wrong by themselves.

use super::{PASSWORD, assert_refused, service::run};

#[tokio::test]
async fn k1_a_wrong_url_ends_the_start_with_the_part_that_is_wrong() {
    for (rest, words) in [
        ("rabbit:5672/%2f?heartbeats=5&plaintext=allow", ["the broker's URL", "`heartbeats`"]),
        ("rabbit/%2f?plaintext=allow&queue_type=lazy", ["the broker's URL", "`queue_type` is `lazy`"]),
        ("localhost:70000", ["the broker's URL", "port"]),
        ("local@host", ["the broker's URL", "`%40`"]),
        ("", ["the broker's URL", "host"]),
        ("rabbit", ["unencrypted to `rabbit`", "amqps://"]),
        ("localhost/a/b", ["virtual host", "`%2f`"]),
    ] {
        let told = run("plain", &format!("amqp://clerk:{PASSWORD}@{rest}"), &[]).await;
        assert_refused(&told, &words);
        assert_refused(&told, &["transient: false"]);
    }
}

#[tokio::test]
async fn k1_guest_is_for_this_machine_only() {
    let told = run("plain", "amqps://guest:guest@rabbit", &[]).await;
    assert_refused(&told, &["`guest`", "`rabbit`"]);
}

#[tokio::test]
async fn l3_retries_in_their_place_for_longer_than_rabbitmq_waits_for_an_ack_are_refused() {
    let told = run("patient", "amqp://guest:guest@localhost:1", &[]).await;
    assert_refused(&told, &["-StockMoved.fifo`", "2250s", "`amqp`", "1800s"]);
}

#[tokio::test]
async fn k1_a_file_of_authorities_that_cannot_be_read_is_told_with_the_cause() {
    let told = run("plain", &format!("amqps://clerk:{PASSWORD}@rabbit?ca=/nowhere/ca.pem"), &[]).await;
    assert_refused(&told, &["`ca` is `/nowhere/ca.pem`", "No such file"]);
}
