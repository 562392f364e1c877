//! A part of a broker for one test: a virtual host, and a user with a password that nobody may see.

use tegami_test_servers::{Rabbit, Release};

use super::PASSWORD;

/// Both, for their words differ.
pub const RELEASES: [Release; 2] = [Release::V3, Release::V4];
const HOST: &str = "startup";
const USER: &str = "clerk";

/// A user's patterns: what may be declared, what written to, what read.
pub type Rights<'a> = [&'a str; 3];
pub const ALL: Rights = [".*", ".*", ".*"];

/// A broker with the virtual host, and the user with this password.
pub struct Office(pub Rabbit, String);

impl Office {
    /// Opens it on a broker of this release.
    pub async fn open(release: Release) -> Self {
        Self::with_password(release, PASSWORD).await
    }

    /// The same with this password, as it stands in a URL.
    pub async fn with_password(release: Release, password: &str) -> Self {
        let office = Self(Rabbit::take(release).await, password.to_owned());
        office.close().await;
        let password = password.replace("%3a", ":");
        office
            .eval(&format!(
                "rabbit_vhost:add(<<\"{HOST}\">>, <<\"test\">>),
             ok = rabbit_auth_backend_internal:add_user(<<\"{USER}\">>, <<\"{password}\">>, <<\"test\">>),
             {}, ok.",
                rights(ALL)
            ))
            .await;
        office
    }

    /// Has the user be allowed this, and nothing else.
    pub async fn allow(&self, allowed: Rights<'_>) {
        self.eval(&format!("{}, ok.", rights(allowed))).await;
    }

    /// Declares a queue in place of the one of this name.
    pub async fn put(&self, queue: &str, arguments: &str) {
        self.eval(&format!(
            "Name = rabbit_misc:r(<<\"{HOST}\">>, queue, <<\"{queue}\">>),
             case rabbit_amqqueue:lookup(Name) of
                 {{ok, Old}} -> rabbit_amqqueue:delete(Old, false, false, <<\"test\">>);
                 _ -> ok
             end,
             {{new, _}} = rabbit_amqqueue:declare(Name, true, false, [{arguments}], none, <<\"test\">>), ok."
        ))
        .await;
    }

    /// Removes it again.
    pub async fn close(&self) {
        self.eval(&format!(
            "catch rabbit_vhost:delete(<<\"{HOST}\">>, <<\"test\">>),
             catch rabbit_auth_backend_internal:delete_user(<<\"{USER}\">>, <<\"test\">>), ok."
        ))
        .await;
    }

    /// Where the user finds it.
    pub fn url(&self) -> String {
        format!("amqp://{USER}:{}@localhost:{}/{HOST}", self.1, self.0.port())
    }

    /// The same by TLS, trusting whoever signed the broker's certificate.
    pub fn tls_url(&self) -> String {
        let authority = self.0.authority();
        format!("amqps://{USER}:{}@localhost:{}/{HOST}?ca={}", self.1, self.0.tls_port(), authority.display())
    }

    async fn eval(&self, code: &str) {
        self.0.ctl(&["eval", code]).await;
    }
}

fn rights([configure, write, read]: Rights) -> String {
    format!(
        "rabbit_auth_backend_internal:set_permissions(<<\"{USER}\">>, <<\"{HOST}\">>,
            <<\"{configure}\">>, <<\"{write}\">>, <<\"{read}\">>, <<\"test\">>)"
    )
}
