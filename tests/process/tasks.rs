//! What a service's program does once instead of serving, and how it answers.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Output, Stdio},
};

use tegami::{
    Context, HandlerError, Retry, Service,
    envelope::{MessageId, Sealed},
    service::{Compared, DescribedDeadLetter, DescribedMessage, Description, Dropped, Posted, Redriven},
    transport::{Memory, Outgoing, ReasonKind, Transport},
};

use super::{
    command,
    contracts::shop::{
        customers::v1::{Address, CustomerRegistered},
        orders::v1::OrderPaid,
    },
    send,
};

/// Where the poisoned service's messages are, within its process.
const BROKER: &str = "poisoned";

const QUEUE: &str = "billing-shop-orders-v1-OrderPaid";

fn done(role: &str, task: &str) -> Output {
    command(role).env("TEGAMI_TASK", task).output().expect("this binary runs")
}

/// The last line on standard output.
fn answer<T: serde::de::DeserializeOwned>(role: &str, task: &str) -> T {
    let Output { status, stdout, stderr } = done(role, task);
    assert!(status.success(), "{task}: {}", String::from_utf8_lossy(&stderr));
    let stdout = String::from_utf8(stdout).expect("text");
    assert!(!stdout.lines().any(|line| line == "running"), "nothing is handled: {stdout}");
    serde_json::from_str(stdout.lines().last().expect("an answer")).expect("it is JSON")
}

#[test]
fn a_program_describes_its_service_and_ends() {
    let description: Description = answer("quick", "describe");
    assert_eq!((&*description.service, &*description.queues[0].name), ("billing", QUEUE));
}

#[test]
fn a_program_looks_after_its_queues_and_ends() {
    let compared: Compared = answer("quick", "provision");
    assert_eq!((&*compared.transport, &*compared.differs), ("memory", &[][..]));
    let compared: Compared = answer("quick", "verify");
    // The memory of another process is empty.
    let way = format!("the way of `shop.orders.v1.OrderPaid` from topic `shop-orders-v1` to queue `{QUEUE}`");
    let absent = ["topic `shop-orders-v1`".to_owned(), format!("queue `{QUEUE}`"), way];
    assert_eq!(compared.differs, absent.map(|what| what + " is not there"));
}

/// The answer is for whoever asked, the log for whoever watches.
#[cfg(feature = "logs")]
#[test]
fn k1_a_task_has_its_log_on_stderr_and_nothing_of_it_on_stdout() {
    let Output { status, stdout, stderr } = done("told", "describe");
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8(text).expect("text"));
    assert!(status.success() && stderr.contains("[warning") && stderr.contains("it is over"), "{stderr}");
    assert!(!stdout.contains("it is over"), "{stdout}");
}

#[test]
fn k1_settings_that_do_not_know_of_the_task_that_is_asked_for_are_refused() {
    for (role, task, code, words) in [
        ("configured", "describe", 1, "TEGAMI_TASK asks for a task, and the settings given in code do not have it"),
        ("configured", "", 1, "TEGAMI_TASK asks for a task"),
        ("configured", "serve", 7, ""),
        ("tasked", "verify", 0, ""),
    ] {
        let Output { status, stdout, stderr } = done(role, task);
        let told = String::from_utf8_lossy(&stderr);
        assert!(status.code() == Some(code) && told.contains(words), "{role} {task}: {told}");
        let served = String::from_utf8_lossy(&stdout).lines().any(|line| line == "running");
        assert_eq!(served, task == "serve", "{role} {task}");
    }
}

/// The service whose dead letters are looked at.
pub(super) fn poisoned(service: Service) -> Service {
    let service = service.transport(Memory::named(BROKER));
    service.on_with::<OrderPaid>(refuse, |s| s.retry(Retry::never()))
}

async fn refuse(order: OrderPaid, _: Context) -> Result<(), HandlerError> {
    Err(HandlerError::reject(format!("no room for {}", order.order_id)))
}

/// Leaves two dead letters to the service: one that was refused, and one that nobody can read.
pub(super) async fn poison() -> Memory {
    let memory = Memory::named(BROKER);
    let config = tegami::Config::new();
    let running = poisoned(Service::new("billing")).config(config).start().await.expect("memory is there");
    let order = OrderPaid::builder().order_id("o-1").amount_minor(990).build();
    running.publisher().publish(&order).await.expect("it listens");
    let (id, sealed) =
        (MessageId::parse("m-2").expect("an id"), Sealed { body: "no order".into(), ..Sealed::default() });
    memory.publish(Outgoing::new(id, "shop.orders.v1.OrderPaid", "shop-orders-v1", sealed)).await.expect("it listens");
    memory.quiet().await;
    running.stop().await.expect("no hook can fail");
    memory
}

#[test]
fn x2_dead_letters_are_told_with_their_event_or_why_it_cannot_be_read() {
    let mut letters: Vec<DescribedDeadLetter> = answer("poisoned", "dead-letters");
    letters.sort_by_key(|letter| letter.message.payload.is_some());
    let [unreadable, refused] = &letters[..] else { panic!("two: {letters:?}") };
    assert_eq!((refused.reason.kind, &*refused.reason.error), (ReasonKind::Permanent, "no room for o-1"));
    assert_eq!((&*refused.queue, refused.message.key.as_deref()), (QUEUE, Some("o-1")));
    let event: OrderPaid =
        serde_json::from_str(refused.message.payload.as_ref().expect("it is read").get()).expect("JSON");
    assert_eq!((&*event.order_id, event.amount_minor), ("o-1", 990));
    assert_eq!((unreadable.reason.kind, unreadable.message.size), (ReasonKind::Undecodable, 8));
    assert!(unreadable.message.unreadable.as_ref().is_some_and(|why| !why.is_empty()));
}

/// The service whose dead letter has something personal in it.
pub(super) fn personal(service: Service) -> Service {
    let refuse = async |_: CustomerRegistered, _: Context| Err(HandlerError::reject("no room"));
    service.transport(Memory::named(BROKER)).on_with::<CustomerRegistered>(refuse, |s| s.retry(Retry::never()))
}

/// Leaves it to the service.
pub(super) async fn register() -> Memory {
    let memory = Memory::named(BROKER);
    let running = personal(Service::new("billing")).config(tegami::Config::new()).start().await.expect("it is there");
    let home = Address { street: "canary-street".to_owned(), city: "Bonn".to_owned() };
    let customer = CustomerRegistered::builder().customer_id("c-1").email("canary-@").others(vec![home]).build();
    running.publisher().publish(&customer).await.expect("it listens");
    memory.quiet().await;
    running.stop().await.expect("no hook can fail");
    memory
}

#[test]
fn k03_what_is_personal_is_shown_to_those_who_ask_for_it() {
    const QUEUE: &str = "billing-shop-customers-v1-CustomerRegistered";
    let shown = |task: &str| -> serde_json::Value {
        let letters: Vec<DescribedDeadLetter> = answer("personal", task);
        serde_json::from_str(letters[0].message.payload.as_ref().expect("it is read").get()).expect("JSON")
    };
    let hidden = shown("dead-letters");
    assert_eq!((&hidden["email"], &hidden["customerId"]), (&"<personal>".into(), &"c-1".into()));
    assert_eq!(hidden["others"], serde_json::json!([{ "street": "<personal>", "city": "Bonn" }]));
    let revealed = shown(&format!("reveal dead-letters {QUEUE}"));
    assert_eq!((&revealed["email"], &revealed["others"][0]["street"]), (&"canary-@".into(), &"canary-street".into()));
    let Output { stdout, stderr, .. } = done("personal", &format!(r#"drop {{"queue":"{QUEUE}","all":true}}"#));
    let told = String::from_utf8([stdout, stderr].concat()).expect("text");
    assert!(told.contains("<personal>") && !told.contains("canary"), "{told}");
}

#[test]
fn x7_dead_letters_are_put_back() {
    let redriven: Redriven = answer("poisoned", &format!("redrive {QUEUE}"));
    assert_eq!((&*redriven.queue, redriven.redriven), (QUEUE, 2));
}

#[test]
fn x7_those_that_are_chosen_are_put_back() {
    for (choice, count) in [
        (r#""ids":["m-2"]"#, 1),
        (r#""ids":["m-2","m-3"],"reason":"permanent""#, 0),
        (r#""reason":"no room""#, 1),
        (r#""reason":"undecodable","rate":20"#, 1),
        (r#""readable":true"#, 1),
        (r#""limit":1"#, 1),
        (r#""rate":100"#, 2),
    ] {
        let redriven: Redriven = answer("poisoned", &format!(r#"redrive {{"queue":"{QUEUE}",{choice}}}"#));
        assert_eq!(redriven.redriven, count, "{choice}");
    }
}

#[test]
fn x7_what_is_dropped_is_told_before() {
    for (choice, ids) in [
        (r#""all":true,"dry_run":true"#, 2),
        (r#""all":true"#, 2),
        (r#""ids":["m-2"]"#, 1),
        (r#""all":true,"readable":true"#, 1),
    ] {
        let Output { stdout, .. } = done("poisoned", &format!(r#"drop {{"queue":"{QUEUE}",{choice}}}"#));
        let stdout = String::from_utf8(stdout).expect("text");
        let told: Vec<_> =
            stdout.lines().filter_map(|line| serde_json::from_str::<DescribedDeadLetter>(line).ok()).collect();
        let last: Dropped = serde_json::from_str(stdout.lines().last().expect("an answer")).expect("it is JSON");
        assert_eq!((told.len(), last.dropped), (ids, ids), "{choice}: {stdout}");
    }
}

#[test]
fn x7_a_drop_that_is_stopped_tells_how_many_had_left() {
    let mut command = command("poisoned");
    command.env("TEGAMI_TASK", format!(r#"drop {{"queue":"{QUEUE}","all":true,"rate":0.01}}"#));
    let mut child = command.spawn().expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    // The second one is due in 100 s.
    lines
        .by_ref()
        .map(|line| line.expect("text"))
        .find(|line| serde_json::from_str::<DescribedDeadLetter>(line).is_ok())
        .expect("the first is told");
    send(&child, "-TERM");
    let last = lines.map(|line| line.expect("text")).last().expect("an answer");
    let dropped: Dropped = serde_json::from_str(&last).expect("it is JSON");
    assert_eq!(dropped.dropped, 1);
    assert!(child.wait().expect("it ends").success());
}

/// What the program says of an event on its standard input.
fn published(event: &str, json: &str) -> Output {
    let mut command = command("poisoned");
    let mut child =
        command.env("TEGAMI_TASK", format!("publish {event}")).stdin(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("it is piped").write_all(json.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

#[test]
fn p1_an_event_that_is_given_as_json_is_published_by_its_contract() {
    for event in ["OrderPaid", "shop.orders.v1.OrderPaid"] {
        let Output { status, stdout, stderr } =
            published(event, r#"{"order_id": "o-7", "amount_minor": "5", "color": "red"}"#);
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        let stdout = String::from_utf8(stdout).expect("text");
        let posted: Posted = serde_json::from_str(stdout.lines().last().expect("an answer")).expect("it is JSON");
        assert!(posted.event == "shop.orders.v1.OrderPaid" && !posted.id.is_empty(), "{posted:?}");
        let taken: serde_json::Value = serde_json::from_str(posted.payload.expect("it was taken").get()).expect("JSON");
        assert_eq!(taken, serde_json::json!({ "orderId": "o-7", "amountMinor": "5" }), "what the contract has");
    }
    for (event, json, words) in [
        ("OrderPaid", r#"{"order_id": "o-7", "amount_minor": "much"}"#, "at `amount_minor`"),
        ("OrderPaid", "no JSON", "this is no `shop.orders.v1.OrderPaid`"),
        ("Paid", "{}", "knows no one event `Paid`; it knows `shop.orders.v1.OrderPaid`"),
    ] {
        let Output { status, stderr, .. } = published(event, json);
        let told = String::from_utf8_lossy(&stderr);
        assert!(!status.success() && told.contains(words), "{told}");
    }
}

#[test]
fn d3_a_queue_is_looked_into_and_what_is_in_memory_is_not_followed() {
    let waiting: Vec<DescribedMessage> = answer("poisoned", &format!("peek {QUEUE}"));
    assert!(waiting.is_empty(), "{waiting:?}");
    let Output { status, stderr, .. } = done("poisoned", "tail OrderPaid");
    let told = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && told.contains("cannot be followed from beside on the transport `memory`"), "{told}");
}

#[test]
fn k1_a_task_that_is_none_and_a_queue_that_is_none_are_refused_by_name() {
    let unknown = format!("`billing` reads no queue `other`; it reads `{QUEUE}`");
    let missing = format!("queue `{QUEUE}` is not there");
    for (task, words) in [
        ("descripe", "`async-api`, `samples`, `export`, `verify`"),
        ("", "`async-api`, `samples`, `export`, `verify`"),
        ("redrive", "`redrive <queue>`"),
        ("prune", "there is no earlier plan on standard input"),
        ("redrive other", &*unknown),
        ("dead-letters other", &unknown),
        // The memory of another process is empty.
        ("dead-letters", &missing),
        (&format!("redrive {QUEUE}"), &missing),
    ] {
        let Output { status, stderr, .. } = done("quick", task);
        let told = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(1), "{told}");
        assert!(told.contains(words), "{task}: {told}");
    }
}
