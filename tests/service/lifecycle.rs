//! The hooks, in their order, and what a failed one does (S, tomodachi's lifecycle).

use std::sync::{Arc, Mutex};

use tegami::{
    Context, Error, ErrorKind, HandlerError, Service,
    service::{Ended, Handle},
    transport::Memory,
};

use crate::{contracts::shop::orders::v1::OrderPaid, order};

type Log = Arc<Mutex<Vec<&'static str>>>;

fn note(log: &Log, what: &'static str) -> impl FnOnce(Handle<Log>) -> std::future::Ready<Result<(), Error>> + use<> {
    let log = log.clone();
    move |_| {
        log.lock().expect("one thread").push(what);
        std::future::ready(Ok(()))
    }
}

fn fail(_: Handle<Log>) -> std::future::Ready<Result<(), String>> {
    std::future::ready(Err("no disk".to_owned()))
}

async fn handle(_: OrderPaid, ctx: Context<Log>) -> Result<(), HandlerError> {
    ctx.state().lock().expect("one thread").push("handled");
    ctx.stop();
    Ok(())
}

fn service(log: &Log) -> Service<Log> {
    Service::new("billing").transport(Memory::new()).state(log.clone()).on::<OrderPaid>(handle)
}

fn words(log: &Log) -> Vec<&'static str> {
    log.lock().expect("one thread").clone()
}

#[tokio::test]
async fn hooks_run_in_order_around_the_work() -> Result<(), Error> {
    let log = Log::default();
    let service = service(&log)
        .before_start(note(&log, "before start"))
        .started(note(&log, "started"))
        .started(async |service| service.publisher().publish(&order("o-1")).await.map(drop))
        .stopping(note(&log, "stopping"))
        .stopped(note(&log, "stopped"));
    let running = service.start().await?;
    running.stop_requested().await;
    assert_eq!(running.stop().await?, Ended::Drained);
    assert_eq!(words(&log), ["before start", "started", "handled", "stopping", "stopped"]);
    Ok(())
}

#[tokio::test]
async fn a_failed_hook_stops_the_start_and_what_was_opened_is_closed() {
    for before in [true, false] {
        let log = Log::default();
        let service = service(&log).stopping(note(&log, "stopping")).stopped(note(&log, "stopped"));
        let service = if before { service.before_start(fail) } else { service.started(fail) };
        let error = service.start().await.err().expect("the hook fails");
        assert_eq!(error.kind(), ErrorKind::Hook);
        assert!(format!("{error:?}").contains("no disk"), "{error:?}");
        assert_eq!(words(&log), ["stopping", "stopped"]);
    }
}

#[tokio::test(start_paused = true)]
async fn h1_a_hook_that_panics_has_failed_and_the_drain_goes_on() -> Result<(), Error> {
    async fn slow(_: OrderPaid, ctx: Context<Log>) -> Result<(), HandlerError> {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        ctx.state().lock().expect("one thread").push("handled");
        Ok(())
    }
    fn panics(_: Handle<Log>) -> std::future::Ready<Result<(), Error>> {
        panic!("no disk")
    }
    let log = Log::default();
    let service = Service::new("billing").transport(Memory::new()).state(log.clone()).on::<OrderPaid>(slow);
    let running = service.stopping(panics).stopped(note(&log, "stopped")).start().await?;
    running.publisher().publish(&order("o-1")).await?;
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let error = running.stop().await.expect_err("the hook fails");
    assert!(format!("{error:?}").contains("no disk"), "{error:?}");
    assert_eq!(words(&log), ["handled", "stopped"]);
    Ok(())
}

#[tokio::test]
async fn a_hook_that_fails_at_the_stop_is_told_and_the_others_still_run() -> Result<(), Error> {
    let log = Log::default();
    let running = service(&log).stopping(fail).stopped(note(&log, "stopped")).start().await?;
    let error = running.stop().await.expect_err("the hook fails");
    assert!(error.to_string().contains("stopping"), "{error}");
    assert_eq!(words(&log), ["stopped"]);
    Ok(())
}
