//! How many blocks to ask for at once, learned from one endpoint's answers. Pure.
//!
//! Two things bound a range: what the provider allows, and how many logs make a good chunk. Both show only in answers, so
//! the size follows the density of logs, keeps under the smallest size that was refused, and tries that one again only
//! after a long calm.
use super::dialect::Hint;

/// The first range. Small, since the density of logs is not known yet and an answer of all logs of a busy chain's 10,000
/// blocks is thrown away.
const RANGE_FIRST: u64 = 20;
/// Most providers allow 500 to 10,000 blocks.
const RANGE_MOST: u64 = 10_000;
/// Logs in one chunk to aim for: past it transactions grow long and memory large, and nothing gets faster.
const LOGS_AIM: u64 = 3_000;
/// So many answers after a refusal the refused size is tried again, once, lest one bad moment slow the indexer for ever.
const CALM_FIRST: u32 = 64;
/// Each time that it is refused again, it is left alone so many times longer.
const CALM_TIMES: u32 = 8;

/// How much of the thickest stretch is remembered from answer to answer: half of it after 34.
const FADING: f64 = 0.98;

#[derive(Debug)]
pub struct Limits {
    /// Blocks to ask for next.
    size: u64,
    /// The largest size that was answered and not refused since.
    good: u64,
    /// Sizes below this are asked for: the smallest that was refused, or twice that while it is tried again.
    ceiling: u64,
    /// The size that was refused, while it is tried again.
    on_trial: Option<u64>,
    /// The size that the provider suggested last.
    suggested: u64,
    logs_aim: u64,
    /// Logs a block, as answers were lately.
    density: f64,
    /// The same where there were too many, fading: thick stretches of a chain come again.
    thickest: f64,
    /// Answers since the last refusal or trial.
    calm: u32,
    calm_needed: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            size: RANGE_FIRST,
            good: 0,
            ceiling: RANGE_MOST + 1,
            suggested: 0,
            logs_aim: LOGS_AIM,
            on_trial: None,
            density: 0.0,
            thickest: 0.0,
            calm: 0,
            calm_needed: CALM_FIRST,
        }
    }
}

impl Limits {
    /// Blocks to ask for.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether this endpoint never answered so many blocks: then only one such request is made at a time, so that a
    /// limit is met once, not by each request that is under way.
    pub fn untried(&self) -> bool {
        self.size > self.good
    }

    pub fn answered(&mut self, blocks: u64, logs: usize) {
        let now = logs as f64 / blocks as f64;
        self.density = now.max((3.0 * self.density + now) / 4.0);
        if self.thickest > 0.0 {
            self.thickest = self.thickest.max(now);
        }
        self.good = self.good.max(blocks);
        self.thickest *= FADING;
        if self.on_trial.is_some_and(|refused| blocks >= refused) {
            // It is allowed after all: the refusal was a passing one.
            self.on_trial = None;
            self.ceiling = RANGE_MOST + 1;
            self.calm_needed = CALM_FIRST;
        }
        self.calm += 1;
        if self.calm >= self.calm_needed && self.ceiling <= RANGE_MOST {
            self.calm = 0;
            self.calm_needed = self.calm_needed.saturating_mul(CALM_TIMES);
            self.on_trial = Some(self.ceiling);
            self.ceiling = (self.ceiling * 2).min(RANGE_MOST + 1);
        }
        // The last range before the tip is short; it says nothing of larger ones.
        let grown = if blocks >= self.size { self.grown() } else { self.size };
        self.size = grown.min(self.by_density());
    }

    /// `asked` blocks were refused. The next size is smaller.
    pub fn refused(&mut self, from: u64, asked: u64, hint: Hint) {
        self.calm = 0;
        self.on_trial = None;
        self.size = match hint {
            Hint::Blocks(most) => {
                self.ceiling = self.ceiling.min(most.min(asked - 1) + 1);
                asked.min(most)
            }
            Hint::Logs(most) => {
                // Half, since blocks differ.
                self.logs_aim = self.logs_aim.min(most / 2).max(1);
                self.thickest = self.thickest.max(most as f64 / asked as f64);
                (asked / 2).min(self.by_density())
            }
            Hint::UpTo(last) => {
                let size = last.saturating_sub(from) + 1;
                if std::mem::replace(&mut self.suggested, size) == size {
                    // The same each time: so many are allowed.
                    self.ceiling = self.ceiling.min(size.min(asked - 1) + 1);
                } else {
                    // It is about what these blocks hold, not about how many they are.
                    self.thicker_than(size);
                }
                size
            }
            Hint::None => {
                self.ceiling = self.ceiling.min(asked);
                asked / 2
            }
        }
        // Several may be refused at once, of which each says as much as the first.
        .min(self.size)
        .min(asked - 1)
        .max(1);
        self.good = self.good.min(self.size);
    }

    /// The answer to `asked` blocks was larger than is read.
    pub fn too_large(&mut self, asked: u64) {
        self.calm = 0;
        self.size = (asked / 2).min(self.size).max(1);
        self.thicker_than(self.size);
        self.good = self.good.min(self.size);
    }

    /// So many blocks hold about what is aimed for.
    fn thicker_than(&mut self, blocks: u64) {
        self.thickest = self.thickest.max(self.logs_aim as f64 / blocks as f64);
    }

    /// Twice as much, or half-way to what was refused; close to that, no further.
    fn grown(&self) -> u64 {
        let twice = (self.size * 2).min(RANGE_MOST);
        if self.ceiling > RANGE_MOST {
            return twice;
        }
        let gap = self.ceiling.saturating_sub(self.size);
        if gap <= 1 + self.size / 8 {
            self.size.min(self.ceiling - 1).max(1)
        } else {
            twice.min(self.size + gap / 2)
        }
    }

    fn by_density(&self) -> u64 {
        // A float that is too large, or infinite, saturates.
        ((self.logs_aim as f64 / self.density.max(self.thickest)) as u64).clamp(1, RANGE_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider with limits of blocks and logs, on a chain with so many logs a block: refusals over 100,000 blocks.
    fn refusals(blocks: u64, logs: u64, density: impl Fn(u64) -> u64, hint: impl Fn(bool) -> Hint) -> (u32, u64) {
        let mut limits = Limits::default();
        let (mut at, mut refused, mut asked_largest) = (0, 0, 0);
        while at < 100_000 {
            let size = limits.size().min(100_000 - at);
            let brings: u64 = (at..at + size).map(&density).sum();
            if size > blocks || brings > logs {
                assert!(size > 1);
                limits.refused(at, size, hint(size > blocks));
                assert!(limits.size() < size);
                refused += 1;
            } else {
                limits.answered(size, brings as usize);
                at += size;
                asked_largest = asked_largest.max(size);
            }
        }
        (refused, asked_largest)
    }

    #[test]
    fn a_limit_is_learned_at_the_price_of_few_refusals() {
        let even = |per_block| move |_| per_block;
        // Thin and thick stretches of 1,000 blocks.
        let uneven = |block: u64| if (block / 1_000).is_multiple_of(2) { 0 } else { 20 };
        let opaque = |_| Hint::None;
        let told = |wide| if wide { Hint::Blocks(500) } else { Hint::Logs(2_000) };
        for per_block in [0, 1, 3, 10, 50] {
            let (refused, largest) = refusals(500, 2_000, even(per_block), opaque);
            assert!(refused < 15, "{per_block}: {refused}");
            assert!(per_block > 3 || largest > 400, "{per_block}: {largest}");
            let (refused, _) = refusals(500, 2_000, even(per_block), told);
            assert!(refused < 5, "{per_block}: {refused}");
        }
        let (refused, _) = refusals(500, 2_000, uneven, opaque);
        assert!(refused < 50, "{refused}");
        let (refused, _) = refusals(10_000, 2_000, uneven, opaque);
        assert!(refused < 50, "{refused}");
        let (refused, _) = refusals(500, 2_000, uneven, told);
        assert!(refused < 50, "{refused}");
        assert_eq!(refusals(u64::MAX, u64::MAX, even(0), opaque), (0, RANGE_MOST));
    }

    #[test]
    fn a_refused_size_is_left_alone_until_a_long_calm() {
        let mut limits = Limits::default();
        limits.refused(0, 100, Hint::Blocks(50));
        let mut answers = 0;
        while limits.size() <= 50 {
            limits.answered(limits.size(), 0);
            answers += 1;
        }
        assert!(answers >= CALM_FIRST, "{answers}");
        limits.refused(0, limits.size(), Hint::Blocks(50));
        let mut answers = 0;
        while limits.size() <= 50 {
            limits.answered(limits.size(), 0);
            answers += 1;
        }
        assert!(answers >= CALM_FIRST * CALM_TIMES, "{answers}");
    }

    #[test]
    fn a_passing_refusal_is_forgotten() {
        let mut limits = Limits::default();
        limits.answered(100, 0);
        limits.refused(0, 200, Hint::None);
        for _ in 0..4 * CALM_FIRST * CALM_TIMES {
            limits.answered(limits.size(), 0);
        }
        assert_eq!(limits.size(), RANGE_MOST);
    }
}
