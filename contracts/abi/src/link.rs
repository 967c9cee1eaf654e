//! Addresses that are constants of a contract's code, as a Solidity `immutable` is: the compiler writes a placeholder, and the
//! deployer puts the address in its place, before the code is compressed. So a contract knows its neighbours from its first
//! block on: no call that could be made first by somebody else, and no slot to read.

use alloy_primitives::Address;

/// Twenty bytes that stand in each contract's module at most once.
pub type Placeholder = [u8; 20];

/// The registry's first owner.
pub const OWNER: Placeholder = placeholder(b"owner");
pub const REGISTRY: Placeholder = placeholder(b"registry");
pub const RECORDS: Placeholder = placeholder(b"records");
pub const EXCEPTIONS: Placeholder = placeholder(b"exceptions");
pub const RELAY: Placeholder = placeholder(b"relay");
pub const CLAIMS: Placeholder = placeholder(b"claims");
pub const SUPPLY: Placeholder = placeholder(b"supply");
pub const TRIALS: Placeholder = placeholder(b"trials");

/// The address that the deployer put in this placeholder's place; in a native test it is the placeholder's own text.
pub fn linked(placeholder: &'static Placeholder) -> Address {
    // Read from the module's data, where the deployer finds it: the compiler must not take it for what it is now.
    Address::new(*core::hint::black_box(placeholder))
}

/// `medlock>name~~~`, in text that nothing else in a module looks like.
const fn placeholder(name: &[u8]) -> Placeholder {
    let mut bytes = *b"medlock>~~~~~~~~~~~~";
    let mut index = 0;
    while index < name.len() {
        bytes[index + 8] = name[index];
        index += 1;
    }
    bytes
}
