use std::{collections::VecDeque, sync::Arc};

use super::*;

/// A desk that writes down what it is sent, and answers as it is told to.
struct Scripted {
    sent: Mutex<Vec<(Duration, Vec<&'static str>)>>,
    answers: Mutex<VecDeque<Vec<Result<(), Fault>>>>,
    settled: Mutex<Vec<(&'static str, Result<(), Fault>)>>,
    began: Instant,
}

impl Scripted {
    fn answering(answers: impl IntoIterator<Item = Vec<Result<(), Fault>>>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { sent: Mutex::default(), answers, settled: Mutex::default(), began: Clock::system().instant() })
    }

    fn sent(&self) -> Vec<Vec<&'static str>> {
        self.sent.lock().unwrap().iter().map(|(_, entries)| entries.clone()).collect()
    }

    fn outcomes(&self) -> Vec<(&'static str, Option<Reach>)> {
        let mut settled: Vec<_> =
            self.settled.lock().unwrap().iter().map(|(e, o)| (*e, o.as_ref().err().map(|f| f.reach))).collect();
        settled.sort_by_key(|(entry, _)| *entry);
        settled
    }
}

impl Desk for Arc<Scripted> {
    type Entry = &'static str;

    const BYTES: usize = 100;

    /// `40 bytes` has forty.
    fn bytes(&self, entry: &&'static str) -> usize {
        entry.split_once(' ').and_then(|(bytes, _)| bytes.parse().ok()).unwrap_or(1)
    }

    /// `a1` is in lane `a`; names in capitals are in none.
    fn lane<'a>(&self, entry: &'a &'static str) -> Option<&'a str> {
        entry.starts_with(|c: char| c.is_ascii_lowercase()).then(|| &entry[..1])
    }

    fn until(&self, _: &&'static str) -> Instant {
        self.began + Duration::from_secs(5)
    }

    async fn send(&self, entries: &[&&'static str]) -> Vec<Result<(), Fault>> {
        let entries: Vec<_> = entries.iter().map(|entry| **entry).collect();
        self.sent.lock().unwrap().push((self.began.elapsed(), entries.clone()));
        tokio::time::sleep(Duration::from_millis(10)).await;
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| entries.iter().map(|_| Ok(())).collect())
    }

    fn settled(&self, entry: &'static str, outcome: Result<(), Fault>) {
        self.settled.lock().unwrap().push((entry, outcome));
    }
}

async fn run(desk: &Arc<Scripted>, entries: &[&'static str]) {
    let chance = (Clock::system(), Dice::seeded(7));
    let batches = Batches::new(desk.clone(), Duration::from_millis(2), chance);
    entries.iter().for_each(|entry| batches.add(entry));
    let done = async {
        while desk.settled.lock().unwrap().len() < entries.len() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        biased;
        () = batches.run() => {}
        () = done => {}
    }
}

fn busy(reach: Reach) -> Result<(), Fault> {
    Err(Fault::new(FaultKind::Busy, reach, "busy"))
}

fn wrong() -> Result<(), Fault> {
    Err(Fault::new(FaultKind::Wrong, Reach::Not, "wrong"))
}

#[tokio::test(start_paused = true)]
async fn ten_go_at_once_and_fewer_wait_for_more() {
    let desk = Scripted::answering([]);
    run(&desk, &["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"]).await;
    let times: Vec<_> = desk.sent.lock().unwrap().iter().map(|(at, entries)| (at.as_millis(), entries.len())).collect();
    assert_eq!(times, [(0, 10), (2, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_request_has_no_more_bytes_than_it_may_have() {
    let desk = Scripted::answering([]);
    run(&desk, &["60 A", "40 B", "1 C", "100 D", "101 E"]).await;
    assert_eq!(desk.sent(), [vec!["60 A", "40 B"], vec!["1 C"], vec!["100 D"], vec!["101 E"]]);
}

#[tokio::test(start_paused = true)]
async fn p10_each_entry_has_its_own_outcome_and_only_what_may_succeed_goes_again() {
    let desk = Scripted::answering([vec![Ok(()), busy(Reach::Not), wrong()]]);
    run(&desk, &["A", "B", "C"]).await;
    assert_eq!(desk.sent(), [vec!["A", "B", "C"], vec!["B"]]);
    assert_eq!(desk.outcomes(), [("A", None), ("B", None), ("C", Some(Reach::Not))]);
}

#[tokio::test(start_paused = true)]
async fn p2_what_may_have_been_stored_once_is_unknown_for_ever() {
    let answers = (0..20).map(|time| vec![busy(if time == 0 { Reach::Maybe } else { Reach::Not })]);
    let desk = Scripted::answering(answers);
    run(&desk, &["A"]).await;
    assert_eq!(desk.outcomes(), [("A", Some(Reach::Maybe))]);
    let last = desk.sent.lock().unwrap().last().map(|(at, _)| *at);
    assert!(last < Some(Duration::from_secs(5)), "not asked again after its time: {last:?}");
}

#[tokio::test(start_paused = true)]
async fn o2_of_a_lane_one_is_on_its_way_also_while_it_is_sent_again() {
    let desk = Scripted::answering([vec![busy(Reach::Maybe), Ok(())]]);
    run(&desk, &["a1", "a2", "b1", "b2", "a3"]).await;
    let of_a: Vec<_> = desk.sent().concat().into_iter().filter(|entry| entry.starts_with('a')).collect();
    assert_eq!(of_a, ["a1", "a1", "a2", "a3"]);
    assert_eq!(desk.sent()[1], ["b2"], "another lane does not wait for it");
}

#[tokio::test(start_paused = true)]
async fn n2_a_request_that_fails_is_not_made_more_than_five_times_a_second() {
    let desk = Scripted::answering((0..100).map(|_| vec![busy(Reach::Not)]));
    run(&desk, &["A"]).await;
    let times: Vec<_> = desk.sent.lock().unwrap().iter().map(|(at, _)| *at).collect();
    let most = times
        .iter()
        .map(|at| times.iter().filter(|other| (*at..*at + Duration::from_secs(1)).contains(*other)).count());
    assert!(most.max() <= Some(5), "{times:?}");
}

#[test]
fn p10_what_an_answer_does_not_name_is_unknown() {
    let said = outcomes(
        3,
        ["0".to_owned(), "9".to_owned(), "x".to_owned()],
        [("2".to_owned(), Fault::new(FaultKind::Wrong, Reach::Not, ""))],
    );
    let reach: Vec<_> = said.iter().map(|outcome| outcome.as_ref().err().map(|fault| fault.reach)).collect();
    assert_eq!(reach, [None, Some(Reach::Maybe), Some(Reach::Not)]);
}
