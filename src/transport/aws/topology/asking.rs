//! Asking AWS while something is brought into being: patiently, and saying what did not work.

use std::fmt;

use super::Site;
use crate::{
    time::backoff,
    transport::{
        TransportError,
        aws::{
            actions::Action,
            fault::{Fault, FaultKind},
        },
    },
};

/// So often is a call made again that came too soon.
const PATIENCE: u32 = 5;
const CREDENTIALS: &str =
    "it takes good credentials, of AWS_ACCESS_KEY_ID, a `profile`, a `role`, the machine, or given in code";

impl Site<'_> {
    /// Makes a call that may be made twice; again after a while, if AWS is asked too often.
    pub(super) async fn ask<T, C>(&self, call: impl Fn() -> C) -> Result<T, Fault>
    where
        C: Future<Output = Result<T, Fault>>,
    {
        self.ask_until(|_| false, call).await
    }

    /// The same, and also again after a fault that time may mend: not all of AWS knows at once what was just made.
    pub(super) async fn ask_until<T, C>(&self, mends: fn(FaultKind) -> bool, call: impl Fn() -> C) -> Result<T, Fault>
    where
        C: Future<Output = Result<T, Fault>>,
    {
        let mut failures = 0;
        loop {
            match call().await {
                Err(fault) if failures < PATIENCE && (fault.kind == FaultKind::Busy || mends(fault.kind)) => {
                    failures += 1;
                    tokio::time::sleep(backoff(failures, self.dice)).await;
                }
                answer => return answer,
            }
        }
    }

    /// What the service is told when a call failed: what it was for, where, and the permission or setting it takes.
    pub(super) fn failed(&self, action: Action, what: impl fmt::Display) -> impl FnOnce(Fault) -> TransportError {
        let (words, permission, region) = (action.words(), action.permission(), &self.clients.region);
        let own = match permission.split(':').next() {
            Some("sns") => &self.parameters.sns_endpoint,
            Some("sqs") => &self.parameters.sqs_endpoint,
            _ => &None,
        };
        let endpoint = own.as_ref().or(self.parameters.endpoint.as_ref());
        let place = endpoint.map_or_else(String::new, |endpoint| format!(" at `{endpoint}`"));
        let doing = format!("{words} {what} in region `{region}`{place}");
        move |fault| match fault.kind {
            FaultKind::Nobody | FaultKind::Credentials => fault.told(format!("{doing}: {CREDENTIALS}")),
            _ => fault.told(format!("{doing}, which takes `{permission}`")),
        }
    }
}
