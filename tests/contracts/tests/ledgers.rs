//! The ledgers (`claims`, `supply`, `trials`) beside the real registry, records and relay.
//!
//! A whole life of each is lived twice: by its parties' own transactions, and by what they signed and somebody else submits. In the
//! second, everything that was signed so far is submitted again after each step: all of it is refused, and no word of any ledger moves.
//! Then attacks by name; what stands in the way is asserted by the exact revert. What speaks for whom stands in [`speaking`].

mod claims;
mod speaking;
mod supply;
mod trials;

use std::collections::BTreeMap;

use alloy::{
    primitives::{Address, B256, Bytes, LogData, TxKind, U256, keccak256},
    signers::{SignerSync, local::PrivateKeySigner},
    sol_types::{SolCall, SolError, SolEvent, SolInterface, SolStruct},
};
use medlock_abi::{
    claims::IClaims::IClaimsErrors,
    registry::IRegistry,
    relay::IRelay::{self, LedgerCall},
    signed,
    supply::ISupply::ISupplyErrors,
    trials::ITrials::ITrialsErrors,
};
use medlock_anvil::CHAIN_ID;
use medlock_contract_tests::{Contracts, Done, OWNER};
use medlock_merkle::Tree;
use revm::context::result::ExecutionResult;

use crate::world;

/// Pays for what others have signed, and has no right to anything.
const SUBMITTER: Address = Address::repeat_byte(0x5b);
/// A document's digest.
const NOTE: B256 = B256::repeat_byte(0xd0);
const DAY_S: u64 = 24 * 60 * 60;

/// By whose transactions a life goes.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Each party's own.
    Own,
    /// The submitter's, to the relay.
    Signed,
}

/// The contracts, and one ledger that the test is about. Who deployed is the issuer of credentials.
struct Stage {
    world: Contracts,
    ledger: Address,
    way: Way,
    /// What was signed and has run.
    signed: Vec<IRelay::callLedgerCall>,
}

impl Stage {
    fn new(way: Way, ledger: impl Fn(&Contracts) -> Address) -> Self {
        let world = world();
        let mut stage = Self {
            ledger: ledger(&world),
            world,
            way,
            signed: Vec::new(),
        };
        let call = IRegistry::setIssuerCall {
            issuer: OWNER,
            active: true,
        };
        stage.world.must(OWNER, stage.world.registry, call);
        stage
    }

    fn credential(&mut self, party: Address, roles: u64) {
        let call = IRegistry::issueCredentialCall {
            party,
            roles,
            expiry: 0,
            document: NOTE,
        };
        self.world.must(OWNER, self.world.registry, call);
    }

    fn suspend(&mut self, party: Address) {
        let call = IRegistry::suspendCredentialCall { party };
        self.world.must(OWNER, self.world.registry, call);
    }

    fn now(&self) -> u64 {
        self.world.bare.timestamp()
    }

    fn pass(&mut self, seconds: u64) {
        self.world.bare.set_timestamp(self.now() + seconds);
    }

    /// A step that must be taken.
    #[track_caller]
    fn act<C: SolCall>(&mut self, actor: &PrivateKeySigner, call: C) -> Done {
        if self.way == Way::Own {
            return self.world.must(actor.address(), self.ledger, call);
        }
        let signed = self.sign(actor, call);
        let done = self.world.must(SUBMITTER, self.world.relay, signed.clone());
        self.signed.push(signed);
        self.submit_all_again();
        done
    }

    #[track_caller]
    fn submit_all_again(&mut self) {
        let before = self.words();
        for signed in self.signed.clone() {
            let name = Bytes::copy_from_slice(&signed.operation.call[..4]);
            let done = self.world.send(SUBMITTER, self.world.relay, signed);
            let refusal = done.output.expect_err(&format!("the signed {name} ran twice"));
            // By the ledger: the relay has nothing against it.
            assert!(self.is_a_ledgers(&refusal), "{name} was refused with {refusal}");
        }
        assert_eq!(self.words(), before, "what was refused left something behind");
    }

    fn is_a_ledgers(&self, refusal: &[u8]) -> bool {
        let selector = refusal[..4].try_into().unwrap();
        if self.ledger == self.world.claims {
            IClaimsErrors::valid_selector(selector)
        } else if self.ledger == self.world.supply {
            ISupplyErrors::valid_selector(selector)
        } else {
            ITrialsErrors::valid_selector(selector)
        }
    }

    /// The last step left this event, and no other.
    #[track_caller]
    fn told<E: SolEvent>(&self, done: &Done, event: E) {
        self.told_all(done, &[event.encode_log_data()]);
    }

    #[track_caller]
    fn told_all(&self, done: &Done, events: &[LogData]) {
        assert!(
            done.logs.iter().all(|log| log.address == self.ledger),
            "{:?}",
            done.logs
        );
        let told: Vec<_> = done.logs.iter().map(|log| log.data.clone()).collect();
        assert_eq!(told, events);
    }

    /// A step that is refused for this reason, and leaves nothing behind.
    #[track_caller]
    fn refused(&mut self, actor: &PrivateKeySigner, call: impl SolCall, error: impl SolError) {
        self.refused_at(actor.address(), self.ledger, call, error);
    }

    #[track_caller]
    fn refused_at(&mut self, from: Address, to: Address, call: impl SolCall, error: impl SolError) {
        let before = self.words();
        let refusal = self.world.send(from, to, call).output.expect_err("it was done");
        assert_eq!(refusal, error.abi_encode());
        assert_eq!(self.words(), before, "what was refused left something behind");
    }

    /// The SDK refuses malformed calldata without a word.
    #[track_caller]
    fn refused_in_silence(&mut self, from: Address, to: Address, data: Vec<u8>) {
        let before = self.words();
        let result = self.world.bare.send(from, TxKind::Call(to), data, U256::ZERO).unwrap();
        assert!(
            matches!(&result, ExecutionResult::Revert { output, .. } if output.is_empty()),
            "{result:?}"
        );
        assert_eq!(self.words(), before, "what was refused left something behind");
    }

    /// `call`, wherever it is cut and whatever its lengths and offsets say, is refused in silence; `words`: where those stand, counted from
    /// the first argument.
    #[track_caller]
    fn lies_are_refused(&mut self, from: Address, call: impl SolCall, words: &[usize]) {
        let good = call.abi_encode();
        for cut in (4..good.len()).step_by(32).chain([0, 3, 5, 35, good.len() - 1]) {
            self.refused_in_silence(from, self.ledger, good[..cut].to_vec());
        }
        for &word in words {
            let place = 4 + word * 32..4 + word * 32 + 32;
            let true_one = U256::from_be_slice(&good[place.clone()]);
            assert!(
                true_one < U256::from(good.len()),
                "word {word} is neither an offset nor a length"
            );
            for lie in [
                U256::MAX,
                U256::ONE << 255,
                U256::from(u64::MAX) - U256::from(31),
                U256::from(1u64 << 32),
                U256::from(good.len()),
            ] {
                let mut lying = good.clone();
                lying[place.clone()].copy_from_slice(&lie.to_be_bytes::<32>());
                self.refused_in_silence(from, self.ledger, lying);
            }
        }
    }

    fn sign(&self, signer: &PrivateKeySigner, call: impl SolCall) -> IRelay::callLedgerCall {
        self.sign_operation(signer, self.operation(signer.address(), call.abi_encode()))
    }

    fn operation(&self, signer: Address, call: Vec<u8>) -> LedgerCall {
        LedgerCall {
            signer,
            ledger: self.ledger,
            call: call.into(),
            nonce: U256::ZERO,
            deadline: U256::MAX,
        }
    }

    fn sign_operation(&self, signer: &PrivateKeySigner, operation: LedgerCall) -> IRelay::callLedgerCall {
        let signature = sign_for(self.world.relay, signer, &operation);
        IRelay::callLedgerCall { operation, signature }
    }

    /// Every word that a ledger keeps.
    fn words(&self) -> BTreeMap<(Address, B256), U256> {
        let ledgers = [self.world.claims, self.world.supply, self.world.trials];
        ledgers
            .into_iter()
            .flat_map(|ledger| {
                let entries = self.world.bare.storage_entries(ledger);
                entries.map(move |(slot, word)| ((ledger, slot), word))
            })
            .collect()
    }
}

/// What this relay would take.
fn sign_for(relay: Address, signer: &PrivateKeySigner, operation: &LedgerCall) -> Bytes {
    let hash = operation.eip712_signing_hash(&signed::domain(CHAIN_ID, relay));
    signer.sign_hash_sync(&hash).unwrap().as_bytes().to_vec().into()
}

/// A party of its own for each number.
fn party(number: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::with_last_byte(number)).unwrap()
}

/// The tree over leaves with these data.
fn tree(leaves: &[B256]) -> Tree {
    let hashes: Vec<_> = leaves.iter().map(|leaf| medlock_merkle::leaf(keccak, *leaf)).collect();
    Tree::new(keccak, &hashes)
}

fn keccak(bytes: &[u8]) -> B256 {
    keccak256(bytes)
}

/// keccak256 of these words.
fn hash(words: &[B256]) -> B256 {
    keccak256(words.concat())
}
