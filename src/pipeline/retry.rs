//! When a failed delivery is tried again, and when no more.

use std::time::Duration;

use crate::time::NEVER;

/// The delays between the attempts at one delivery; one attempt more than there are delays.
///
/// The default is reliability rule R2: 6 attempts, after 1 s, 5 s, 30 s, 2 min and 10 min.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    delays: Vec<Duration>,
}

impl Retry {
    /// Tries again after each of these delays in turn. One of more than 30 years is one of 30 years.
    pub fn after(delays: impl IntoIterator<Item = Duration>) -> Self {
        Self { delays: delays.into_iter().map(|delay| delay.min(NEVER)).collect() }
    }

    /// Tries once only.
    pub fn never() -> Self {
        Self { delays: Vec::new() }
    }

    /// How often a delivery is tried at most.
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.delays.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The delays, in turn.
    pub fn delays(&self) -> &[Duration] {
        &self.delays
    }

    /// The delay after this attempt failed; `None` when it was the last.
    pub(crate) fn delay_after(&self, attempt: u32) -> Option<Duration> {
        // A transport that counts from 0 would otherwise have its first failure be the last.
        let place = usize::try_from(attempt.saturating_sub(1)).ok()?;
        self.delays.get(place).copied()
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::after([1, 5, 30, 120, 600].map(Duration::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_default_plan_has_six_attempts() {
        let plan = Retry::default();
        assert_eq!(plan.attempts(), 6);
        assert_eq!(plan.delay_after(1), Some(Duration::from_secs(1)));
        assert_eq!(plan.delay_after(5), Some(Duration::from_secs(600)));
        assert_eq!(plan.delay_after(6), None);
        assert_eq!(plan.delay_after(u32::MAX), None);
        assert_eq!(plan.delay_after(0), plan.delay_after(1), "attempts count from 1");
    }
}
