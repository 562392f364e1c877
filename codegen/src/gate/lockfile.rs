//! `contracts.lock` in the making.

use std::{collections::BTreeMap, path::Path};

use super::{all, of_folder, of_text};
use crate::{
    Error, clean,
    lock::{self, ALL, Field, Lock, Service, Type},
};

/// What goes into a `contracts.lock`: the contracts of a folder, and what services do with them.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tegami_codegen::Lockfile;
///
/// let lock = Lockfile::of("proto")?.service("billing", &[], &["shop.orders.v1.OrderPaid:order_id,discount"])?;
/// std::fs::write("contracts.lock", lock.text())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Lockfile {
    folder: String,
    lock: Lock,
}

impl Lockfile {
    /// The contracts of a folder.
    ///
    /// # Errors
    /// Every mistake in the contracts.
    pub fn of(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        Ok(Self { folder: folder.display().to_string(), lock: of_folder(folder)? })
    }

    /// Keeps the services of the lock that was there before, but the one that is told anew.
    ///
    /// # Errors
    /// The text is no lock, or a service in it names an event or a field that is no longer there.
    pub fn keeping(mut self, file: &str, text: &str, but: Option<&str>) -> Result<Self, Error> {
        let services = of_text(file, text)?.services.into_iter();
        for (name, service) in services.filter(|(name, _)| Some(name.as_str()) != but) {
            self.check(&name, &service)?;
            self.lock.services.insert(name, service);
        }
        Ok(self)
    }

    /// Says what a service does, in place of what was said of it: the events it publishes, and those it subscribes to.
    /// Those may have the fields that it reads behind them, `shop.orders.v1.OrderPaid:order_id,line.sku`; else it is
    /// thought to read every field of its contract.
    ///
    /// # Errors
    /// An event or a field that is not in the contracts.
    pub fn service<T: AsRef<str>>(mut self, name: &str, publishes: &[T], subscribes: &[T]) -> Result<Self, Error> {
        let mut publishes: Vec<_> = publishes.iter().map(|event| event.as_ref().to_owned()).collect();
        publishes.sort();
        publishes.dedup();
        let subscribes = subscribes.iter().map(|wish| match wish.as_ref().split_once(':') {
            Some((event, fields)) => (event.to_owned(), fields.split(',').map(str::to_owned).collect()),
            None => (wish.as_ref().to_owned(), all()),
        });
        let service = Service { publishes, subscribes: subscribes.collect() };
        self.check(name, &service)?;
        self.lock.services.insert(name.to_owned(), service);
        Ok(self)
    }

    /// The text of the file: the same for the same contracts, byte for byte.
    pub fn text(&self) -> String {
        lock::write(&self.lock)
    }

    /// The fingerprint of an event, if there is one of that name.
    pub fn fingerprint(&self, event: &str) -> Option<&str> {
        self.lock.event(event).map(|(_, event)| &*event.fingerprint)
    }

    /// The same of one event alone, with the types in it, and without services.
    #[must_use]
    pub fn only(&self, event: &str) -> Self {
        let (mut items, mut open) = (BTreeMap::new(), vec![event]);
        while let Some(name) = open.pop() {
            let Some(item) = self.lock.items.get(name).filter(|_| !items.contains_key(name)) else { continue };
            open.extend(item.named());
            items.insert(name.to_owned(), item.clone());
        }
        Self { folder: self.folder.clone(), lock: Lock { items, ..Lock::default() } }
    }

    fn check(&self, name: &str, service: &Service) -> Result<(), Error> {
        let refuse = |what: String| {
            let reason = format!("service `{}` names {what}, which the contracts do not have", clean(name));
            Err(Error::of(
                &self.folder,
                &reason,
                "correct the name, or say with `--service` anew what the service does",
            ))
        };
        if let Some(event) =
            service.publishes.iter().chain(service.subscribes.keys()).find(|event| self.lock.event(event).is_none())
        {
            return refuse(format!("the event `{}`", clean(event)));
        }
        for (event, reads) in &service.subscribes {
            if let Some(path) = reads.iter().find(|path| *path != ALL && !self.has(event, path)) {
                return refuse(format!("the field `{}` of `{}`", clean(path), clean(event)));
            }
        }
        Ok(())
    }

    /// Is there a field at this path?
    fn has(&self, event: &str, path: &str) -> bool {
        let mut item = Some(event.to_owned());
        path.split('.').all(|name| {
            let fields = item.as_ref().and_then(|item| self.lock.items.get(item)).map_or(&[][..], |item| item.fields());
            let field: Option<&Field> = fields.iter().find(|field| field.name == name);
            item = field.and_then(|field| Type::named(&field.ty)).map(str::to_owned);
            field.is_some()
        })
    }
}
