//! Who may do what with a record: the decision of the `records` contract, outside of it. Pure.
//!
//! - [`decide()`]: the rule, over [`Facts`] from wherever they come: the index has them from SQL.
//! - [`facts`]: the same facts from words of the contracts' storage ([`medlock_abi::words`]).
//! - [`StateProof`]: such words with a proof (`eth_getProof`) that leads to a block's hash, so that who trusts that hash need
//!   trust nobody about the decision.
mod decide;
mod proof;
mod storage;

pub use decide::{DelegateFacts, EmergencyFacts, Facts, GrantFacts, RecordFacts, decide};
pub use proof::{ContractProof, ProofError, Proved, SlotProof, StateProof};
pub use storage::{Contract, Missing, Slot, Words, facts};
