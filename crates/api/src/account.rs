//! Signatures of accounts that are contracts: how to ask the account's code for a yes or no (EIP-1271), also where it is not deployed
//! yet (EIP-6492). Pure: this makes the question and reads the answer; a node is asked by somebody else.
//!
//! The question is one `eth_call` without `to`: a contract creation that is simulated and never sent. Its code (below, some hundred
//! bytes) deploys the account if it has to, asks it within [`SIGNATURE_GAS_MOST`], and returns one word. So the bounds on gas and on the
//! length of what comes back hold in the EVM, whatever the node makes of a request's own.
use alloy_primitives::{Address, B256, Bytes, U256, address, b256};
use alloy_sol_types::{SolCall, SolValue, sol};

/// Bytes of a signature at most, with all that EIP-6492 wraps around it: several owners' keys or a passkey's assertion take less than
/// half, and each read's is kept for ever.
pub const SIGNATURE_BYTES_MOST: usize = 4096;
/// What an account may spend on saying yes or no: as much as the contract `relay` gives it, so that who can sign there can sign in.
pub const SIGNATURE_GAS_MOST: u32 = 200_000;
/// What the factory of an account that is not deployed yet may spend: accounts are proxies, whose creation takes a fifth of it.
pub const FACTORY_GAS_MOST: u32 = 2_000_000;
/// For the `eth_call`: both of the above, and what the creation itself, its input and the 64th that a caller keeps take.
pub const QUESTION_GAS: u64 = FACTORY_GAS_MOST as u64 + SIGNATURE_GAS_MOST as u64 + 600_000;
/// Whom the `eth_call` is said to come from: the last bytes of keccak256("medlock account question"), whose key nobody has. Not zero,
/// which some accounts take for a simulation in which anybody is right.
pub const ASKER: Address = address!("2be154b8d13e9e344c5ab7a3567e1edffa2f4ff5");

/// What a signature ends with that EIP-6492 wraps.
const WRAPPED: B256 = b256!("6492649264926492649264926492649264926492649264926492649264926492");

sol! {
    /// EIP-1271.
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4 magic);
}

/// The input of the creation that asks whether `account` has signed `digest`. `None`: no account can have, as `signature` is too long,
/// or ends as EIP-6492 has it and is not wrapped in that way.
pub fn question(account: Address, digest: B256, signature: &[u8]) -> Option<Bytes> {
    if signature.len() > SIGNATURE_BYTES_MOST {
        return None;
    }
    let (deployment, signature) = match signature.strip_suffix(WRAPPED.as_slice()) {
        Some(wrapped) => {
            let (factory, call, inner) = <(Address, Bytes, Bytes)>::abi_decode_params_validate(wrapped).ok()?;
            (Some((factory, call)), inner)
        }
        None => (None, Bytes::copy_from_slice(signature)),
    };
    let asked = isValidSignatureCall { digest, signature }.abi_encode();
    // Places in the code are pushed in two bytes each, so its length does not depend on them.
    let ask = deploys(account, deployment.as_ref(), 0, 0).len();
    let data = ask + asks(account, asked.len(), 0).len();
    let code = [
        deploys(account, deployment.as_ref(), ask, data + asked.len()),
        asks(account, asked.len(), data),
        asked,
        deployment.map(|(_, call)| call.to_vec()).unwrap_or_default(),
    ];
    Some(code.concat().into())
}

/// Whether what came back from [`question`] is a yes. A node that answers anything but the one word says no.
pub fn is_yes(answer: &[u8]) -> bool {
    answer == U256::ONE.to_be_bytes::<32>()
}

/// Code that calls the factory, unless the account has code: a deployed account is asked as it stands, so that nobody can have it
/// altered first, even in a simulation. `ask`: where to go on. `at`: where in the code the factory's calldata stands.
fn deploys(account: Address, deployment: Option<&(Address, Bytes)>, ask: usize, at: usize) -> Vec<u8> {
    let Some((factory, call)) = deployment else {
        return Vec::new();
    };
    Code::default()
        // if (account.code.length != 0) goto ask
        .push(account.0.0)
        .op(op::EXTCODESIZE)
        .push(place(ask))
        .op(op::JUMPI)
        // memory[32..] = calldata
        .push(place(call.len()))
        .push(place(at))
        .push([32])
        .op(op::CODECOPY)
        // call(gas, factory, value 0, memory[32..], nothing of what it returns); whether it failed shows in the account's code
        .push([0])
        .push([0])
        .push(place(call.len()))
        .push([32])
        .push([0])
        .push(factory.0.0)
        .push(FACTORY_GAS_MOST.to_be_bytes())
        .op(op::CALL)
        .op(op::POP)
        .0
}

/// Code that asks the account, and returns 1 where it answers with the magic value in exactly one word, 0 where it does anything else. `at`:
/// where in the code the question stands, `length`: its bytes.
fn asks(account: Address, length: usize, at: usize) -> Vec<u8> {
    Code::default()
        .op(op::JUMPDEST)
        // memory[32..] = question; memory[..32] is zero still
        .push(place(length))
        .push(place(at))
        .push([32])
        .op(op::CODECOPY)
        // staticcall(gas, account, memory[32..], at most a word of what it returns into memory[..32])
        .push([32])
        .push([0])
        .push(place(length))
        .push([32])
        .push(account.0.0)
        .push(SIGNATURE_GAS_MOST.to_be_bytes())
        .op(op::STATICCALL)
        // .. & (returndatasize == 32): no code at all gives success and no bytes
        .op(op::RETURNDATASIZE)
        .push([32])
        .op(op::EQ)
        .op(op::AND)
        // .. & (memory[..32] == magic << 224)
        .push([0])
        .op(op::MLOAD)
        .push(isValidSignatureCall::SELECTOR)
        .push([224])
        .op(op::SHL)
        .op(op::EQ)
        .op(op::AND)
        // return it as a word
        .push([0])
        .op(op::MSTORE)
        .push([32])
        .push([0])
        .op(op::RETURN)
        .0
}

/// The opcodes in use (Yellow Paper, appendix H).
mod op {
    pub const AND: u8 = 0x16;
    pub const EQ: u8 = 0x14;
    pub const SHL: u8 = 0x1b;
    pub const CODECOPY: u8 = 0x39;
    pub const EXTCODESIZE: u8 = 0x3b;
    pub const RETURNDATASIZE: u8 = 0x3d;
    pub const POP: u8 = 0x50;
    pub const MLOAD: u8 = 0x51;
    pub const MSTORE: u8 = 0x52;
    pub const JUMPI: u8 = 0x57;
    pub const JUMPDEST: u8 = 0x5b;
    /// And each up to 32 bytes follows it.
    pub const PUSH1: u8 = 0x60;
    pub const CALL: u8 = 0xf1;
    pub const RETURN: u8 = 0xf3;
    pub const STATICCALL: u8 = 0xfa;
}

#[derive(Default)]
struct Code(Vec<u8>);

impl Code {
    fn op(mut self, opcode: u8) -> Self {
        self.0.push(opcode);
        self
    }

    /// Pushes a number of `N` bytes, 1 to 32.
    fn push<const N: usize>(mut self, number: [u8; N]) -> Self {
        self.0.push(op::PUSH1 + N as u8 - 1);
        self.0.extend(number);
        self
    }
}

/// A place in the code or a length: two bytes hold it, as the code is hardly longer than [`SIGNATURE_BYTES_MOST`].
fn place(place: usize) -> [u8; 2] {
    debug_assert!(place <= usize::from(u16::MAX));
    (place as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{hex, keccak256};

    const ACCOUNT: Address = Address::repeat_byte(0xac);
    const DIGEST: B256 = B256::repeat_byte(0xd1);

    fn wrapped(factory: Address, call: &[u8], inner: &[u8]) -> Vec<u8> {
        let wrapped = (factory, Bytes::copy_from_slice(call), Bytes::copy_from_slice(inner)).abi_encode_params();
        [wrapped, WRAPPED.to_vec()].concat()
    }

    #[test]
    fn the_asker_is_nobody() {
        assert_eq!(ASKER, Address::from_word(keccak256("medlock account question")));
        assert_eq!(isValidSignatureCall::SELECTOR, hex!("1626ba7e"));
    }

    #[test]
    fn the_question_is_the_code_and_then_what_it_copies() {
        let code = question(ACCOUNT, DIGEST, &[7; 65]).unwrap();
        let asked = isValidSignatureCall {
            digest: DIGEST,
            signature: vec![7; 65].into(),
        };
        let asked = asked.abi_encode();
        let program = code.strip_suffix(asked.as_slice()).unwrap();
        let (length, at) = (asked.len() as u16, program.len() as u16);
        assert_eq!(program[0], op::JUMPDEST);
        assert_eq!(program[2..4], length.to_be_bytes());
        assert_eq!(program[5..7], at.to_be_bytes());

        let code = question(
            ACCOUNT,
            DIGEST,
            &wrapped(Address::repeat_byte(0xfa), &[9; 40], &[7; 65]),
        )
        .unwrap();
        let program = code
            .strip_suffix(&[9; 40])
            .unwrap()
            .strip_suffix(asked.as_slice())
            .unwrap();
        let ask = usize::from(u16::from_be_bytes([program[23], program[24]]));
        assert_eq!(program[ask], op::JUMPDEST);
        let at = usize::from(u16::from_be_bytes([program[30], program[31]]));
        assert_eq!(code[at..], [9; 40]);
    }

    #[test]
    fn what_no_account_can_have_signed_is_not_asked() {
        assert!(question(ACCOUNT, DIGEST, &[0; SIGNATURE_BYTES_MOST]).is_some());
        assert_eq!(question(ACCOUNT, DIGEST, &[0; SIGNATURE_BYTES_MOST + 1]), None);
        assert!(question(ACCOUNT, DIGEST, &[]).is_some());
        let whole = wrapped(Address::ZERO, &[1; 4], &[2; 65]);
        assert!(question(ACCOUNT, DIGEST, &whole).is_some());
        assert_eq!(question(ACCOUNT, DIGEST, WRAPPED.as_slice()), None);
        assert_eq!(question(ACCOUNT, DIGEST, &whole[32..]), None);
        // A length that reaches past the end, and an address with dirt in front.
        let mut long = whole.clone();
        long[96 + 24] = 1;
        assert_eq!(question(ACCOUNT, DIGEST, &long), None);
        let mut dirty = whole;
        dirty[0] = 1;
        assert_eq!(question(ACCOUNT, DIGEST, &dirty), None);
    }

    #[test]
    fn only_the_word_one_is_a_yes() {
        let mut yes = [0; 32];
        yes[31] = 1;
        assert!(is_yes(&yes));
        let mut two = yes;
        two[31] = 2;
        for no in [&[][..], &[1], &[0; 32], &two, &[yes, yes].concat()] {
            assert!(!is_yes(no));
        }
    }
}
