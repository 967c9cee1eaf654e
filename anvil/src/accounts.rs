//! The development accounts: funded at genesis, named, and known to everybody.
//!
//! They are the first ten of the mnemonic "test test test test test test test test test test test junk"
//! (m/44'/60'/0'/0/i), as in Foundry and Hardhat, so wallets and scripts that know those work here. Their keys are
//! public knowledge; that is why they may stand in the source and be printed.

use alloy::primitives::{Address, B256, U256, b256};
use alloy::signers::local::PrivateKeySigner;

/// What each development account holds at genesis: 10,000 ether, in wei.
pub const DEV_BALANCE: U256 = U256::from_limbs([0x19e0_c9ba_b240_0000, 0x21e, 0, 0]);

const KEYS: [(&str, B256); 10] = [
    (
        "alice",
        b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    ),
    (
        "bob",
        b256!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
    ),
    (
        "carol",
        b256!("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
    ),
    (
        "dave",
        b256!("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
    ),
    (
        "erin",
        b256!("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
    ),
    (
        "frank",
        b256!("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
    ),
    (
        "grace",
        b256!("92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
    ),
    (
        "heidi",
        b256!("4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
    ),
    (
        "ivan",
        b256!("dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
    ),
    (
        "judy",
        b256!("2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
    ),
];

/// A funded account whose key everybody knows.
#[derive(Clone, Debug)]
pub struct DevAccount {
    /// A name to speak of it: alice, bob, ...
    pub name: &'static str,
    /// Its address.
    pub address: Address,
    /// Its private key, 32 bytes.
    pub key: B256,
    /// A signer with that key.
    pub signer: PrivateKeySigner,
}

/// The development accounts, alice first.
pub fn dev_accounts() -> Vec<DevAccount> {
    KEYS.into_iter()
        .map(|(name, key)| {
            let signer = PrivateKeySigner::from_bytes(&key)
                .expect("the constants above are valid secp256k1 keys; a unit test goes through all of them");
            DevAccount {
                name,
                address: signer.address(),
                key,
                signer,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{address, utils::parse_ether};

    use super::*;

    #[test]
    fn accounts_are_those_of_the_well_known_mnemonic() {
        let accounts = dev_accounts();
        assert_eq!(
            accounts[0].address,
            address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
        );
        assert_eq!(
            accounts[9].address,
            address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720")
        );
        assert_eq!(DEV_BALANCE, parse_ether("10000").unwrap());
    }
}
