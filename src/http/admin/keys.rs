//! What settings say of the admin listener: the section `[admin]`.

use crate::{
    config::{Key, Section},
    http::keys::address_in,
};

/// What can be said of it.
#[derive(Debug, Default)]
pub(crate) struct AdminOptions {
    pub(crate) address: Option<String>,
}

/// The keys, each as in code.
pub(crate) fn keys() -> Section<AdminOptions> {
    let meaning = "IP address, or host name, and port of [health and the admin pages](admin.md), never that of the routes; \
                   without one there are none";
    let address = Key::with("address", meaning, ("text", ""), |options: &mut AdminOptions, given| {
        options.address = Some(address_in(given)?);
        Ok(())
    });
    Section::new("admin", vec![address.variable("TEGAMI_ADMIN")])
}
