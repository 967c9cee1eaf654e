//! `exceptions`: see `IExceptions` of `medlock-abi`.
#![cfg_attr(not(any(test, feature = "export-abi")), no_std)]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::{vec, vec::Vec};

use alloy_primitives::Address;
use stylus_sdk::{prelude::*, storage::StorageAddress};

#[storage]
#[entrypoint]
pub struct Exceptions {
    first: StorageAddress,
}

#[public]
impl Exceptions {
    pub fn first(&self) -> Address {
        self.first.get()
    }
}
