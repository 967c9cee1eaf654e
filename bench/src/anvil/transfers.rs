//! Transfers of ether and of an ERC-20 token through `eth_sendRawTransaction`.

use std::time::Instant;

use alloy::primitives::{Address, Bytes, TxKind, U256, keccak256};
use alloy::sol_types::SolCall;
use anyhow::ensure;
use medlock_anvil::{DevAccount, dev_accounts};
use serde_json::{Value, json};

use super::contracts::{Contracts, TOKENS_EACH, Token};
use super::node::Node;
use super::transactions::Transaction;
use super::{FOUNDRY, Pair};
use crate::figure::{Better, Figure, Target, per_second};
use crate::http::{Exchange, drive, request};

/// At least as fast as Foundry's.
const TARGET: Target = Target::Ratio(1.0);
/// Transactions in a block that is mined by hand, as many token transfers as fit into 32,000,000 gas.
const BATCH: usize = 400;
const GAS_ETHER: u64 = 21_000;
const GAS_TOKEN: u64 = 80_000;

#[derive(Clone, Copy)]
enum Asset {
    Ether,
    Token,
}

/// What one round sends.
struct Load {
    asset: Asset,
    automine: bool,
    connections: usize,
    transactions: usize,
}

pub fn automine(pair: &Pair, rounds: usize, contracts: &Contracts) -> anyhow::Result<()> {
    for asset in [Asset::Ether, Asset::Token] {
        for connections in [1, 8] {
            measure(pair, rounds, contracts, Load::automine(asset, connections))?;
        }
    }
    Ok(())
}

pub fn batches(pair: &Pair, rounds: usize, contracts: &Contracts) -> anyhow::Result<()> {
    for asset in [Asset::Ether, Asset::Token] {
        measure(pair, rounds, contracts, Load::batches(asset))?;
    }
    Ok(())
}

fn measure(pair: &Pair, rounds: usize, contracts: &Contracts, load: Load) -> anyhow::Result<()> {
    let lists = load.signed()?;
    let (medlock, foundry) = pair.rounds(rounds, load.automine, |node| {
        let world = World::new(node, contracts, &load)?;
        let start = Instant::now();
        if load.automine {
            drive(node.address(), &lists)?;
        } else {
            mine_in_batches(node, &lists)?;
        }
        let elapsed = start.elapsed();
        world.verify()?;
        Ok(per_second(load.transactions, elapsed))
    })?;
    Figure {
        name: load.name(),
        unit: "transactions/s",
        better: Better::Higher,
        target: Some(TARGET),
        medlock,
        peer: Some((FOUNDRY, foundry)),
    }
    .print()
}

impl Load {
    /// Each transaction is waited for, so the slower chain sets the pace of the run.
    fn automine(asset: Asset, connections: usize) -> Self {
        Self {
            asset,
            automine: true,
            connections,
            transactions: 800,
        }
    }

    fn batches(asset: Asset) -> Self {
        Self {
            asset,
            automine: false,
            connections: 4,
            transactions: 10 * BATCH,
        }
    }

    fn name(&self) -> String {
        let asset = match self.asset {
            Asset::Ether => "transfers",
            Asset::Token => "ERC-20 transfers",
        };
        let mining = if self.automine {
            "each mined and its receipt fetched".to_owned()
        } else {
            format!("mined {BATCH} at a time")
        };
        format!("{asset}, {mining}, connections: {}", self.connections)
    }

    /// How many transactions each connection sends.
    fn share(&self) -> u64 {
        (self.transactions / self.connections) as u64
    }

    /// What each connection sends: the transactions of one account, in order.
    fn signed(&self) -> anyhow::Result<Vec<Vec<Exchange>>> {
        let accounts = dev_accounts();
        let token = deployer(&accounts).address.create(0);
        accounts[..self.connections]
            .iter()
            .map(|sender| {
                (0..self.share())
                    .map(|nonce| {
                        let transfer = self.transfer(token, sender.address, nonce);
                        if self.automine {
                            transfer.send_and_wait(sender)
                        } else {
                            transfer.send(sender)
                        }
                    })
                    .collect()
            })
            .collect()
    }

    /// Everybody sends 1 to an address that nobody has used before.
    fn transfer(&self, token: Address, sender: Address, nonce: u64) -> Transaction {
        let to = recipient(sender, nonce);
        match self.asset {
            Asset::Ether => Transaction {
                nonce,
                gas: GAS_ETHER,
                to: TxKind::Call(to),
                value: U256::ONE,
                input: Bytes::new(),
            },
            Asset::Token => Transaction {
                nonce,
                gas: GAS_TOKEN,
                to: TxKind::Call(token),
                value: U256::ZERO,
                input: Token::transferCall { to, value: U256::ONE }.abi_encode().into(),
            },
        }
    }
}

fn recipient(sender: Address, nonce: u64) -> Address {
    Address::from_word(keccak256([sender.as_slice(), &nonce.to_be_bytes()].concat()))
}

fn deployer(accounts: &[DevAccount]) -> &DevAccount {
    // Sends nothing else, so that the token's address is known before the chain starts.
    &accounts[accounts.len() - 1]
}

fn mine_in_batches(node: &Node, lists: &[Vec<Exchange>]) -> anyhow::Result<()> {
    let mine = request("evm_mine", &json!([]));
    let share = BATCH / lists.len();
    let mut connection = node.connect()?;
    for batch in 0..lists[0].len() / share {
        let part: Vec<&[Exchange]> = lists
            .iter()
            .map(|list| &list[batch * share..(batch + 1) * share])
            .collect();
        drive(node.address(), &part)?;
        connection.exchange(&mine)?;
    }
    Ok(())
}

/// A chain ready for transfers.
struct World<'w> {
    node: &'w Node,
    load: &'w Load,
    accounts: Vec<DevAccount>,
    token: Address,
}

impl<'w> World<'w> {
    fn new(node: &'w Node, contracts: &Contracts, load: &'w Load) -> anyhow::Result<Self> {
        let accounts = dev_accounts();
        let mut connection = node.connect()?;
        let token = match load.asset {
            Asset::Ether => Address::ZERO,
            Asset::Token => {
                // Deploying waits for its block.
                let _: Value = connection.call("evm_setAutomine", json!([true]))?;
                let token = contracts.deploy_token(node, deployer(&accounts), &accounts)?;
                let _: Value = connection.call("evm_setAutomine", json!([load.automine]))?;
                token
            }
        };
        Ok(Self {
            node,
            load,
            accounts,
            token,
        })
    }

    /// Recipients have what they were sent, and for tokens every sender that much less.
    fn verify(&self) -> anyhow::Result<()> {
        let mut connection = self.node.connect()?;
        let sent = self.load.share();
        for sender in &self.accounts[..self.load.connections] {
            for nonce in [0, sent / 2, sent - 1] {
                let to = recipient(sender.address, nonce);
                let have: U256 = match self.load.asset {
                    Asset::Ether => connection.call("eth_getBalance", json!([to, "latest"]))?,
                    Asset::Token => self.tokens(to)?,
                };
                ensure!(have == U256::ONE, "{to} has {have} after a transfer of 1");
            }
            if let Asset::Token = self.load.asset {
                let left = self.tokens(sender.address)?;
                ensure!(
                    left == U256::from(TOKENS_EACH - sent),
                    "{} has {left} left",
                    sender.name
                );
            }
        }
        Ok(())
    }

    fn tokens(&self, owner: Address) -> anyhow::Result<U256> {
        let data: Bytes = Token::balanceOfCall { owner }.abi_encode().into();
        let call = json!([{"to": self.token, "data": data}, "latest"]);
        let answer: Bytes = self.node.connect()?.call("eth_call", call)?;
        Ok(U256::try_from_be_slice(&answer).unwrap_or_default())
    }
}
