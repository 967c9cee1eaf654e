//! What holds code from genesis on: the precompiles, and contracts that tools expect on every Arbitrum chain.
//!
//! The Solidity sources stand in `anvil/contracts`; `compile.js` there makes the bytecode, and a test makes it again.

use revm::primitives::{Address, Bytes, address, hex};

use super::{FAKE_CODE, addresses};

/// The StylusDeployer, where `cargo stylus deploy` looks for it.
pub const STYLUS_DEPLOYER: Address = address!("cEcba2F1DC234f70Dd89F2041029807F8D03A990");
/// The CacheManager, where Nitro's development chains have it.
pub const CACHE_MANAGER: Address = address!("2F8Bd4EaB69764c105aDd7dE7CB0402557a44E6f");
/// The deterministic deployment proxy, where `forge script` looks for it: CREATE2 with the salt in the first word.
pub const CREATE2_PROXY: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");

const STYLUS_DEPLOYER_CODE: &str = include_str!("../../contracts/StylusDeployer.hex");
const CACHE_MANAGER_CODE: &str = include_str!("../../contracts/CacheManager.hex");
const CREATE2_PROXY_CODE: [u8; 69] = hex!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0360160008160208237"
    "8035828234f58015156039578182fd5b8082525050506014600cf3"
);

/// Accounts and their code.
pub fn code() -> impl Iterator<Item = (Address, Bytes)> {
    // Proof: a test decodes the files.
    let decode = |text: &str| Bytes::from(hex::decode(text.trim()).expect("the compiler writes hexadecimal digits"));
    let contracts = [
        (STYLUS_DEPLOYER, decode(STYLUS_DEPLOYER_CODE)),
        (CACHE_MANAGER, decode(CACHE_MANAGER_CODE)),
        (CREATE2_PROXY, Bytes::from_static(&CREATE2_PROXY_CODE)),
    ];
    addresses().map(|address| (address, FAKE_CODE)).chain(contracts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_of_genesis_has_code() {
        assert_eq!(code().count(), 8 + 9 + 3);
        assert!(code().all(|(_, code)| !code.is_empty()));
    }
}
