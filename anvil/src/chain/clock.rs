//! The chain's time: the wall clock, moved and stepped on request.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::ChainError;

/// How far the clock may be moved altogether: a hundred years, in seconds.
pub const OFFSET_SECONDS_MAX: u64 = 100 * 365 * 86_400;

/// The chain's time. A value: whoever mines works on a copy and puts it back with the block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Seconds that it is ahead of the wall clock.
    pub offset: i64,
    /// What the next block gets, whatever the time is.
    pub next_timestamp: Option<u64>,
    /// Seconds from each block to the next, whatever the time is.
    pub step: Option<u64>,
}

impl Clock {
    /// The next block's timestamp. Equal timestamps are allowed, as on Arbitrum; going back is not.
    pub fn timestamp(&self, parent: u64) -> u64 {
        self.next_timestamp
            .or_else(|| self.step.map(|step| parent.saturating_add(step)))
            .unwrap_or_else(|| wall_clock().saturating_add_signed(self.offset))
            .max(parent)
    }

    /// The clock once a block with `timestamp` is mined: it goes on from there where somebody chose the timestamp.
    pub fn after(self, timestamp: u64) -> Self {
        let offset = match (self.next_timestamp, self.step) {
            (None, None) => self.offset,
            _ => timestamp as i64 - wall_clock() as i64,
        };
        Self {
            offset,
            next_timestamp: None,
            step: self.step,
        }
    }

    /// Moves it and returns by how many seconds it is off altogether.
    ///
    /// # Errors
    /// [`ChainError::Limit`] beyond [`OFFSET_SECONDS_MAX`].
    pub fn advance(&mut self, seconds: i64) -> Result<i64, ChainError> {
        let offset = self.offset.saturating_add(seconds);
        if offset.unsigned_abs() > OFFSET_SECONDS_MAX {
            return Err(ChainError::Limit {
                limit: OFFSET_SECONDS_MAX,
                what: "seconds off the wall clock",
            });
        }
        self.offset = offset;
        Ok(offset)
    }
}

/// UNIX seconds.
pub fn wall_clock() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
