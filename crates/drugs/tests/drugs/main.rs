//! The crate as its callers see it.
mod documents;
mod fuzz;
mod histories;
mod scale;
mod shipping;
mod vectors;
mod verdicts;

use alloy_primitives::Address;
use medlock_drugs::{Batch, Day, GtinSalt, Manifest, Package, Serial};

const MAKER: Address = Address::repeat_byte(0xa1);
const WHOLESALER: Address = Address::repeat_byte(0xb2);
const PHARMACY: Address = Address::repeat_byte(0xc3);
const STRANGER: Address = Address::repeat_byte(0xd4);

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn batch() -> Batch {
    Batch {
        maker: MAKER,
        gtin: "04006381333931".parse().unwrap(),
        lot: "LOT(1)/A".parse().unwrap(),
        expiry: day("2027-11-30").ends_at(),
    }
}

fn salt() -> GtinSalt {
    GtinSalt::from_slice(&[7; 32]).unwrap()
}

/// Of the serials "S0", "S1" and so on.
fn manifest(count: u32) -> Manifest {
    let serials = (0..count).map(|number| format!("S{number}").parse().unwrap());
    Manifest::new(batch(), salt(), serials.collect()).unwrap()
}

fn package(serial: Serial) -> Package {
    Package {
        gtin: batch().gtin,
        lot: batch().lot,
        expiry: day("2027-11-30"),
        serial,
    }
}
