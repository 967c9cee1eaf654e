//! Limits by account, in this process. (Several gateways behind one address each count for themselves.)
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use alloy::primitives::Address;

/// Requests of one account in a minute: a bulk read of thousands of records goes through, a loop gone wild does not.
pub const REQUESTS_MOST: u64 = 12_000;
/// Uploads started by one account in a minute; with the limit of each they bound what it can fill the disk with.
pub const UPLOADS_MOST: u64 = 600;
const WINDOW_SECONDS: u64 = 60;

/// Counts in fixed windows. Memory is bounded by the accounts with a session in one window.
#[derive(Default)]
pub struct Limits {
    window: Mutex<(u64, HashMap<(Address, u64), u64>)>,
}

impl Limits {
    /// Counts one more of `account` under `most`; `false` once the window holds that many.
    #[must_use]
    pub fn take(&self, account: Address, most: u64, now: u64) -> bool {
        // A panic elsewhere cannot leave a count half-written.
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.0 != now / WINDOW_SECONDS {
            *window = (now / WINDOW_SECONDS, HashMap::new());
        }
        let count = window.1.entry((account, most)).or_default();
        *count += 1;
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
        assert!((0..3).all(|_| limits.take(busy, 3, 60)));
        assert!(!limits.take(busy, 3, 119));
        assert!(limits.take(calm, 3, 119));
        assert!(limits.take(busy, 3, 120));
    }
}
