//! A deployment, one of each fact, and facts at random.

use medlock_fhir::facade::facts::{
    Account, Bytes32, Effect, Grant, Granter, Kind, Party, Place, Previous, Read, Rule, Standing, Status, Terms,
    Version,
};
use medlock_fhir::facade::time::SECONDS_MOST;
use medlock_fhir::facade::{Operation, Site};
use serde_json::Value;

pub const CHART: Bytes32 = [0x5a; 32];
pub const RECORD: Bytes32 = [0x4e; 32];
/// 2026-05-03T10:00:00Z.
pub const NOW: u64 = 1_777_802_400;
pub const TREAT: u32 = 1;
pub const ETREAT: u32 = 2;
pub const READ: u8 = 1;
pub const WRITE: u8 = 2;

pub fn site() -> Site {
    Site {
        base: "https://gw.example/fhir".to_owned(),
        gateway: "https://gw.example".to_owned(),
        chain_id: 421_614,
        records: [0xee; 20],
    }
}

pub fn party(kind: Kind, byte: u8) -> Party {
    Party {
        account: [byte; 20],
        kind,
    }
}

pub fn grant() -> Grant {
    Grant {
        chart: CHART,
        grantee: party(Kind::Organisation, 0x0c),
        terms: Terms {
            compartments: 0b1011,
            purposes: TREAT,
            actions: READ | WRITE,
            not_before: NOW - 1000,
            expiry: NOW + 1000,
        },
        since: 3,
        serial: 1,
        epoch: 0,
        keyring: [0x77; 32],
        place: Place { block: 120, log: 4 },
        granted_at: NOW - 2000,
        granter: Some(Granter::Controller),
        ended_at: None,
        rules: vec![rule(Effect::Allow), rule(Effect::Deny)],
    }
}

/// That gives [`grant`], signed.
pub fn operation() -> Operation {
    let grant = grant();
    Operation {
        signer: [0x01; 20],
        chart: grant.chart,
        directory_version: 3,
        grantee: grant.grantee,
        serial: 0,
        terms: grant.terms,
        keyring: grant.keyring,
        nonce: 0,
        deadline: NOW + 600,
        signature: Some(vec![7; 65]),
    }
}

pub fn rule(effect: Effect) -> Rule {
    Rule {
        record_id: RECORD,
        names_grantee: effect == Effect::Allow,
        effect,
        purposes: TREAT,
        actions: READ,
        expiry: 0,
        directory_version: 3,
    }
}

pub fn standing() -> Standing {
    Standing {
        chart: CHART,
        emergency_access: true,
        place: Place { block: 90, log: 0 },
        set_at: NOW - 5000,
        denied: vec![Rule {
            names_grantee: false,
            ..rule(Effect::Deny)
        }],
    }
}

pub fn version() -> Version {
    Version {
        chart: CHART,
        record_id: RECORD,
        version: 2,
        latest: true,
        compartment: 15,
        status: Status::Current,
        author: party(Kind::Practitioner, 0x0a),
        organisation: Some([0x0c; 20]),
        pointer: [0x22; 32],
        previous: Some(Previous {
            pointer: [0x11; 32],
            place: Some(Place { block: 100, log: 1 }),
        }),
        created_at: NOW - 3000,
        changed_at: NOW - 3000,
        place: Place { block: 110, log: 7 },
        tx: [0x99; 32],
    }
}

pub fn read() -> Read {
    Read {
        gateway: [0x60; 20],
        sequence: u64::MAX,
        chart: CHART,
        record_id: RECORD,
        version: 2,
        pointer: [0x22; 32],
        reader: party(Kind::Practitioner, 0x0b),
        organisation: Some([0x0c; 20]),
        purpose: TREAT,
        read_at: NOW - 1,
        received_at: NOW,
        reason: medlock_abi::terms::reason::GRANT,
        block: 130,
        block_hash: [0xb1; 32],
        hash: [0x3a; 32],
        version_place: Some(Place { block: 110, log: 7 }),
        compartment: Some(15),
        grant_place: Some(Place { block: 120, log: 4 }),
    }
}

/// The value at a JSON pointer, to be there.
pub fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value
        .pointer(pointer)
        .unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

/// SplitMix64: facts at random, the same for a seed in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    /// Bits, at least one: few, many or all of them.
    fn bits(&mut self) -> u64 {
        let (a, b) = (self.next(), self.next());
        let bits = self.pick(&[a & b, a | b, a, u64::MAX, 1 << (a % 64)]);
        if bits == 0 { 1 } else { bits }
    }

    pub fn bits8(&mut self) -> u8 {
        let bits = self.bits().to_le_bytes()[0];
        if bits == 0 { 1 } else { bits }
    }

    pub fn bits32(&mut self) -> u32 {
        let bits = u32::try_from(self.bits() >> 32).unwrap();
        if bits == 0 { 1 } else { bits }
    }

    pub fn bits64(&mut self) -> u64 {
        self.bits()
    }

    /// A time on chain, also past what FHIR can say.
    fn time(&mut self) -> u64 {
        let (near, far) = (NOW + self.below(100_000) - 50_000, self.below((1 << 40) - 1));
        self.pick(&[
            0,
            1,
            near,
            near,
            near,
            far,
            SECONDS_MOST,
            SECONDS_MOST + 1,
            (1 << 40) - 1,
        ])
    }

    fn number(&mut self) -> u64 {
        let any = self.next();
        self.pick(&[0, 1, any, any % 1000, u64::MAX])
    }

    fn number32(&mut self) -> u32 {
        u32::try_from(self.number() & 0xffff_ffff).unwrap()
    }

    pub fn party(&mut self) -> Party {
        Party {
            account: self.bytes(),
            kind: self.pick(&[Kind::Organisation, Kind::Practitioner, Kind::Device]),
        }
    }

    pub fn terms(&mut self) -> Terms {
        let (not_before, later) = (self.time(), self.time());
        // The contract wants `not_before < expiry`, or no expiry.
        let expiry = if self.one_in(3) || later <= not_before {
            0
        } else {
            later
        };
        Terms {
            compartments: self.bits64(),
            purposes: self.bits32(),
            actions: self.bits8(),
            not_before,
            expiry,
        }
    }

    pub fn rule(&mut self) -> Rule {
        Rule {
            record_id: self.bytes(),
            names_grantee: self.one_in(2),
            effect: self.pick(&[Effect::Allow, Effect::Deny]),
            purposes: self.bits32(),
            actions: self.bits8(),
            expiry: self.time(),
            directory_version: self.number32(),
        }
    }

    pub fn grant(&mut self) -> Grant {
        let account: Account = self.bytes();
        let ended_at = self.time().min(SECONDS_MOST);
        Grant {
            chart: self.bytes(),
            grantee: self.party(),
            terms: self.terms(),
            since: self.number32(),
            serial: self.number().to_le_bytes()[0],
            epoch: self.number32(),
            keyring: self.bytes(),
            place: Place {
                block: self.number(),
                log: self.number(),
            },
            granted_at: self.time().min(SECONDS_MOST),
            granter: self.pick(&[None, Some(Granter::Controller), Some(Granter::Delegate(account))]),
            ended_at: self.one_in(3).then_some(ended_at),
            rules: (0..self.below(4)).map(|_| self.rule()).collect(),
        }
    }
}
