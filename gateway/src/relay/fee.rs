//! What a transaction offers for its gas (EIP-1559). Pure.

/// Wei for each unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fee {
    /// Base fee and tip together.
    pub most: u64,
    pub tip: u64,
}

impl Fee {
    /// For a new transaction: the base fee may double before it is mined. `None` while the chain asks for more than `bound`.
    pub fn first(base: u64, tip: u64, bound: u64) -> Option<Self> {
        // Whoever raises a tip of nothing by an eighth still offers nothing.
        let tip = tip.max(1);
        let most = base.saturating_mul(2).saturating_add(tip).min(bound);
        (most >= base.saturating_add(tip)).then_some(Self { most, tip })
    }

    /// For one that takes the place of a transaction with this fee: an eighth more of both, as nodes ask a tenth; what a new one
    /// would offer where that is more. `None` where it would exceed `bound`.
    pub fn raised(self, base: u64, tip: u64, bound: u64) -> Option<Self> {
        let grown = |fee: u64| fee.saturating_add(fee.div_ceil(8)).max(fee.saturating_add(1));
        let least = grown(self.most);
        if least > bound {
            return None;
        }
        let most = least.max(base.saturating_mul(2).saturating_add(tip).min(bound));
        let tip = grown(self.tip).max(tip).min(most);
        Some(Self { most, tip })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_transaction_leaves_room_for_the_base_fee_to_double_and_keeps_to_the_bound() {
        assert_eq!(Fee::first(100, 10, 1000), Some(Fee { most: 210, tip: 10 }));
        assert_eq!(Fee::first(100, 0, 1000), Some(Fee { most: 201, tip: 1 }));
        assert_eq!(Fee::first(100, 10, 150), Some(Fee { most: 150, tip: 10 }));
        assert_eq!(Fee::first(100, 10, 110), Some(Fee { most: 110, tip: 10 }));
        assert_eq!(Fee::first(100, 10, 109), None);
        assert_eq!(Fee::first(u64::MAX, 10, 109), None);
    }

    #[test]
    fn a_raise_is_an_eighth_of_both_or_what_a_new_one_would_offer_until_the_bound() {
        let fee = Fee { most: 200, tip: 1 };
        assert_eq!(fee.raised(80, 1, 1000), Some(Fee { most: 225, tip: 2 }));
        assert_eq!(fee.raised(300, 50, 1000), Some(Fee { most: 650, tip: 50 }));
        assert_eq!(fee.raised(300, 50, 500), Some(Fee { most: 500, tip: 50 }));
        assert_eq!(fee.raised(80, 1, 225), Some(Fee { most: 225, tip: 2 }));
        assert_eq!(fee.raised(80, 1, 224), None);
        let mut fee = Fee { most: 2, tip: 1 };
        let mut raises = 0;
        while let Some(next) = fee.raised(0, 0, 1_000_000) {
            // What go-ethereum asks of a replacement.
            assert!(next.most * 100 >= fee.most * 110 && next.tip * 100 >= fee.tip * 110 && next.tip <= next.most);
            (fee, raises) = (next, raises + 1);
        }
        assert!(raises < 120, "{raises}");
    }
}
