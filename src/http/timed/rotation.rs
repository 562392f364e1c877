//! How old connections become.

use super::*;

#[tokio::test(start_paused = true)]
async fn w1_connections_that_began_together_are_closed_apart_and_within_a_quarter_of_their_time() {
    const MANY: usize = 200;
    let hour = Duration::from_secs(3600);
    let shared = shared(router(), |limits| limits.keep_alive_time = hour, None);
    let mut connections = Vec::new();
    for _ in 0..MANY {
        let mut client = connect(&shared, 4096).await;
        assert_eq!(ask(&mut client, REQUEST).await, Some(200));
        connections.push(tokio::spawn(async move { closed(&mut client).await }));
    }
    let mut ages = Vec::new();
    for connection in connections {
        ages.push(connection.await.expect("no panic"));
    }
    ages.sort();
    assert!(ages[0] + MOMENT >= hour && ages[MANY - 1] <= hour + hour / 4 + MOMENT, "{ages:?}");
    assert!(ages[0] < hour + hour / 40 && ages[MANY - 1] > hour + hour / 4 - hour / 40, "{ages:?}");
    ages.dedup();
    assert!(ages.len() > MANY * 9 / 10, "{} differ", ages.len());
}

#[tokio::test(start_paused = true)]
async fn w1_a_connection_is_not_closed_before_its_time_however_much_it_is_used() {
    let mut client = client(|limits| limits.keep_alive_time = 10 * LIMIT).await;
    let since = Instant::now();
    while since.elapsed() + LIMIT < 10 * LIMIT {
        assert_eq!(ask(&mut client, REQUEST).await, Some(200), "after {:?}", since.elapsed());
        sleep(LIMIT).await;
    }
    closed(&mut client).await;
    assert!((10 * LIMIT..=10 * LIMIT * 5 / 4 + MOMENT).contains(&since.elapsed()), "{:?}", since.elapsed());
}
