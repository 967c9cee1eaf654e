//! Questions that the contracts ask of each other, of their callers' accounts and of the chain's precompiles, all by static call;
//! and [`log`].
//!
//! Whoever is asked may revert, lie about its answer's form, or not be there: that is `None` or `false`, and it is for
//! the caller to take no answer as a no. It must never change state, nor hand on bytes that somebody else composed
//! (but a signature, to the account that is said to have given it).
//!
//! An answer may be long, up to what its gas pays for; the memory that it takes is paid for by whoever sent the transaction.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, uint};
use alloy_sol_types::{SolCall, SolEvent, TopicList, abi::token::WordToken, sol};
use stylus_sdk::prelude::*;

const ECRECOVER: Address = address!("0000000000000000000000000000000000000001");
const SHA256: Address = address!("0000000000000000000000000000000000000002");
/// RIP-7212 (and EIP-7951): P-256. Arbitrum has it since ArbOS 30.
const P256_VERIFY: Address = address!("0000000000000000000000000000000000000100");

/// Half of secp256k1's order: of the two signatures that fit, the one with the larger `s` is refused (EIP-2).
const S_MOST: U256 = uint!(0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0_U256);

/// What an account may spend on one signature. Several owners' ECDSA keys, or a passkey by the precompile, take less than half of
/// it, behind a proxy and modules too; the curve P-256 in plain EVM code may not fit. Whoever relays pays for no more.
pub const SIGNATURE_GAS_MOST: u64 = 200_000;
/// The selector of `isValidSignature`, as a `bytes4` fills a word.
const MAGIC: B256 = b256!("1626ba7e00000000000000000000000000000000000000000000000000000000");

sol! {
    /// EIP-1271.
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4 magic);
}

/// What the contract at `to` answers. `None`: it failed, or what came back is not in the ABI.
pub fn ask<C: SolCall>(vm: &impl Host, to: Address, question: &C) -> Option<C::Return> {
    let data = static_call(vm, Call::new(), to, &question.abi_encode()).ok()?;
    C::abi_decode_returns_validate(&data).ok()
}

/// Who has signed `digest` with an ECDSA key on secp256k1. `signature`: r, s, v (27 or 28), with the lower s; anything
/// else is `None`, so that no two signatures say the same.
pub fn recover(vm: &impl Host, digest: B256, signature: &[u8]) -> Option<Address> {
    let [r_and_s @ .., v] = signature else { return None };
    if r_and_s.len() != 64 || !matches!(v, 27 | 28) || U256::from_be_slice(&r_and_s[32..]) > S_MOST {
        return None;
    }
    let mut input = [0; 128];
    input[..32].copy_from_slice(digest.as_slice());
    input[63] = *v;
    input[64..].copy_from_slice(r_and_s);
    let output = static_call(vm, Call::new(), ECRECOVER, &input).ok()?;
    // Nothing comes back where no key fits.
    let signer = Address::from_word(B256::try_from(output.as_slice()).ok()?);
    (!signer.is_zero()).then_some(signer)
}

/// Whether the contract at `account` confirms that it has signed `digest` (EIP-1271): within [`SIGNATURE_GAS_MOST`], with
/// the magic value in exactly one word. All else is a no: a revert, another length, bytes behind the magic value.
///
/// The account has less than that to spend where the transaction does not carry as much (all but a 64th of what is left is handed
/// on), so whoever sends the transaction can turn a yes into a no: a no must end in a revert that leaves nothing behind.
pub fn is_valid_signature(vm: &impl Host, account: Address, digest: B256, signature: Bytes) -> bool {
    let question = isValidSignatureCall { digest, signature };
    static_call(vm, Call::new().gas(SIGNATURE_GAS_MOST), account, &question.abi_encode())
        .is_ok_and(|answer| answer == MAGIC.as_slice())
}

/// `None`: the precompile failed, for want of gas.
pub fn sha256(vm: &impl Host, data: &[u8]) -> Option<B256> {
    let output = static_call(vm, Call::new(), SHA256, data).ok()?;
    B256::try_from(output.as_slice()).ok()
}

/// Whether `r`, `s` is a signature over the hash with the P-256 key `x`, `y`. The precompile answers with a word that is 1, or
/// not at all; where a chain does not have it, the call finds an empty account and succeeds without an answer: a no.
/// Both `s` and the curve's order less `s` are a signature; who cares must refuse one.
pub fn p256_verify(vm: &impl Host, hash: B256, r: B256, s: B256, x: B256, y: B256) -> bool {
    let input = [hash, r, s, x, y].concat();
    static_call(vm, Call::new(), P256_VERIFY, &input).is_ok_and(|answer| answer == B256::with_last_byte(1).as_slice())
}

/// As the SDK's `log`, but the event's hash is four numbers in the code. As 32 bytes of the module's data it would cost 24 gas in
/// every call to the contract, whichever event it emits: Nitro charges 0.75 gas a byte of data when it enters a program.
pub fn log<E: SolEvent>(vm: &impl Host, event: E) {
    let [first, second, third, last] = const { limbs(E::SIGNATURE_HASH) };
    let mut topics = [WordToken::default(); TOPICS_MOST];
    // It says no where there is not enough room, and there is.
    let _ = event.encode_topics_raw(&mut topics);
    // Moved out, or the first one would have to stand beside them, and so in the data.
    let [_, indexed @ ..] = topics;
    let count = <E::TopicList as TopicList>::COUNT;
    emit(
        vm,
        first,
        second,
        third,
        last,
        &indexed[..count - 1],
        &event.encode_data(),
    );
}

/// An event's, its hash among them.
const TOPICS_MOST: usize = 4;

/// Not inlined, so that the numbers are arguments, and not bytes somewhere.
#[inline(never)]
fn emit(vm: &impl Host, first: u64, second: u64, third: u64, last: u64, topics: &[WordToken], data: &[u8]) {
    let mut bytes = Vec::with_capacity(32 + size_of_val(topics) + data.len());
    for limb in [first, second, third, last] {
        bytes.extend_from_slice(&limb.to_be_bytes());
    }
    for topic in topics {
        bytes.extend_from_slice(topic.as_slice());
    }
    bytes.extend_from_slice(data);
    vm.emit_log(&bytes, 1 + topics.len());
}

const fn limbs(hash: B256) -> [u64; 4] {
    let mut limbs = [0; 4];
    let mut index = 0;
    while index < 32 {
        limbs[index / 8] = limbs[index / 8] << 8 | hash.0[index] as u64;
        index += 1;
    }
    limbs
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::vec;
    use std::println;

    use stylus_sdk::testing::TestVM;

    use super::*;

    const SOMEBODY: Address = Address::repeat_byte(0x11);
    const DIGEST: B256 = B256::repeat_byte(0x5a);

    type Answer = Result<Vec<u8>, Vec<u8>>;

    sol! {
        function isSo(uint8 what) external view returns (bool);
    }

    /// A chain where this call, and no other, gets this answer. (Of the others the test VM knows only that they succeed.)
    fn answering(to: Address, data: Vec<u8>, answer: Answer) -> TestVM {
        let vm = TestVM::new();
        vm.mock_static_call(to, data, answer);
        vm
    }

    fn word(number: u8) -> Vec<u8> {
        B256::with_last_byte(number).to_vec()
    }

    /// What is not a yes: reverts, other lengths, other words.
    fn noes(yes: &[u8]) -> Vec<Answer> {
        vec![
            Err(yes.to_vec()),
            Err(vec![]),
            Ok(vec![]),
            Ok(yes[1..].to_vec()),
            Ok([yes, &[0]].concat()),
            Ok([yes, &[0; 32]].concat()),
            Ok(vec![0; 32]),
            Ok(vec![0xff; 32]),
            Ok([yes, yes].concat()),
        ]
    }

    #[test]
    fn an_answer_is_one_only_where_it_is_in_the_abi() {
        let ask = |answer: Answer| {
            let vm = answering(SOMEBODY, isSoCall { what: 7 }.abi_encode(), answer);
            super::ask(&vm, SOMEBODY, &isSoCall { what: 7 })
        };
        assert_eq!(ask(Ok(word(1))), Some(true));
        assert_eq!(ask(Ok(word(0))), Some(false));
        for answer in [
            Err(word(1)),
            Err(vec![]),
            Ok(vec![]),
            Ok(vec![1]),
            Ok(word(2)),
            Ok(vec![0xff; 32]),
        ] {
            assert_eq!(ask(answer.clone()), None, "{answer:?}");
        }
    }

    sol! {
        event Said(uint8 what);
        event Told(uint8 indexed what, address indexed by, bytes32 indexed to, uint64 at, bytes data);
    }

    #[test]
    fn logs_as_the_sdk_does() {
        let (said, told) = (
            Said { what: 7 },
            Told {
                what: 8,
                by: SOMEBODY,
                to: DIGEST,
                at: 9,
                data: vec![0xaa; 33].into(),
            },
        );
        let (ours, theirs) = (TestVM::new(), TestVM::new());
        log(&ours, said.clone());
        log(&ours, told.clone());
        theirs.log(said);
        theirs.log(told);
        assert_eq!(ours.get_emitted_logs(), theirs.get_emitted_logs());
        assert_eq!(ours.get_emitted_logs()[1].0[0], Told::SIGNATURE_HASH);
    }

    fn signature(s: U256, v: u8) -> Vec<u8> {
        [&[0x33; 32][..], &s.to_be_bytes::<32>()[..], &[v]].concat()
    }

    fn recovered(signature: &[u8], answer: Answer) -> Option<Address> {
        let mut input = [&DIGEST[..], &[0; 31], &signature[64..65], &signature[..64]].concat();
        input.resize(128, 0);
        recover(&answering(ECRECOVER, input, answer), DIGEST, signature)
    }

    #[test]
    fn recovers_whom_the_precompile_names() {
        let somebody = SOMEBODY.into_word().to_vec();
        for v in [27, 28] {
            for s in [U256::ONE, S_MOST] {
                assert_eq!(recovered(&signature(s, v), Ok(somebody.clone())), Some(SOMEBODY));
                assert_eq!(recovered(&signature(s, v), Err(somebody.clone())), None);
                assert_eq!(recovered(&signature(s, v), Ok(vec![])), None);
                assert_eq!(recovered(&signature(s, v), Ok(vec![0; 32])), None);
            }
        }
    }

    #[test]
    fn recovers_nobody_from_a_signature_that_says_the_same_as_another() {
        let somebody = SOMEBODY.into_word().to_vec();
        for v in (0..=u8::MAX).filter(|v| !matches!(v, 27 | 28)) {
            assert_eq!(recovered(&signature(U256::ONE, v), Ok(somebody.clone())), None, "{v}");
        }
        for s in [S_MOST + U256::ONE, U256::MAX] {
            assert_eq!(recovered(&signature(s, 27), Ok(somebody.clone())), None);
        }
        let vm = answering(ECRECOVER, vec![], Ok(somebody));
        let good = signature(U256::ONE, 27);
        for other in [&good[..64], &good[1..], &good[..0], &[&good[..], &[27]].concat()] {
            assert_eq!(recover(&vm, DIGEST, other), None, "{} bytes", other.len());
        }
    }

    #[test]
    fn an_account_confirms_with_the_magic_word_alone() {
        assert_eq!(isValidSignatureCall::SELECTOR, MAGIC[..4]);
        let signature = vec![0x77; 100];
        let confirms = |answer: Answer| {
            // Selector, digest, where the signature begins, its length, itself.
            let mut data = [&MAGIC[..4], &DIGEST[..], &word(0x40), &word(100), &signature].concat();
            data.resize(4 + 32 * 3 + 128, 0);
            let vm = answering(SOMEBODY, data, answer);
            is_valid_signature(&vm, SOMEBODY, DIGEST, signature.clone().into())
        };
        assert!(confirms(Ok(MAGIC.to_vec())));
        for answer in noes(&MAGIC[..]) {
            println!("{answer:?}");
            assert!(!confirms(answer));
        }
        assert!(!confirms(Ok(MAGIC[..4].to_vec())));
    }

    #[test]
    fn sha256_is_what_the_precompile_answers() {
        let hash = |answer| sha256(&answering(SHA256, vec![1, 2], answer), &[1, 2]);
        assert_eq!(hash(Ok(DIGEST.to_vec())), Some(DIGEST));
        for answer in [Err(DIGEST.to_vec()), Ok(vec![]), Ok(DIGEST[1..].to_vec())] {
            assert_eq!(hash(answer), None);
        }
    }

    #[test]
    fn p256_says_yes_with_one_in_a_word_alone() {
        let of = |byte| B256::repeat_byte(byte);
        let verified = |answer: Answer| {
            let input = [DIGEST, of(1), of(2), of(3), of(4)].concat();
            p256_verify(
                &answering(P256_VERIFY, input, answer),
                DIGEST,
                of(1),
                of(2),
                of(3),
                of(4),
            )
        };
        assert!(verified(Ok(word(1))));
        // Among them nothing at all: where there is no such precompile, the call succeeds.
        for answer in noes(&word(1)) {
            println!("{answer:?}");
            assert!(!verified(answer));
        }
    }
}
