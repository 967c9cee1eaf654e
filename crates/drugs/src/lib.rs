//! The off-chain half of the drug supply ledger (`ISupply` of `medlock-abi`, docs/adr/0028-supply.md).
//!
//! - **On the box**: [`gtin`], [`label`] (lots and serials) and [`barcode`], which reads what a scanner says.
//! - **At the maker**: [`serials`] numbers the serials and makes the tree whose root is registered; [`ticket`] is what a pharmacy
//!   needs to dispense one package, and to see by itself that it was made.
//! - **Beside the chain**: [`epcis`] has the GS1 documents whose digests the events carry, [`plan`] the cuts and items of a shipment.
//! - **What the chain says, in words**: [`verdict`] of one scanned package, [`history`] of its custody, [`recall`] for a patient's chart.
//!
//! It must never do I/O, read a clock or draw randomness: salts, times and what stands on chain are passed in. It must never put a
//! serial into an error message, since a serial in a chart is a patient's. It compiles for browsers.
//!
//! Start reading at [`barcode::Package`], then [`serials::Manifest`].
#![forbid(unsafe_code)]

pub mod barcode;
pub mod day;
pub mod epcis;
pub mod gtin;
pub mod history;
pub mod label;
pub mod names;
pub mod plan;
pub mod recall;
pub mod serials;
pub mod ticket;
pub mod verdict;

pub use barcode::Package;
pub use day::Day;
pub use gtin::Gtin;
pub use label::{Lot, Serial};
pub use names::Names;
pub use serials::{Batch, GtinSalt, Manifest};
pub use ticket::Ticket;

fn keccak(bytes: &[u8]) -> alloy_primitives::B256 {
    alloy_primitives::keccak256(bytes)
}
