//! The world state: accounts in a persistent trie, each with its own storage trie.
//!
//! A [`State`] is immutable to whoever holds a clone; a block makes the next one by applying [`Change`]s. The same
//! changes are what the journal stores, so replaying them cannot give another state than execution did.

use std::convert::Infallible;

use alloy::primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_rlp::{Encodable, RlpDecodable, RlpEncodable};
use revm::Database;
use revm::state::{AccountInfo, Bytecode, EvmState};

use crate::dump::{DumpedAccount, DumpedSlot};
use crate::trie::{Leaf, Trie};

/// One version of the world state. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct State {
    accounts: Trie<Account>,
}

/// An account that exists (EIP-161: not empty).
#[derive(Clone, Debug)]
pub struct Account {
    pub nonce: u64,
    pub balance: U256,
    pub code_hash: B256,
    pub code: Bytecode,
    pub storage: Trie<U256>,
}

/// What a transaction, an override or genesis did to one account.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Change {
    pub address: Address,
    pub nonce: u64,
    pub balance: U256,
    /// Empty: unchanged. One entry: the code, of any length, from now on.
    pub code: Vec<Bytes>,
    /// The storage starts empty: the account was created or destroyed.
    pub wiped: bool,
    pub storage: Vec<Slot>,
}

/// One storage slot's new value.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Slot {
    pub key: U256,
    pub value: U256,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
            code: Bytecode::default(),
            storage: Trie::default(),
        }
    }
}

impl State {
    /// The state trie's root, as it stands in a block header.
    pub fn root(&self) -> B256 {
        self.accounts.root()
    }

    /// The account at `address`, if it exists.
    pub fn account(&self, address: Address) -> Option<&Account> {
        self.accounts.get(&keccak256(address))
    }

    /// The value of a storage slot, zero where nothing was written.
    pub fn storage(&self, address: Address, slot: U256) -> U256 {
        self.account(address)
            .map(|account| account.slot(slot))
            .unwrap_or_default()
    }

    /// The nonce of `address`, zero for an account that does not exist.
    pub fn nonce(&self, address: Address) -> u64 {
        self.account(address).map_or(0, |account| account.nonce)
    }

    /// The balance of `address` in wei.
    pub fn balance(&self, address: Address) -> U256 {
        self.account(address).map_or(U256::ZERO, |account| account.balance)
    }

    /// The nodes that prove the account's leaf, or its absence (EIP-1186).
    pub fn prove_account(&self, address: Address) -> Vec<Bytes> {
        self.accounts.prove(&keccak256(address))
    }

    /// Every account under the hash of its address, in the order of the hashes.
    pub fn to_accounts(&self) -> Vec<DumpedAccount> {
        let accounts = self.accounts.entries().map(|(key, account)| DumpedAccount {
            key: *key,
            nonce: account.nonce,
            balance: account.balance,
            code: account.code.original_bytes(),
            storage: account
                .storage
                .entries()
                .map(|(key, value)| DumpedSlot {
                    key: *key,
                    value: *value,
                })
                .collect(),
        });
        accounts.collect()
    }

    /// The state of these accounts. `None` if accounts or slots are out of order, or one of them is empty.
    pub fn from_accounts(accounts: &[DumpedAccount]) -> Option<Self> {
        if !accounts.is_sorted_by(|a, b| a.key < b.key) {
            return None;
        }
        let mut state = Self::default();
        for dumped in accounts {
            let DumpedAccount {
                key,
                nonce,
                balance,
                code,
                storage,
            } = dumped;
            let in_order = storage.is_sorted_by(|a, b| a.key < b.key);
            if !in_order || storage.iter().any(|slot| slot.value.is_zero()) {
                return None;
            }
            let mut account = Account {
                nonce: *nonce,
                balance: *balance,
                ..Account::default()
            };
            if !code.is_empty() {
                account.code_hash = keccak256(code);
                account.code = bytecode(code.clone());
            }
            for DumpedSlot { key, value } in storage {
                account.storage.insert(*key, *value);
            }
            if account.is_empty() {
                return None;
            }
            state.accounts.insert(*key, account);
        }
        Some(state)
    }

    /// Applies changes in order. An account that ends up empty ceases to exist (EIP-161).
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            let key = keccak256(change.address);
            match self.accounts.get_mut(&key) {
                Some(account) => {
                    account.apply(change);
                    if account.is_empty() {
                        self.accounts.remove(&key);
                    }
                }
                None => {
                    let mut account = Account::default();
                    account.apply(change);
                    if !account.is_empty() {
                        self.accounts.insert(key, account);
                    }
                }
            }
        }
    }

    /// A change that leaves `address` as it is: the base for a change of one field.
    pub fn unchanged(&self, address: Address) -> Change {
        Change {
            address,
            nonce: self.nonce(address),
            balance: self.balance(address),
            code: Vec::new(),
            wiped: false,
            storage: Vec::new(),
        }
    }

    /// What a transaction did, ordered by address so that equal executions give equal journals.
    pub fn changes(&self, executed: EvmState) -> Vec<Change> {
        let mut changes: Vec<Change> = executed
            .into_iter()
            .filter(|(_, account)| account.is_touched())
            .map(|(address, account)| self.change(address, account))
            .collect();
        changes.sort_unstable_by_key(|change| change.address);
        changes
    }

    fn change(&self, address: Address, account: revm::state::Account) -> Change {
        if account.is_selfdestructed() {
            let code = vec![Bytes::new()];
            return Change {
                address,
                nonce: 0,
                balance: U256::ZERO,
                code,
                wiped: true,
                storage: Vec::new(),
            };
        }
        let before = self
            .account(address)
            .map_or(KECCAK256_EMPTY, |account| account.code_hash);
        let code = match &account.info.code {
            Some(code) if account.info.code_hash != before => vec![code.original_bytes()],
            _ => Vec::new(),
        };
        let mut storage: Vec<Slot> = account
            .storage
            .iter()
            .filter(|(_, slot)| slot.is_changed())
            .map(|(key, slot)| Slot {
                key: *key,
                value: slot.present_value,
            })
            .collect();
        storage.sort_unstable_by_key(|slot| slot.key);
        Change {
            address,
            nonce: account.info.nonce,
            balance: account.info.balance,
            code,
            wiped: account.is_created(),
            storage,
        }
    }
}

impl Account {
    /// The value of a storage slot.
    pub fn slot(&self, slot: U256) -> U256 {
        self.storage
            .get(&keccak256(B256::from(slot)))
            .copied()
            .unwrap_or_default()
    }

    fn apply(&mut self, change: &Change) {
        self.nonce = change.nonce;
        self.balance = change.balance;
        if let Some(code) = change.code.first() {
            self.code_hash = keccak256(code);
            self.code = bytecode(code.clone());
        }
        if change.wiped {
            self.storage = Trie::default();
        }
        for Slot { key, value } in &change.storage {
            let key = keccak256(B256::from(*key));
            if value.is_zero() {
                self.storage.remove(&key);
            } else {
                self.storage.insert(key, *value);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == KECCAK256_EMPTY
    }
}

impl Leaf for Account {
    fn encode_leaf(&self, out: &mut Vec<u8>) {
        #[derive(RlpEncodable)]
        struct TrieAccount {
            nonce: u64,
            balance: U256,
            storage_root: B256,
            code_hash: B256,
        }
        TrieAccount {
            nonce: self.nonce,
            balance: self.balance,
            storage_root: self.storage.root(),
            code_hash: self.code_hash,
        }
        .encode(out);
    }
}

impl Leaf for U256 {
    fn encode_leaf(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}

/// Code as the EVM wants it. A delegation (EIP-7702) is parsed; everything else is plain code, Stylus included.
fn bytecode(code: Bytes) -> Bytecode {
    Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code))
}

/// The hash that BLOCKHASH gives. On Arbitrum that is the L1 block's; we have no L1, so it is a stand-in that only
/// depends on the number.
pub fn l1_block_hash(number: u64) -> B256 {
    keccak256([b"medlock-anvil l1 block ".as_slice(), &number.to_be_bytes()].concat())
}

/// Reading for an execution. It never fails: everything is in memory.
impl Database for State {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.account(address).map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            code: Some(account.code.clone()),
            ..AccountInfo::default()
        }))
    }

    /// Never needed, because `basic` always brings the code along.
    fn code_by_hash(&mut self, _code_hash: B256) -> Result<Bytecode, Infallible> {
        Ok(Bytecode::default())
    }

    fn storage(&mut self, address: Address, index: U256) -> Result<U256, Infallible> {
        Ok(State::storage(self, address, index))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        Ok(l1_block_hash(number))
    }
}
