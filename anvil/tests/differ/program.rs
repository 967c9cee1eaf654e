//! Random EVM code from a grammar: every statement leaves the stack as it found it.

use alloy::primitives::{Address, U256, hex};
use arbitrary::{Result, Unstructured};

/// Statements of a contract.
const STATEMENTS_MAX: usize = 12;
/// How deep expressions nest.
const DEPTH_MAX: u32 = 3;
/// Storage and transient slots in use.
pub const SLOTS: u8 = 6;

/// Init code that returns `code` as the contract.
pub fn init(code: &[u8]) -> Vec<u8> {
    let [high, low] = (code.len() as u16).to_be_bytes();
    // PUSH2 length, DUP1, PUSH1 start, PUSH1 0, CODECOPY, PUSH1 0, RETURN
    let mut init = vec![0x61, high, low, 0x80, 0x60, 12, 0x60, 0, 0x39, 0x60, 0, 0xf3];
    init.extend(code);
    init
}

/// A contract of random statements that calls `targets`.
pub fn runtime(u: &mut Unstructured<'_>, targets: &[Address]) -> Result<Vec<u8>> {
    let mut program = Program {
        code: Vec::new(),
        targets,
    };
    for _ in 0..u.int_in_range(1..=STATEMENTS_MAX)? {
        program.statement(u)?;
    }
    program.end(u)?;
    Ok(program.code)
}

/// An expression whose value is returned.
pub fn operators(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut program = Program {
        code: Vec::new(),
        targets: &[],
    };
    for slot in 0..4 {
        program.value(u, 0)?;
        program.push(slot * 32);
        program.op(0x52); // MSTORE
    }
    program.push(128);
    program.push(0);
    program.op(0xf3); // RETURN
    Ok(program.code)
}

/// Input that the precompile at `address` reads beyond its first check, or just bytes.
pub fn precompile_input(address: u8, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut input = match address {
        // ecrecover: a hash and v, r, s from go-ethereum's example.
        1 => hex!(
            "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c000000000000000000000000000000000000000000000000000000000000001c"
            "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75feeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"
        )
        .to_vec(),
        // modexp: lengths, then base, exponent, modulus.
        5 => {
            let mut input = Vec::new();
            let lengths: [u8; 3] = [u.int_in_range(0..=40)?, u.int_in_range(0..=40)?, u.int_in_range(0..=40)?];
            for length in lengths {
                input.extend(U256::from(length).to_be_bytes::<32>());
            }
            input
        }
        // bn254 and BLS12-381: points at infinity and generators are mostly zero words.
        6..=8 => {
            let mut input = Vec::new();
            for word in [1u8, 2, 1, 2, 0, 0] {
                input.extend(U256::from(word).to_be_bytes::<32>());
            }
            input
        }
        9 => {
            let mut input = vec![0, 0, 0, u.arbitrary()?];
            input.extend([7; 209]);
            input[212] = u.int_in_range(0..=2)?;
            input
        }
        0x0b..=0x11 => vec![0; *u.choose(&[0, 64, 128, 160, 256, 288, 384])?],
        _ => Vec::new(),
    };
    if u.arbitrary()? {
        let extra = u.int_in_range(0..=u.len().min(160))?;
        input.extend(u.bytes(extra)?);
    }
    if !input.is_empty() && u.ratio(1, 3)? {
        let at = u.choose_index(input.len())?;
        input[at] = u.arbitrary()?;
    }
    if !input.is_empty() && u.ratio(1, 4)? {
        input.truncate(u.choose_index(input.len())?);
    }
    Ok(input)
}

struct Program<'a> {
    code: Vec<u8>,
    targets: &'a [Address],
}

impl Program<'_> {
    fn op(&mut self, op: u8) {
        self.code.push(op);
    }

    fn push(&mut self, byte: u8) {
        self.code.extend([0x60, byte]);
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        self.code.push(0x5f + bytes.len() as u8);
        self.code.extend(bytes);
    }

    fn constant(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let word = match u.int_in_range(0..=7)? {
            0 => U256::ZERO,
            1 => U256::MAX,
            2 => U256::ONE << 255,
            3 => U256::from(u.arbitrary::<u8>()?),
            4 => U256::from(32),
            5 => U256::from_be_bytes(u.arbitrary::<[u8; 32]>()?),
            6 => U256::from(u.arbitrary::<u64>()?),
            _ => return self.address(u),
        };
        self.push_bytes(&word.to_be_bytes::<32>());
        Ok(())
    }

    fn address(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let address = match u.int_in_range(0..=7)? {
            0 => Address::with_last_byte(u.int_in_range(0..=0x12)?),
            1 => Address::repeat_byte(u.arbitrary()?),
            _ if self.targets.is_empty() => Address::repeat_byte(0x11),
            _ => *u.choose(self.targets)?,
        };
        self.push_bytes(address.as_slice());
        Ok(())
    }

    /// An offset or length in memory: mostly small.
    fn small(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=31)? {
            0 => self.constant(u)?,
            1 => self.push_bytes(&u.int_in_range(0..=0x3000u16)?.to_be_bytes()),
            _ => self.push(u.int_in_range(0..=130)?),
        }
        Ok(())
    }

    fn slot(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.push(u.int_in_range(0..=SLOTS - 1)?);
        Ok(())
    }

    /// Leaves one word.
    fn value(&mut self, u: &mut Unstructured<'_>, depth: u32) -> Result<()> {
        if depth >= DEPTH_MAX {
            return self.constant(u);
        }
        match u.int_in_range(0..=11)? {
            0 | 1 => self.constant(u)?,
            // ADD to SIGNEXTEND, LT to EQ, AND to XOR, BYTE to SAR.
            2..=4 => {
                let op = *u.choose(&[
                    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17,
                    0x18, 0x1a, 0x1b, 0x1c, 0x1d,
                ])?;
                self.value(u, depth + 1)?;
                self.value(u, depth + 1)?;
                self.op(op);
            }
            5 => {
                // ADDMOD, MULMOD
                for _ in 0..3 {
                    self.value(u, depth + 1)?;
                }
                self.op(*u.choose(&[0x08, 0x09])?);
            }
            6 => {
                // ISZERO, NOT, CALLDATALOAD, BLOBHASH
                self.value(u, depth + 1)?;
                self.op(*u.choose(&[0x15, 0x19, 0x35, 0x49])?);
            }
            // ADDRESS, ORIGIN, CALLER, CALLVALUE, CALLDATASIZE, CODESIZE, GASPRICE, RETURNDATASIZE, COINBASE, TIMESTAMP,
            // NUMBER, GASLIMIT, CHAINID, SELFBALANCE, BASEFEE, BLOBBASEFEE, PC, MSIZE, GAS, PUSH0
            7 => self.op(*u.choose(&[
                0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3a, 0x3d, 0x41, 0x42, 0x43, 0x45, 0x46, 0x47, 0x48, 0x4a, 0x58,
                0x59, 0x5a, 0x5f,
            ])?),
            8 => {
                // BALANCE, EXTCODESIZE, EXTCODEHASH
                self.address(u)?;
                self.op(*u.choose(&[0x31, 0x3b, 0x3f])?);
            }
            9 => {
                // SLOAD, TLOAD
                self.slot(u)?;
                self.op(*u.choose(&[0x54, 0x5c])?);
            }
            10 => {
                self.small(u)?;
                self.op(0x51); // MLOAD
            }
            _ => {
                self.small(u)?;
                self.small(u)?;
                self.op(0x20); // KECCAK256
            }
        }
        Ok(())
    }

    fn statement(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=15)? {
            0..=2 => {
                // SSTORE
                self.value(u, 0)?;
                self.slot(u)?;
                self.op(0x55);
            }
            3 => {
                // TSTORE
                self.value(u, 0)?;
                self.slot(u)?;
                self.op(0x5d);
            }
            4 | 5 => {
                // MSTORE, MSTORE8
                self.value(u, 0)?;
                self.small(u)?;
                self.op(*u.choose(&[0x52, 0x53])?);
            }
            6 => {
                // CALLDATACOPY, CODECOPY, RETURNDATACOPY, MCOPY
                for _ in 0..3 {
                    self.small(u)?;
                }
                self.op(*u.choose(&[0x37, 0x39, 0x3e, 0x5e])?);
            }
            7 => {
                // EXTCODECOPY
                for _ in 0..3 {
                    self.small(u)?;
                }
                self.address(u)?;
                self.op(0x3c);
            }
            8 => {
                let topics = u.int_in_range(0..=4)?;
                for _ in 0..topics {
                    self.value(u, 1)?;
                }
                self.small(u)?;
                self.small(u)?;
                self.op(0xa0 + topics);
            }
            9..=12 => self.call(u)?,
            13 => self.create(u)?,
            14 => {
                // Skip a statement if a value is not zero.
                self.value(u, 1)?;
                let hole = self.code.len() + 1;
                self.push_bytes(&[0, 0]);
                self.op(0x57);
                self.statement(u)?;
                let here = (self.code.len() as u16).to_be_bytes();
                self.code[hole..hole + 2].copy_from_slice(&here);
                self.op(0x5b);
            }
            _ => {
                // SWAP and DUP over constants.
                let depth = u.int_in_range(1..=16)?;
                for _ in 0..=depth {
                    self.push(u.arbitrary()?);
                }
                self.op(if u.arbitrary()? { 0x8f + depth } else { 0x7f + depth });
                let dup = self.code.last().is_some_and(|op| *op < 0x90);
                for _ in 0..=depth + u8::from(dup) {
                    self.op(0x50);
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let op = *u.choose(&[0xf1, 0xf1, 0xf2, 0xf4, 0xfa])?;
        for _ in 0..4 {
            self.small(u)?;
        }
        if op == 0xf1 || op == 0xf2 {
            self.push(*u.choose(&[0, 0, 0, 1])?);
        }
        match u.int_in_range(0..=7)? {
            // What was created and remembered.
            0 => {
                self.slot(u)?;
                self.op(0x54);
            }
            _ => self.address(u)?,
        }
        match u.int_in_range(0..=3)? {
            0 => self.push_bytes(&u.int_in_range(0..=60_000u16)?.to_be_bytes()),
            _ => self.op(0x5a),
        }
        self.op(op);
        self.slot(u)?;
        self.op(0x55);
        Ok(())
    }

    fn create(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let init: &[u8] = match u.int_in_range(0..=8)? {
            // An empty contract, then: one that stores and logs; that destroys itself for its caller; REVERT with data;
            // code that begins 0xEF; self-destruction while it is created; INVALID; returns 25,000 bytes; stores itself.
            0 => &hex!("00"),
            1 => &hex!("6a600160015560206000a000600052600b6015f3"),
            2 => &hex!("6133ff6000526002601ef3"),
            3 => &hex!("602a60005260206000fd"),
            4 => &hex!("60ef60005360016000f3"),
            5 => &hex!("33ff"),
            6 => &hex!("fe"),
            7 => &hex!("6161a86000f3"),
            _ => &hex!("306000553460015500"),
        };
        let mut word = [0; 32];
        word[..init.len()].copy_from_slice(init);
        self.push_bytes(&word);
        self.push(0);
        self.op(0x52);
        let salted = u.arbitrary()?;
        if salted {
            self.push(u.int_in_range(0..=2)?);
        }
        self.push(init.len() as u8);
        self.push(0);
        self.push(*u.choose(&[0, 0, 1])?);
        self.op(if salted { 0xf5 } else { 0xf0 });
        self.slot(u)?;
        self.op(0x55);
        Ok(())
    }

    fn end(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=15)? {
            0..=3 => self.op(0x00),
            4..=9 => {
                self.small(u)?;
                self.small(u)?;
                self.op(0xf3);
            }
            10 | 11 => {
                self.small(u)?;
                self.small(u)?;
                self.op(0xfd);
            }
            12 => {
                self.address(u)?;
                self.op(0xff);
            }
            // INVALID, an opcode that is none, a stack underflow, a jump to nowhere.
            13 => self.op(*u.choose(&[0xfe, 0x0c, 0x21, 0xb0, 0xef, 0xf6])?),
            14 => self.op(*u.choose(&[0x50, 0x01, 0xf1])?),
            _ => {
                self.constant(u)?;
                self.op(0x56);
            }
        }
        Ok(())
    }
}
