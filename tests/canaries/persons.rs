//! What is personal in events that are published, handled badly, refused and kept, with a secret in each such field.

use std::{collections::BTreeMap, time::Duration};

use tegami::{
    Context, HandlerError, Publisher, Retry, Service,
    error::BoxError,
    store::{Append, Memory, Position, Query, Store, StreamId, Version, keys},
    transport::Transport,
};
use tokio::time::{sleep, timeout};

use super::{
    NUMBER, canary,
    life::{App, GIVEN_UP, tell},
};
use crate::contracts::shop::customers::v1::{Address, CustomerRegistered, customer_registered::ToldBy};

fn registered(country: &str) -> CustomerRegistered {
    let street = |number| Address { street: canary(number), city: "Bonn".to_owned() };
    CustomerRegistered {
        customer_id: "c-1".to_owned(),
        country: country.to_owned(),
        email: format!("{}@", canary(50)),
        nickname: Some(canary(51)),
        home: Some(street(52)),
        others: vec![street(53)],
        named: BTreeMap::from([("home".to_owned(), street(54))]),
        phones: vec![canary(55)],
        told_by: Some(ToldBy::Fax(canary(56))),
        tax_number: NUMBER,
        born: None,
    }
}

/// The service handles them too, badly.
pub fn handled(service: Service<App>) -> Service<App> {
    let again = Retry::after([Duration::from_millis(1)]);
    service.on_with::<CustomerRegistered>(fail, |s| s.retry(again))
}

async fn fail(customer: CustomerRegistered, ctx: Context<App>) -> Result<(), HandlerError> {
    tracing::info!(?customer, "a customer");
    tell((&customer, &ctx));
    assert_ne!(customer.country, "FR", "on purpose: {customer:?}");
    Err(HandlerError::retry(format!("no room for {customer:?}")))
}

/// Two that are handled badly, and one that breaks its contract.
pub async fn publish(publisher: &Publisher) -> Result<(), BoxError> {
    for country in ["DE", "FR"] {
        publisher.publish(&registered(country)).await?;
    }
    let wrong = CustomerRegistered { email: canary(57), ..registered("DE") };
    tell(publisher.publish(&wrong).await.expect_err("it has no @"));
    Ok(())
}

/// Waits until both are given up, and tells of them.
pub async fn given_up(transport: &impl Transport, prefix: &str) -> Result<(), BoxError> {
    let queue = format!("{prefix}billing-shop-customers-v1-CustomerRegistered");
    let both = async {
        loop {
            let letters = transport.dead_letters(&queue, 100).await?;
            if letters.len() == 2 {
                return Ok::<_, BoxError>(letters);
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    tell(timeout(GIVEN_UP, both).await??);
    Ok(())
}

/// They are kept, read, and cannot be read.
pub async fn kept() -> Result<(), BoxError> {
    let (stream, inner) = (StreamId::of("customer", "c-1")?, Memory::new());
    let append = Append::to(stream.clone()).event(&registered("DE"))?;
    tell(&append);
    tell(Store::new(inner.clone()).append(append.clone()).await.expect_err("nothing was said"));
    let store = Store::new(inner).keys(keys::Memory::new());
    store.append(append).await?;
    tell(store.read::<CustomerRegistered>(&stream, Version::START).await?);
    tell(store.inner().read_all(&Query::all(), Position::START, 10).await?);
    let without = Store::new(store.inner().clone()).keys(keys::Memory::new());
    tell(without.read::<CustomerRegistered>(&stream, Version::START).await.expect_err("it has no keys"));
    store.forget("c-1").await?;
    tell(store.read::<CustomerRegistered>(&stream, Version::START).await?);
    Ok(())
}
