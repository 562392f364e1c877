//! What released versions wrote of the crate's own contracts: `archive/` has it, and this build reads it.

use std::{collections::BTreeMap, fs, path::PathBuf, process};

use tegami::{
    Service,
    event::Upcast,
    testing::archive::{self, ErrorKind},
};

// Not every generated item is used here.
#[allow(dead_code, missing_docs)]
mod generated {
    tegami::include_contracts!();
}

use generated::{letters, shop};

/// Every event of the crate's own contracts.
fn service() -> Service {
    Service::new("wire")
        .publishes::<letters::v1::LetterFiled>()
        .publishes::<letters::v1::LetterPosted>()
        .publishes::<letters::v2::LetterPosted>()
        .publishes::<shop::billing::v1::ReceiptSent>()
        .publishes::<shop::customers::v1::CustomerRegistered>()
        .publishes::<shop::orders::v1::OrderPaid>()
        .publishes::<shop::orders::v2::OrderPaid>()
        .publishes::<shop::shipping::v1::ParcelShipped>()
        .publishes::<shop::warehouse::v1::StockCounted>()
        .publishes::<shop::warehouse::v1::StockMoved>()
}

fn locks(service: &Service) -> BTreeMap<String, String> {
    let lock = tegami_codegen::Lockfile::of("proto").unwrap();
    service.samples().events.into_iter().map(|event| (event.event.clone(), lock.only(&event.event).text())).collect()
}

#[test]
fn what_released_versions_wrote_is_read_as_what_it_was() {
    let (folder, service) = (PathBuf::from("tests/wire/archive"), service());
    if std::env::var_os("BLESS").is_some() {
        archive::add(&folder, &service.samples(), &locks(&service)).unwrap();
    }
    assert!(archive::check(&folder, &service).unwrap() > 100);
}

/// An archive of the crate's contracts, for a test to spoil.
struct Archive(PathBuf);

impl Archive {
    fn of(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tegami-archive-{}-{test}", process::id()));
        let entries = archive::add(&folder, &service().samples(), &locks(&service())).unwrap();
        assert!(entries.iter().all(|entry| entry.samples > 1 && !entry.known));
        Self(folder)
    }

    /// A file of the first version of an event.
    fn file(&self, event: &str, name: &str) -> PathBuf {
        let version = fs::read_dir(self.0.join(event)).unwrap().next().unwrap().unwrap();
        version.path().join(name)
    }

    /// Why it cannot be read.
    fn refused(&self, service: &Service) -> (ErrorKind, String) {
        let error = archive::check(&self.0, service).unwrap_err();
        (error.kind(), error.to_string())
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_is_in_an_archive_stays_as_it_is() {
    let archive = Archive::of("stays");
    let samples = archive.file("shop.orders.v1.OrderPaid", "samples.jsonl");
    let before = fs::read(&samples).unwrap();
    let again = archive::add(&archive.0, &service().samples(), &locks(&service())).unwrap();
    assert!(again.iter().all(|entry| entry.known));
    assert_eq!(fs::read(&samples).unwrap(), before);
    assert!(archive::check(&archive.0, &service()).unwrap() > 100);
}

#[test]
fn a_file_that_is_cut_short_or_missing_is_named() {
    let archive = Archive::of("cut");
    let samples = archive.file("shop.orders.v1.OrderPaid", "samples.jsonl");
    let whole = fs::read(&samples).unwrap();
    fs::write(&samples, &whole[..whole.len() / 2]).unwrap();
    let (kind, text) = archive.refused(&service());
    assert_eq!(kind, ErrorKind::Broken);
    assert!(text.contains("samples.jsonl`: it is not as it was written"), "{text}");
    // Nor is anything added to it.
    assert_eq!(archive::add(&archive.0, &service().samples(), &locks(&service())).unwrap_err().to_string(), text);
    fs::remove_file(&samples).unwrap();
    let (kind, text) = archive.refused(&service());
    assert_eq!((kind, text.contains("samples.jsonl`: it is missing")), (ErrorKind::Broken, true), "{text}");
    fs::write(archive.file("shop.orders.v1.OrderPaid", "manifest.json"), "{").unwrap();
    let (kind, text) = archive.refused(&service());
    assert_eq!((kind, text.contains("manifest.json`: no manifest")), (ErrorKind::Broken, true), "{text}");
    let (kind, text) = Archive(archive.0.join("nothing")).refused(&service());
    assert_eq!((kind, text.contains("there is no archive here")), (ErrorKind::Broken, true), "{text}");
}

#[test]
fn an_event_that_is_gone_is_named_until_it_is_retired() {
    let archive = Archive::of("gone");
    let other = Service::new("other").publishes::<shop::billing::v1::ReceiptSent>();
    let (kind, text) = archive.refused(&other);
    assert_eq!(kind, ErrorKind::UnknownEvent);
    assert!(text.contains("the service `other` has no event `letters.v1.LetterFiled`"), "{text}");
    for event in fs::read_dir(&archive.0).unwrap().map(|event| event.unwrap().path()) {
        if !event.ends_with("shop.billing.v1.ReceiptSent") {
            fs::write(event.join("retired"), "the shop is closed").unwrap();
        }
    }
    assert!(archive::check(&archive.0, &other).is_ok_and(|read| read > 0));
    let text = archive::add(&archive.0, &service().samples(), &locks(&service())).unwrap_err().to_string();
    assert!(text.contains("is retired"), "{text}");
}

/// The events of one contract in the place of another's, as if the contract had been changed.
fn changed(archive: &Archive, from: &str, to: (&str, &str)) -> Archive {
    let folder = Archive(archive.0.with_extension("changed"));
    let (name, fingerprint) = to;
    let version = folder.0.join(name).join(fingerprint);
    fs::create_dir_all(&version).unwrap();
    for file in ["samples.jsonl", "contracts.lock"] {
        fs::copy(archive.file(from, file), version.join(file)).unwrap();
    }
    let manifest = fs::read_to_string(archive.file(from, "manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    manifest["event"] = name.into();
    manifest["fingerprint"] = fingerprint.into();
    fs::write(version.join("manifest.json"), manifest.to_string()).unwrap();
    folder
}

#[test]
fn a_sample_that_is_refused_or_read_as_something_else_is_named_with_its_field() {
    let archive = Archive::of("changed");
    // Number 3 was the amount in cents, and is text now.
    let refused = changed(&archive, "shop.orders.v1.OrderPaid", ("shop.orders.v2.OrderPaid", "before"));
    let (kind, text) = refused.refused(&service());
    assert_eq!(kind, ErrorKind::Differs);
    assert!(text.contains("before/samples.jsonl`: shop.orders.v2.OrderPaid `all`, in Json:"), "{text}");
    drop(refused);
    // A letter without stamps is one that is not stamped: a rule of today refuses it.
    let refused = changed(&archive, "letters.v1.LetterPosted", ("letters.v2.LetterPosted", "before"));
    let (kind, text) = refused.refused(&service());
    assert_eq!((kind, text.contains("stamps")), (ErrorKind::Differs, true), "{text}");
    drop(refused);
    // What is not read any more is no loss: the contract has no stamps.
    let fewer = changed(&archive, "letters.v2.LetterPosted", ("letters.v1.LetterPosted", "before"));
    assert!(archive::check(&fewer.0, &service()).is_ok());
}

impl Upcast<letters::v1::LetterPosted> for letters::v2::LetterPosted {
    fn upcast(old: letters::v1::LetterPosted) -> Self {
        Self { r#box: old.r#box, number: old.number, text: old.text, stamps: 1 }
    }
}

impl Upcast<shop::orders::v1::OrderPaid> for shop::orders::v2::OrderPaid {
    fn upcast(old: shop::orders::v1::OrderPaid) -> Self {
        assert!(old.amount_minor >= 0, "who pays less than nothing?");
        let amount = old.amount_minor.to_string();
        Self { order_id: old.order_id, currency: old.currency, amount, paid_at: old.paid_at }
    }
}

#[test]
fn an_upcast_that_panics_over_a_sample_is_named() {
    let archive = Archive::of("upcast");
    let upcast = service().upcast::<letters::v1::LetterPosted, letters::v2::LetterPosted>();
    assert!(archive::check(&archive.0, &upcast).is_ok());
    let upcast = service().upcast::<shop::orders::v1::OrderPaid, shop::orders::v2::OrderPaid>();
    let (kind, text) = archive.refused(&upcast);
    assert_eq!(kind, ErrorKind::Differs);
    assert!(text.contains("panicked: who pays less than nothing?"), "{text}");
}
