//! Limits by account, in this process. (Several gateways behind one address each count for themselves.)
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use alloy::primitives::Address;

/// Requests of one account in a minute: a bulk read of thousands of records goes through, a loop gone wild does not.
pub const REQUESTS_PER_MINUTE: u64 = 12_000;
/// Bytes uploaded by one account in an hour: a bulk import goes through, filling the disk takes time and an alarm.
pub const UPLOAD_BYTES_PER_HOUR: u64 = 32 * 1024 * 1024 * 1024;
/// Counts in memory before those of windows past are dropped.
const COUNTS_MOST: usize = 10_000;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    Requests,
    UploadBytes,
}

impl Limit {
    /// The most in one window, and its length in seconds.
    fn bounds(self) -> (u64, u64) {
        match self {
            Limit::Requests => (REQUESTS_PER_MINUTE, 60),
            Limit::UploadBytes => (UPLOAD_BYTES_PER_HOUR, 3600),
        }
    }
}

/// Counts in fixed windows: the number of the window, and what it has seen.
#[derive(Default)]
pub struct Limits {
    counts: Mutex<HashMap<(Address, Limit), (u64, u64)>>,
}

impl Limits {
    /// Counts `amount` more of `account`; `false` once the window has seen more than the limit.
    #[must_use]
    pub fn take(&self, account: Address, limit: Limit, amount: u64, now: u64) -> bool {
        let (most, seconds) = limit.bounds();
        // A panic elsewhere cannot leave a count half-written.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= COUNTS_MOST {
            counts.retain(|(_, limit), (window, _)| *window == now / limit.bounds().1);
        }
        let (window, count) = counts.entry((account, limit)).or_default();
        if *window != now / seconds {
            (*window, *count) = (now / seconds, 0);
        }
        *count = count.saturating_add(amount);
        *count <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_waits_for_the_next_window_and_holds_up_no_other() {
        let limits = Limits::default();
        let (busy, calm) = (Address::repeat_byte(1), Address::repeat_byte(2));
        assert!(limits.take(busy, Limit::Requests, REQUESTS_PER_MINUTE, 60));
        assert!(!limits.take(busy, Limit::Requests, 1, 119));
        assert!(limits.take(busy, Limit::UploadBytes, 1, 119));
        assert!(limits.take(calm, Limit::Requests, 1, 119));
        assert!(limits.take(busy, Limit::Requests, 1, 120));
        assert!(!limits.take(busy, Limit::UploadBytes, u64::MAX, 120));
    }
}
