//! Events that a store does not take, for nobody could erase what is in them.

use tegami::store::{Append, Memory, Store, StoreErrorKind, Version, keys};

use super::{kept, registered, stream};
use crate::contracts::shop::customers::v1::{CustomerPraised, CustomerRegistered};

async fn refused(store: &Store, append: Append) -> String {
    let error = store.append(append).await.expect_err("it is refused");
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    error.to_string()
}

#[tokio::test]
async fn a_store_that_was_told_nothing_takes_nothing_personal() {
    let inner = Memory::new();
    let store = Store::new(inner.clone());
    let told = refused(&store, Append::to(stream()).event(&registered()).expect("it is valid")).await;
    for word in
        ["`shop.customers.v1.CustomerRegistered`", "customers.proto:", "`email`", "`Store::keys`", "in_the_clear"]
    {
        assert!(told.contains(word), "`{word}` in {told}");
    }
    assert!(kept(&inner).await.is_empty());
    let clear = store.clone().in_the_clear();
    clear.append(Append::to(stream()).event(&registered()).expect("it is valid")).await.expect("it was said");
    let read = store.read::<CustomerRegistered>(&stream(), Version::START).await.expect("nothing is encrypted");
    assert_eq!((&read[0].event, read[0].is_erased()), (&registered(), false));
    assert_eq!(clear.forget("c-1").await.expect_err("it has no keys").kind(), StoreErrorKind::Invalid);
}

#[tokio::test]
async fn an_event_must_say_whose_data_it_has() {
    let store = Store::new(Memory::new()).keys(keys::Memory::new());
    let praised = CustomerPraised::builder().customer_id("c-1").words("well").build();
    let told = refused(&store, Append::to(stream()).event(&praised).expect("it is valid")).await;
    assert!(told.contains("`words`") && told.contains("`subject`"), "{told}");
    let silent = CustomerPraised { words: String::new(), ..praised };
    store.append(Append::to(stream()).event(&silent).expect("it is valid")).await.expect("nothing is personal in it");
}
