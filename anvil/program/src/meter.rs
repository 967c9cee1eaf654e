//! Prices: ink, gas and memory pages.

/// Ink bought by one unit of gas.
pub const INK_PRICE: u64 = 10_000;
/// Any host call (H).
pub const HOSTIO: u64 = 8_400;
/// One 20- or 32-byte pointer argument (P).
pub const POINTER: u64 = 5_040;
/// A request to the EVM (A).
pub const EVM_API: u64 = 59_673;
/// Words of program stack at the start of a call.
pub const MAX_STACK_WORDS: u32 = 22_000;
/// Pages that a transaction has for nothing.
pub const FREE_PAGES: u16 = 2;
/// Gas a page beyond the free ones.
pub const PAGE_GAS: u64 = 1_000;
/// Most pages of one program's memory.
pub const MAX_PAGES: u16 = 128;
/// Bytes of a WASM page.
pub const PAGE_BYTES: u64 = 65_536;

/// Cost of writing `bytes` into program memory: W(n).
pub fn write_ink(bytes: u64) -> u64 {
    5_040 + 30 * bytes.saturating_sub(32)
}

/// Cost of reading `bytes` from program memory: R(n).
pub fn read_ink(bytes: u64) -> u64 {
    16_381 + 55 * bytes.saturating_sub(32)
}

/// Cost of `native_keccak256`; it includes the host call.
pub fn keccak_ink(bytes: u64) -> u64 {
    121_800 + 21_000 * bytes.div_ceil(32).saturating_sub(2)
}

/// Cost of `math_pow` without the host call and pointers.
pub fn pow_ink(exponent: &[u8; 32]) -> u64 {
    let leading = exponent.iter().take_while(|&&byte| byte == 0).count() as u64;
    3_000 + 17_500 * (33 - leading)
}

/// Gas that returned bytes cost at least, as EVM memory would.
pub fn return_data_gas(bytes: u64) -> u64 {
    let words = bytes.div_ceil(32);
    words
        .saturating_mul(3)
        .saturating_add(words.saturating_mul(words) / 512)
}

/// Pages of WASM memory in use by a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    /// Open now, over all frames.
    pub open: u16,
    /// The most that were ever open.
    pub ever: u16,
}

impl Pages {
    /// Gas for opening `new` more pages.
    pub fn gas(self, new: u16) -> u64 {
        let open = self.open.saturating_add(new);
        let ever = self.ever.max(open);
        if ever <= FREE_PAGES {
            return 0;
        }
        let adding = paid(open).saturating_sub(paid(self.open));
        let linear = u64::from(adding) * PAGE_GAS;
        linear.saturating_add(exponential(ever).saturating_sub(exponential(self.ever)))
    }

    /// Opens `new` more pages.
    pub fn add(&mut self, new: u16) {
        self.open = self.open.saturating_add(new);
        self.ever = self.ever.max(self.open);
    }
}

fn paid(open: u16) -> u16 {
    open.saturating_sub(FREE_PAGES)
}

fn exponential(ever: u16) -> u64 {
    EXPONENTS.get(usize::from(ever)).map_or(u64::MAX, |&gas| u64::from(gas))
}

/// Gas of the exponential part by the most pages ever open (Nitro's table).
#[rustfmt::skip]
const EXPONENTS: [u32; 129] = [
    1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4,
    5, 5, 6, 7, 8, 9, 11, 12, 14, 17, 19, 22,
    25, 29, 33, 38, 43, 50, 57, 65, 75, 85, 98, 112,
    128, 147, 168, 193, 221, 253, 289, 331, 379, 434, 497, 569,
    651, 745, 853, 976, 1117, 1279, 1463, 1675, 1917, 2194, 2511, 2874,
    3290, 3765, 4309, 4932, 5645, 6461, 7395, 8464, 9687, 11087, 12689, 14523,
    16621, 19024, 21773, 24919, 28521, 32642, 37359, 42758, 48938, 56010, 64104, 73368,
    83971, 96106, 109994, 125890, 144082, 164904, 188735, 216010, 247226, 282953, 323844, 370643,
    424206, 485509, 555672, 635973, 727880, 833067, 953456, 1091243, 1248941, 1429429, 1636000, 1872423,
    2143012, 2452704, 2807151, 3212820, 3677113, 4208502, 4816684, 5512756, 6309419, 7221210, 8264766, 9459129,
    10826093, 12390601, 14181199, 16230562, 18576084, 21260563, 24332984, 27849408, 31873999,
];
