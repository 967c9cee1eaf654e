//! Counts from a given start; keeps what it was paid.
#![cfg_attr(not(any(test, feature = "export-abi")), no_main)]
extern crate alloc;

use alloc::{vec, vec::Vec};

use alloy_primitives::{Address, U256};
use alloy_sol_types::sol;
use stylus_sdk::prelude::*;

sol! {
    event Counted(address indexed by, uint256 number);
}

sol_storage! {
    #[entrypoint]
    pub struct Counter {
        uint256 number;
        address owner;
    }
}

#[public]
impl Counter {
    #[constructor]
    #[payable]
    pub fn constructor(&mut self, start: U256, owner: Address) {
        self.number.set(start);
        self.owner.set(owner);
    }

    pub fn number(&self) -> U256 {
        self.number.get()
    }

    pub fn owner(&self) -> Address {
        self.owner.get()
    }

    pub fn increment(&mut self) {
        let number = self.number.get() + U256::from(1);
        self.number.set(number);
        let by = self.vm().msg_sender();
        self.vm().log(Counted { by, number });
    }
}
