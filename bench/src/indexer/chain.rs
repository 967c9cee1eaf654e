//! Foundry's anvil with five contracts that log what they are told to, so that any history is had fast.

use alloy::primitives::{Address, B256, Bytes, LogData, TxKind, U256};
use anyhow::ensure;
use medlock_anvil::{CHAIN_ID, DevAccount, dev_accounts};
use medlock_indexer::Deployment;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::events::Event;
use crate::{
    anvil::{
        node::{Node, Peer},
        transactions::Transaction,
    },
    http::Connection,
};

const CONTRACTS: u64 = 5;
/// A block is ended by hand, so its first transaction must not be the last that fits.
const EVENTS_OF_A_TRANSACTION: usize = 200;
/// Enough for so many of the longest events; a transaction may have no more (EIP-7825: 2^24).
const GAS: u64 = 16_000_000;

/// What there is to index. Also what a process that indexes it is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chain {
    pub url: String,
    /// Registry, records, exceptions, relay, audit.
    pub contracts: [Address; 5],
    /// The first block with an event.
    pub first: u64,
    /// The last block.
    pub last: u64,
    pub events: u64,
    pub genesis: B256,
}

impl Chain {
    pub fn deployment(&self) -> Deployment {
        let [registry, records, exceptions, relay, audit] = self.contracts;
        Deployment {
            registry,
            records,
            exceptions,
            relay,
            audit,
            // Nothing is there: what is measured has no event of theirs.
            claims: Address::repeat_byte(0xc1),
            supply: Address::repeat_byte(0xc2),
            trials: Address::repeat_byte(0xc3),
            start_block: 1,
            chain_id: CHAIN_ID,
            genesis_hash: self.genesis,
        }
    }
}

/// A running chain, and who writes to it.
pub struct Author {
    /// Ends with this value.
    _node: Node,
    connection: Connection,
    sender: DevAccount,
    nonce: u64,
    chain: Chain,
}

impl Author {
    /// A chain with the contracts and no event.
    pub fn start(foundry: &Peer) -> anyhow::Result<Self> {
        let node = foundry.start(false)?;
        let mut connection = node.connect()?;
        let genesis: Value = connection.call("eth_getBlockByNumber", json!(["0x0", false]))?;
        let sender = dev_accounts().swap_remove(0);
        let contracts = std::array::from_fn(|nonce| sender.address.create(nonce as u64));
        let mut author = Self {
            chain: Chain {
                url: format!("http://{}", node.address()),
                contracts,
                first: 2,
                last: 1,
                events: 0,
                genesis: serde_json::from_value(genesis["hash"].clone())?,
            },
            _node: node,
            connection,
            sender,
            nonce: 0,
        };
        for _ in 0..CONTRACTS {
            author.send(TxKind::Create, emitter())?;
        }
        author.end_block()?;
        Ok(author)
    }

    /// A chain of `blocks` full of the events that `event` numbers.
    pub fn fill(foundry: &Peer, blocks: u64, events: u64, event: fn(u64) -> Event) -> anyhow::Result<Self> {
        let mut author = Self::start(foundry)?;
        let mut written = 0;
        for block in 1..=blocks {
            let to = events * block / blocks;
            author.write_block((written..to).map(event))?;
            written = to;
        }
        author.verify()?;
        Ok(author)
    }

    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Mines the events as the next block.
    pub fn write_block(&mut self, events: impl Iterator<Item = Event>) -> anyhow::Result<()> {
        self.write(events)?;
        self.end_block()
    }

    /// Sends the events, in their order, for the next block.
    pub fn write(&mut self, events: impl Iterator<Item = Event>) -> anyhow::Result<()> {
        let events: Vec<Event> = events.collect();
        self.chain.events += events.len() as u64;
        for run in events.chunk_by(|one, next| one.0 == next.0) {
            let contract = self.chain.contracts[run[0].0 as usize];
            for part in run.chunks(EVENTS_OF_A_TRANSACTION) {
                let input: Vec<u8> = part.iter().flat_map(|(_, data)| entry(data)).collect();
                self.send(TxKind::Call(contract), input.into())?;
            }
        }
        Ok(())
    }

    /// Mines what was sent.
    pub fn end_block(&mut self) -> anyhow::Result<()> {
        let _: Value = self.connection.call("evm_mine", json!([]))?;
        let number: U256 = self.connection.call("eth_blockNumber", json!([]))?;
        self.chain.last = number.to();
        Ok(())
    }

    fn send(&mut self, to: TxKind, input: Bytes) -> anyhow::Result<()> {
        let transaction = Transaction {
            nonce: self.nonce,
            gas: GAS,
            to,
            value: U256::ZERO,
            input,
        };
        self.connection.run(&transaction.send(&self.sender)?)?;
        self.nonce += 1;
        Ok(())
    }

    /// The last block has its logs and nothing lies about unmined.
    fn verify(&mut self) -> anyhow::Result<()> {
        let mined: U256 = self
            .connection
            .call("eth_getTransactionCount", json!([self.sender.address, "latest"]))?;
        ensure!(
            mined == U256::from(self.nonce),
            "{mined} of {} transactions were mined",
            self.nonce
        );
        let logs: Vec<Value> = self.connection.call("eth_getLogs", json!([{"fromBlock": "latest"}]))?;
        ensure!(!logs.is_empty(), "the last block has no log");
        Ok(())
    }
}

/// One event as the emitter reads it: the number of topics, the topics, two bytes of length, the data.
fn entry(data: &LogData) -> Vec<u8> {
    let length = u16::try_from(data.data.len()).expect("no event here is that long");
    let mut bytes = vec![u8::try_from(data.topics().len()).expect("at most four")];
    bytes.extend(data.topics().iter().flat_map(|topic| topic.0));
    bytes.extend(length.to_be_bytes());
    bytes.extend_from_slice(&data.data);
    bytes
}

/// Init code of a contract that logs each entry of its call data, in a loop.
fn emitter() -> Bytes {
    const ADD: u8 = 0x01;
    const EQ: u8 = 0x14;
    const ISZERO: u8 = 0x15;
    const BYTE: u8 = 0x1a;
    const SHR: u8 = 0x1c;
    const CALLDATALOAD: u8 = 0x35;
    const CALLDATASIZE: u8 = 0x36;
    const CALLDATACOPY: u8 = 0x37;
    const JUMP: u8 = 0x56;
    const JUMPI: u8 = 0x57;
    const JUMPDEST: u8 = 0x5b;
    const PUSH0: u8 = 0x5f;
    const PUSH1: u8 = 0x60;
    const PUSH2: u8 = 0x61;
    const DUP: u8 = 0x7f;
    const LOG0: u8 = 0xa0;
    const STOP: u8 = 0x00;
    const CODECOPY: u8 = 0x39;
    const POP: u8 = 0x50;
    const RETURN: u8 = 0xf3;
    const INVALID: u8 = 0xfe;
    const TABLE_ENTRY: usize = 8;
    const INIT_BYTES: u8 = 10;

    // All of the call data to memory 0; the position: 0.
    let mut code = vec![CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY, PUSH0];
    let start = u8::try_from(code.len()).expect("short");
    // At the end: stop.
    code.extend([
        JUMPDEST,
        DUP + 1,
        CALLDATASIZE,
        EQ,
        ISZERO,
        PUSH1,
        start + 9,
        JUMPI,
        STOP,
        JUMPDEST,
    ]);
    // n.
    code.extend([DUP + 1, CALLDATALOAD, PUSH0, BYTE]);
    let mut target = code.len() + 5 * TABLE_ENTRY + 1;
    let mut bodies = Vec::new();
    for n in 0..5u8 {
        let [high, low] = u16::try_from(target).expect("short").to_be_bytes();
        code.extend([DUP + 1, PUSH1, n, EQ, PUSH2, high, low, JUMPI]);
        let length_at = 1 + 32 * n;
        let mut body = vec![JUMPDEST, POP];
        // Length of the data.
        body.extend([DUP + 1, PUSH1, length_at, ADD, CALLDATALOAD, PUSH1, 240, SHR]);
        for (depth, topic) in (0..n).rev().enumerate() {
            let depth = u8::try_from(depth).expect("at most four");
            body.extend([DUP + 2 + depth, PUSH1, 1 + 32 * topic, ADD, CALLDATALOAD]);
        }
        // Length, offset.
        body.extend([DUP + 1 + n, DUP + 3 + n, PUSH1, length_at + 2, ADD, LOG0 + n]);
        // The next position.
        body.extend([ADD, PUSH1, length_at + 2, ADD, PUSH1, start, JUMP]);
        target += body.len();
        bodies.extend(body);
    }
    // Five topics or more.
    code.push(INVALID);
    code.extend(bodies);
    // Copies the code to memory and returns it.
    let [high, low] = u16::try_from(code.len()).expect("short").to_be_bytes();
    let mut init = vec![
        PUSH2,
        high,
        low,
        DUP + 1,
        PUSH1,
        INIT_BYTES,
        PUSH0,
        CODECOPY,
        PUSH0,
        RETURN,
    ];
    init.extend(code);
    init.into()
}
