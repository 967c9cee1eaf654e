//! Limits: by account, by network address, and of the whole process. (Several gateways behind one address each count for themselves.)
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use alloy::primitives::Address;
use medlock_api::Kind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    origin::Origin,
    problem::{Failure, Result},
};

/// Requests of one account in a minute: a bulk read of thousands of records goes through, a loop gone wild does not.
pub const REQUESTS_PER_MINUTE: u64 = 12_000;
/// Bytes uploaded by one account in an hour: a bulk import goes through, filling the disk takes time and an alarm.
pub const UPLOAD_BYTES_PER_HOUR: u64 = 32 * 1024 * 1024 * 1024;
/// What a block counts at least: the store keeps an entry in memory for each, however small, and a file system a page.
pub const BLOCK_BYTES_LEAST: u64 = 4096;
/// Uploads at work at once: each holds a batch of blocks in memory, and they share one disk.
pub const UPLOADS_AT_ONCE_MOST: usize = 16;
/// Of one account.
pub const UPLOADS_EACH_MOST: u32 = 4;
/// Payloads on their way out at once: each holds up to a few MiB.
pub const DOWNLOADS_AT_ONCE_MOST: usize = 48;
/// Of one account: more than a client reads side by side.
pub const DOWNLOADS_EACH_MOST: u32 = 12;
/// Requests a second, of everybody together, on routes that need no session...
pub const OPEN_PER_SECOND: u32 = 50;
/// ...and how many of them may come at one moment: a hospital's morning of sign-ins.
pub const OPEN_BURST: u32 = 200;
/// The same from one address, which may be all of a hospital's: half of it, so that nobody takes all...
pub const OPEN_EACH_PER_SECOND: u32 = 25;
/// ...nor all at one moment.
pub const OPEN_EACH_BURST: u32 = 100;
/// Addresses that are remembered: a few MiB.
pub const ADDRESSES_MOST: usize = 65_536;
/// Connections open at once, where the process may open as many files. Each takes some KiB, and most of them wait.
pub const CONNECTIONS_MOST: usize = 16_384;
/// From one address, but for those of trusted proxies.
pub const CONNECTIONS_EACH_MOST: u32 = 512;
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

/// Counts in fixed windows.
#[derive(Default)]
pub struct Limits {
    counts: Mutex<Counts>,
    refused: [AtomicU64; 2],
}

#[derive(Default)]
struct Counts {
    /// The number of the window, and what it has seen.
    of: HashMap<(Address, Limit), (u64, u64)>,
    /// How many counts there may be before the next sweep: a sweep looks at all, so it must be rare.
    sweep_at: usize,
}

impl Limits {
    /// Counts `amount` more of `account`.
    ///
    /// # Errors
    /// `TooMany` once the window has seen more than the limit; Retry-After is where it ends.
    pub fn take(&self, account: Address, limit: Limit, amount: u64, now: u64) -> Result<()> {
        let (most, seconds) = limit.bounds();
        // A panic elsewhere cannot leave a count half-written.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.of.len() >= counts.sweep_at.max(COUNTS_MOST) {
            counts
                .of
                .retain(|(_, limit), (window, _)| *window == now / limit.bounds().1);
            counts.sweep_at = counts.of.len() * 2;
        }
        let (window, count) = counts.of.entry((account, limit)).or_default();
        if *window != now / seconds {
            (*window, *count) = (now / seconds, 0);
        }
        *count = count.saturating_add(amount);
        if *count <= most {
            Ok(())
        } else {
            self.refused[limit as usize].fetch_add(1, Relaxed);
            Err(Failure::from(Kind::TooMany).retry_after(seconds - now % seconds))
        }
    }

    /// How often a limit was met, in the order of [`Limit`].
    pub fn refused(&self) -> [u64; 2] {
        self.refused.each_ref().map(|count| count.load(Relaxed))
    }
}

/// A door with so many places, and so many of them for one account, or whatever else they are counted by.
pub struct Gate<K: Eq + Hash + Copy = Address> {
    most: usize,
    places: Arc<Semaphore>,
    each_most: u32,
    held: Mutex<HashMap<K, u32>>,
    refused: AtomicU64,
}

/// One place behind a [`Gate`], until it is dropped.
pub struct Pass<K: Eq + Hash + Copy = Address> {
    gate: Arc<Gate<K>>,
    /// `None`: whose share is not counted.
    whose: Option<K>,
    _place: OwnedSemaphorePermit,
}

impl<K: Eq + Hash + Copy> Gate<K> {
    pub fn new(places: usize, each_most: u32) -> Arc<Self> {
        Arc::new(Self {
            most: places,
            places: Arc::new(Semaphore::new(places)),
            each_most,
            held: Mutex::default(),
            refused: AtomicU64::new(0),
        })
    }

    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// How many are in.
    pub fn taken(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// # Errors
    /// `TooMany` where `whose` share is held already, `Busy` where all places are taken.
    pub fn enter(self: &Arc<Self>, whose: K) -> Result<Pass<K>> {
        self.counted(self.share(whose))
    }

    /// For one whose share is not counted.
    ///
    /// # Errors
    /// `Busy`.
    pub fn enter_uncounted(self: &Arc<Self>) -> Result<Pass<K>> {
        self.counted(self.place(None))
    }

    fn counted(&self, entered: Result<Pass<K>>) -> Result<Pass<K>> {
        entered.inspect_err(|_| {
            self.refused.fetch_add(1, Relaxed);
        })
    }

    fn share(self: &Arc<Self>, whose: K) -> Result<Pass<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.get(&whose).copied().unwrap_or(0);
        if count >= self.each_most {
            return Err(Kind::TooMany.into());
        }
        let pass = self.place(Some(whose))?;
        held.insert(whose, count + 1);
        Ok(pass)
    }

    fn place(self: &Arc<Self>, whose: Option<K>) -> Result<Pass<K>> {
        // The semaphore is never closed: it refuses only where it is empty.
        let place = self.places.clone().try_acquire_owned().map_err(|_| Kind::Busy)?;
        Ok(Pass {
            gate: self.clone(),
            whose,
            _place: place,
        })
    }
}

impl<K: Eq + Hash + Copy> Drop for Pass<K> {
    fn drop(&mut self) {
        let Some(whose) = self.whose else { return };
        let mut held = self.gate.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&whose) {
            *count -= 1;
            if *count == 0 {
                held.remove(&whose);
            }
        }
    }
}

/// A token bucket: `burst` at one moment, `per_second` in the long run.
pub struct Bucket {
    per_second: f64,
    burst: f64,
    /// What is in it, and when that was so.
    level: Mutex<(f64, Instant)>,
    refused: AtomicU64,
}

impl Bucket {
    pub fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self {
            per_second: per_second.into(),
            burst: burst.into(),
            level: Mutex::new((burst.into(), now)),
            refused: AtomicU64::new(0),
        }
    }

    /// Whether there were `tokens` in it, which are taken then.
    #[must_use]
    pub fn take(&self, tokens: u32, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let passed: Duration = now.saturating_duration_since(level.1);
        let filled = (level.0 + passed.as_secs_f64() * self.per_second).min(self.burst);
        let tokens = f64::from(tokens);
        let taken = filled >= tokens;
        *level = (filled - if taken { tokens } else { 0.0 }, level.1.max(now));
        if !taken {
            self.refused.fetch_add(1, Relaxed);
        }
        taken
    }

    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}

/// A token bucket for each address.
///
/// It remembers at most so many. A bucket that is full again is as good as none. Where none is full, those with the most in them are
/// forgotten: that gives away least, and to nobody who has been refused. So many addresses cost an attacker as much as they would anyway, and
/// buy back nothing for those that are exhausted.
pub struct Buckets {
    per_second: f64,
    burst: f64,
    most: usize,
    /// What is in each, and when that was so.
    levels: Mutex<HashMap<Origin, (f64, Instant)>>,
    refused: AtomicU64,
}

impl Buckets {
    pub fn new(per_second: u32, burst: u32, most: usize) -> Self {
        Self {
            per_second: per_second.into(),
            burst: burst.into(),
            most,
            levels: Mutex::default(),
            refused: AtomicU64::new(0),
        }
    }

    /// Takes `tokens` of what `origin` has.
    ///
    /// # Errors
    /// `TooMany` where it has less; Retry-After is when it will have as many.
    pub fn take(&self, origin: Origin, tokens: u32, now: Instant) -> Result<()> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= self.most && !levels.contains_key(&origin) {
            self.forget(&mut levels, now);
        }
        let level = levels.entry(origin).or_insert((self.burst, now));
        let (filled, tokens) = (self.filled(*level, now), f64::from(tokens));
        let taken = filled >= tokens;
        *level = (filled - if taken { tokens } else { 0.0 }, level.1.max(now));
        if taken {
            return Ok(());
        }
        self.refused.fetch_add(1, Relaxed);
        let seconds = ((tokens - filled) / self.per_second).ceil();
        Err(Failure::from(Kind::TooMany).retry_after(seconds as u64))
    }

    fn filled(&self, (level, at): (f64, Instant), now: Instant) -> f64 {
        let passed = now.saturating_duration_since(at);
        (level + passed.as_secs_f64() * self.per_second).min(self.burst)
    }

    /// Down to half, so that it is done once in many: it looks at all.
    fn forget(&self, levels: &mut HashMap<Origin, (f64, Instant)>, now: Instant) {
        levels.retain(|_, level| self.filled(*level, now) < self.burst);
        let keep = self.most / 2;
        if levels.len() <= keep {
            return;
        }
        let mut emptiest: Vec<(f64, Origin)> = levels
            .iter()
            .map(|(origin, level)| (self.filled(*level, now), *origin))
            .collect();
        emptiest.select_nth_unstable_by(keep, |one, other| one.0.total_cmp(&other.0));
        for (_, origin) in &emptiest[keep..] {
            levels.remove(origin);
        }
    }

    /// How often an address was refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Address = Address::repeat_byte(1);
    const CALM: Address = Address::repeat_byte(2);

    fn kind(failure: Failure) -> Option<Kind> {
        failure.problem().kind()
    }

    #[test]
    fn an_account_waits_for_the_next_window_and_holds_up_no_other() {
        let limits = Limits::default();
        let refused = |limit, amount, now| {
            let failure = limits.take(BUSY, limit, amount, now).unwrap_err();
            (failure.retry_after_seconds(), kind(failure))
        };
        assert!(limits.take(BUSY, Limit::Requests, REQUESTS_PER_MINUTE, 60).is_ok());
        assert_eq!(refused(Limit::Requests, 1, 100), (Some(20), Some(Kind::TooMany)));
        assert!(limits.take(BUSY, Limit::UploadBytes, 1, 119).is_ok());
        assert!(limits.take(CALM, Limit::Requests, 1, 119).is_ok());
        assert!(limits.take(BUSY, Limit::Requests, 1, 120).is_ok());
        // Not "in a second": the hour's quota comes back with the hour.
        assert_eq!(
            refused(Limit::UploadBytes, u64::MAX, 3600 + 600),
            (Some(3000), Some(Kind::TooMany))
        );
    }

    #[test]
    fn counts_of_windows_past_are_dropped_and_those_of_this_one_kept() {
        let limits = Limits::default();
        let account = |i: usize| Address::left_padding_from(&i.to_be_bytes());
        for i in 0..COUNTS_MOST {
            limits.take(account(i), Limit::Requests, 1, 0).unwrap();
        }
        limits.take(BUSY, Limit::Requests, REQUESTS_PER_MINUTE, 60).unwrap();
        assert_eq!(limits.counts.lock().unwrap().of.len(), 1);
        assert!(limits.take(BUSY, Limit::Requests, 1, 61).is_err());
    }

    #[test]
    fn no_account_takes_every_place_and_a_place_left_is_free_again() {
        let gate = Gate::new(3, 2);
        let mut busy = vec![gate.enter(BUSY).unwrap(), gate.enter(BUSY).unwrap()];
        assert_eq!(gate.enter(BUSY).err().and_then(kind), Some(Kind::TooMany));
        let calm = gate.enter(CALM).unwrap();
        assert_eq!(gate.enter(CALM).err().and_then(kind), Some(Kind::Busy));
        busy.pop();
        assert_eq!(gate.enter(CALM).map(drop).err().and_then(kind), None);
        assert_eq!(gate.enter(BUSY).map(drop).err().and_then(kind), None);
        drop((busy, calm));
        assert!(gate.held.lock().unwrap().is_empty());
        // Those who are not counted have no share, and take places all the same.
        let uncounted = [0; 3].map(|_| gate.enter_uncounted().unwrap());
        assert_eq!(gate.taken(), 3);
        assert_eq!(gate.enter(BUSY).err().and_then(kind), Some(Kind::Busy));
        assert_eq!(gate.enter_uncounted().err().and_then(kind), Some(Kind::Busy));
        drop(uncounted);
        assert!(gate.enter(BUSY).is_ok());
    }

    #[test]
    fn a_bucket_gives_its_burst_and_fills_with_time() {
        let start = Instant::now();
        let bucket = Bucket::new(2, 3, start);
        assert_eq!([0; 4].map(|_| bucket.take(1, start)), [true, true, true, false]);
        let later = start + Duration::from_millis(500);
        assert_eq!([0; 2].map(|_| bucket.take(1, later)), [true, false]);
        // A moment before the last one seen, by another thread's clock, gives nothing back.
        assert!(!bucket.take(1, start));
        let much_later = start + Duration::from_secs(3600);
        assert_eq!([0; 4].map(|_| bucket.take(1, much_later)), [true, true, true, false]);
        // What costs more than is there takes nothing.
        let last = much_later + Duration::from_secs(1);
        assert_eq!([3, 2, 1].map(|tokens| bucket.take(tokens, last)), [false, true, false]);
    }

    fn origin(number: u32) -> Origin {
        std::net::IpAddr::from(number.to_be_bytes()).into()
    }

    #[test]
    fn an_address_that_is_exhausted_holds_up_no_other_and_is_told_when_to_come_back() {
        let start = Instant::now();
        let buckets = Buckets::new(2, 3, 10);
        for _ in 0..3 {
            assert!(buckets.take(origin(1), 1, start).is_ok());
        }
        let failure = buckets.take(origin(1), 3, start).unwrap_err();
        assert_eq!(
            (failure.retry_after_seconds(), kind(failure)),
            (Some(2), Some(Kind::TooMany))
        );
        assert!(buckets.take(origin(2), 3, start).is_ok());
        assert!(buckets.take(origin(1), 1, start + Duration::from_millis(500)).is_ok());
        assert!(buckets.take(origin(1), 1, start + Duration::from_millis(500)).is_err());
        assert_eq!(buckets.refused(), 2);
    }

    #[test]
    fn however_many_addresses_come_the_exhausted_stay_so_and_memory_does_not_grow() {
        let start = Instant::now();
        let buckets = Buckets::new(1, 10, 100);
        let known = || buckets.levels.lock().unwrap().len();
        for number in 0..20 {
            buckets.take(origin(number), 10, start).unwrap();
        }
        for number in 1000..11_000 {
            buckets.take(origin(number), 1, start).unwrap();
            assert!(known() <= 100);
        }
        for number in 0..20 {
            assert!(buckets.take(origin(number), 1, start).is_err(), "{number}");
        }
        // More that are exhausted than are remembered: some of them are forgotten, and the rest is not.
        for number in 20_000..21_000 {
            buckets.take(origin(number), 10, start).unwrap();
            assert!(known() <= 100);
        }
        let refused = (20_000..21_000).filter(|number| buckets.take(origin(*number), 1, start).is_err());
        assert!(refused.count() > 0);
        // With time they are full again, and make room by themselves.
        let later = start + Duration::from_secs(10);
        buckets.take(origin(50_000), 1, later).unwrap();
        for number in 50_001..50_100 {
            buckets.take(origin(number), 1, later).unwrap();
        }
        assert!(known() <= 100);
    }
}
