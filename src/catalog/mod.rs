//! A catalog for people: AsyncAPI documents of services as one HTML page that needs nothing beside itself.
//!
//! `facts` reads the documents, `page` and `things` write the page, `picture` draws it. The command line writes it to a
//! folder, the admin listener serves it.

mod facts;
mod fields;
mod html;
mod page;
mod picture;
#[cfg(test)]
mod tests;
mod things;

use serde_json::Value as Json;

use crate::error::{Failure, Kind};
use facts::Facts;
pub(crate) use html::Html;
#[cfg(feature = "http")]
pub(crate) use page::{framed, policy};

/// Services with their events, fields, topics and queues, as one page.
///
/// It has its style, its script and its picture within, and forbids itself the network: it works from a file, too. The
/// same documents make the same page, in whatever order they come.
///
/// # Examples
/// ```
/// use tegami::{Service, catalog::Catalog};
///
/// let billing = Service::new("billing").async_api()?;
/// let page = Catalog::new("shop").document(&billing).expect("it is one").page();
/// assert!(page.starts_with("<!doctype html>"));
/// # Ok::<(), tegami::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Catalog {
    title: String,
    facts: Facts,
}

impl Catalog {
    /// An empty one of this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), facts: Facts::default() }
    }

    /// Takes in an AsyncAPI 3 document, as [`Service::async_api`](crate::Service::async_api) makes it: of a service, or
    /// of several.
    ///
    /// Services need not have the same contract of an event: one that reads fewer fields is shown beside the others.
    ///
    /// # Errors
    /// It is no AsyncAPI 3 document.
    pub fn document(mut self, text: &str) -> Result<Self, CatalogError> {
        let wrong = |text: &str| CatalogError::new(CatalogErrorKind::Document, text);
        let mut document: Json =
            serde_json::from_str(text).map_err(|error| wrong("it is not JSON").caused_by(error))?;
        if !document["asyncapi"].as_str().is_some_and(|version| version.starts_with("3.")) {
            return Err(wrong("it is no AsyncAPI document of version 3"));
        }
        document.sort_all_objects();
        self.facts.take(&document);
        Ok(self)
    }

    /// Of one service, by its document.
    #[cfg(feature = "http")]
    pub(crate) fn of(service: &str, document: &Json) -> Self {
        let mut catalog = Self::new(service);
        catalog.facts.take(document);
        catalog
    }

    /// The page, in HTML.
    pub fn page(&self) -> String {
        self.page_with(Html::default())
    }

    /// The page with these links to others.
    pub(crate) fn page_with(&self, links: Html) -> String {
        page::of(&self.title, &self.facts, links)
    }
}

/// Why a document is not taken in.
pub type CatalogError = Failure<CatalogErrorKind>;

/// The causes of a [`CatalogError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatalogErrorKind {
    /// It is no AsyncAPI 3 document.
    Document,
}

impl Kind for CatalogErrorKind {
    fn is_transient(self) -> bool {
        false
    }
}
