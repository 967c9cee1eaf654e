//! `medlock deploy`: what a deployment would do and cost, doing it, and comparing a chain with it.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use alloy::{
    primitives::{Address, U256, utils::format_ether},
    providers::{Provider, ProviderBuilder},
    signers::local::PrivateKeySigner,
};
use anyhow::{Context, ensure};
use medlock_client::Error;
use medlock_deploy::{Artifacts, Deployed, DeploymentFile, Event, Expected, Plan, Terms, Verified};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    args::{ApplyArgs, DeployCommand, Global, PlanArgs, TermsArgs, VerifyArgs},
    output::{Output, exit, table},
};

/// The deployer's account key in hex, in the place of a key file.
const DEPLOYER_KEY: &str = "MEDLOCK_DEPLOYER_KEY";
/// Of Nitro's development node, and of ours: blocks come when something is sent, so none follows the last step.
const DEVELOPMENT_CHAIN: u64 = medlock_anvil::CHAIN_ID;
/// Elsewhere: some seconds of an Arbitrum chain. What is final only its parent chain decides.
const CONFIRMATIONS: u64 = 12;

pub async fn run(global: &Global, out: Output, command: DeployCommand) -> anyhow::Result<ExitCode> {
    match command {
        DeployCommand::Plan(args) => plan(global, out, &args).await,
        DeployCommand::Apply(args) => apply(global, out, &args).await,
        DeployCommand::Verify(args) => verify(global, out, &args).await,
    }
}

async fn plan(global: &Global, out: Output, args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let artifacts = Artifacts::load(&args.terms.artifacts.artifacts)?;
    let provider = provider(global)?;
    let deployer = match args.deployer {
        Some(deployer) => deployer,
        None => signer(global)?.address(),
    };
    let terms = args.terms.terms(args.chain_id);
    args.terms.check_owner(&provider, deployer).await?;
    let plan = medlock_deploy::plan(&provider, deployer, &artifacts, &terms, &args.terms.out).await?;
    out.say(plan_json(&plan), || {
        let missing = plan.missing();
        let enough = match missing.is_zero() {
            true => String::new(),
            false => format!("\n{} ETH are missing.", format_ether(missing)),
        };
        format!("{}{enough}", plan_text(&plan))
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn apply(global: &Global, out: Output, args: &ApplyArgs) -> anyhow::Result<ExitCode> {
    let artifacts = Artifacts::load(&args.terms.artifacts.artifacts)?;
    let provider = provider(global)?;
    let signer = signer(global)?;
    let terms = Terms {
        confirmations: args.confirmations.unwrap_or(match args.chain_id {
            DEVELOPMENT_CHAIN => 1,
            _ => CONFIRMATIONS,
        }),
        raise_after: Duration::from_secs(args.raise_after),
        ..args.terms.terms(Some(args.chain_id))
    };
    args.terms.check_owner(&provider, signer.address()).await?;
    let plan = medlock_deploy::plan(&provider, signer.address(), &artifacts, &terms, &args.terms.out).await?;
    if !out.json {
        println!("{}\n", plan_text(&plan));
    }
    plan.require_funds()?;
    if !args.yes {
        confirm()?;
    }
    let mut tell = |event: Event<'_>| {
        if !out.json {
            eprintln!("{}", told(&event));
        }
    };
    let deployed = medlock_deploy::apply(&provider, &signer, &artifacts, &terms, &args.terms.out, &mut tell).await?;
    let mut value = serde_json::to_value(deployed.file())?;
    value["steps"] = serde_json::to_value(&deployed.steps)?;
    out.say(value, || applied_text(&deployed, args))?;
    Ok(ExitCode::SUCCESS)
}

async fn verify(global: &Global, out: Output, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let artifacts = Artifacts::load(&args.artifacts.artifacts)?;
    let file = DeploymentFile::load(global.deployment_path())?;
    let expected = Expected {
        owner: args.owner,
        issuers: args.issuers.clone(),
    };
    let verified = medlock_deploy::verify(&provider(global)?, &artifacts, &file, &expected).await?;
    out.say(&verified, || verified_text(&verified))?;
    Ok(match verified.differences.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(exit::TAMPERED),
    })
}

/// Reads, and sends what is signed here: no key of ours goes into it.
fn provider(global: &Global) -> anyhow::Result<impl Provider> {
    // Whatever is wrong with it, a key in it is not repeated.
    let url = global
        .node()?
        .parse()
        .ok()
        .context("--rpc is no URL that can be read")?;
    Ok(ProviderBuilder::new().connect_http(url))
}

/// The deployer's: from the environment, or from a key file.
fn signer(global: &Global) -> anyhow::Result<PrivateKeySigner> {
    let Some(hex) = std::env::var_os(DEPLOYER_KEY) else {
        let identity = global
            .identity()
            .with_context(|| format!("the deployer's key is wanted, in a key file or in {DEPLOYER_KEY}"))?;
        return Ok(identity.key()?.clone());
    };
    let hex = Zeroizing::new(hex.into_encoded_bytes());
    ensure!(
        global.key.is_none(),
        "both {DEPLOYER_KEY} and a key file are named: which of them deploys?"
    );
    let read = || {
        let text = std::str::from_utf8(&hex).ok()?.trim();
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), key.as_mut()).ok()?;
        PrivateKeySigner::from_slice(key.as_ref()).ok()
    };
    let wrong = || {
        Error::KeyFile(format!(
            "{DEPLOYER_KEY} does not hold a secp256k1 key of 32 bytes in hex"
        ))
    };
    Ok(read().ok_or_else(wrong)?)
}

fn confirm() -> anyhow::Result<()> {
    ensure!(
        std::io::stdin().is_terminal(),
        "no terminal to ask whether to go on: say --yes where that is decided"
    );
    eprint!("Go on? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    ensure!(
        ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()),
        "nothing was sent"
    );
    Ok(())
}

impl TermsArgs {
    fn terms(&self, chain_id: Option<u64>) -> Terms {
        let mut terms = Terms {
            owner: self.owner,
            chain_id,
            fee_most: self.fee_most,
            ..Terms::default()
        };
        for issuer in &self.issuers {
            if !terms.issuers.contains(issuer) {
                terms.issuers.push(*issuer);
            }
        }
        terms
    }

    async fn check_owner(&self, provider: &impl Provider, deployer: Address) -> anyhow::Result<()> {
        ensure!(
            !self.issuers.contains(&Address::ZERO),
            "nobody (address zero) cannot be an issuer"
        );
        if let Some(owner) = self.owner {
            medlock_deploy::check_owner(provider, deployer, owner, self.owner_is_eoa).await?;
        }
        Ok(())
    }
}

/// Amounts as decimal texts, in wei: they exceed what JSON's readers take for a number.
fn plan_json(plan: &Plan) -> Value {
    let wei = |amount: U256| amount.to_string();
    let steps: Vec<Value> = (plan.steps.iter())
        .map(|step| {
            json!({
                "step": step.name, "contract": step.contract, "done": step.is_done, "gas": step.gas,
                "data_fee_wei": wei(step.data_fee), "cost_wei": wei(step.cost),
            })
        })
        .collect();
    let contracts: serde_json::Map<_, _> = (plan.contracts.iter())
        .map(|(name, address)| ((*name).to_owned(), json!(address)))
        .collect();
    json!({
        "chain_id": plan.site.chain_id, "genesis_hash": plan.site.genesis_hash,
        "deployer": plan.site.deployer, "nonce": plan.site.nonce, "begun": plan.is_begun,
        "contracts": contracts, "steps": steps, "gas": plan.gas(),
        "gas_price_wei": plan.gas_price.to_string(), "cost_wei": wei(plan.cost()),
        "needed_wei": wei(plan.needed()), "balance_wei": wei(plan.balance), "missing_wei": wei(plan.missing()),
    })
}

fn plan_text(plan: &Plan) -> String {
    let rows: Vec<Vec<String>> = (plan.steps.iter())
        .map(|step| {
            let mut row = vec![step.name.clone(), step.contract.to_string()];
            row.extend(match step.is_done {
                true => ["is done".into(), String::new(), String::new()],
                false => [
                    step.gas.to_string(),
                    format_ether(step.data_fee),
                    format_ether(step.cost),
                ],
            });
            row
        })
        .collect();
    format!(
        "Chain {} (genesis {}), deployer {}, first nonce {}{}\n\n{}\n\n\
         In all {} gas at {} wei, {} ETH. The deployer holds {} ETH; up to {} ETH may be needed.",
        plan.site.chain_id,
        plan.site.genesis_hash,
        plan.site.deployer,
        plan.site.nonce,
        if plan.is_begun { ", begun before" } else { "" },
        table(&["step", "contract", "gas", "data fee, ETH", "cost, ETH"], &rows),
        plan.gas(),
        plan.gas_price,
        format_ether(plan.cost()),
        format_ether(plan.balance),
        format_ether(plan.needed()),
    )
}

fn told(event: &Event<'_>) -> String {
    match event {
        Event::Sent { step, transaction } => format!("{step}: sent {transaction}"),
        Event::Mined(step) => format!("{}: block {}, {} gas", step.name, step.block, step.gas),
        Event::Confirming { block } => format!("confirmed with block {block}"),
        Event::Reorganised { step } => format!("{step}: the chain has replaced its block; looking at every step again"),
    }
}

fn applied_text(deployed: &Deployed, args: &ApplyArgs) -> String {
    let contracts: String = (deployed.deployment.contracts().iter())
        .map(|(name, address)| format!("{name:<10}  {address}\n"))
        .collect();
    let owner = match args.terms.owner {
        None => format!("The registry is owned by {}.", deployed.origin.owner),
        Some(owner) => format!(
            "The registry's ownership is offered to {owner}, who takes it by calling acceptOwnership() (0x79ba5097) on {}.",
            deployed.deployment.registry
        ),
    };
    format!(
        "Deployed and activated:\n{contracts}{owner}\nWrote {}. Compare the chain with it, best through another node: medlock deploy verify --deployment {0}",
        args.terms.out.display()
    )
}

fn verified_text(verified: &Verified) -> String {
    let expires = verified.expires_in.map_or_else(String::new, |seconds| {
        format!(" The first program expires in {} days.", seconds / (24 * 60 * 60))
    });
    let lines: String = (verified.differences.iter())
        .map(|difference| {
            format!(
                "{}: {}\n  expected  {}\n  found     {}\n",
                difference.of, difference.what, difference.expected, difference.found
            )
        })
        .collect();
    match verified.differences.len() {
        0 => format!(
            "All {} things compared are as they should be.{expires}",
            verified.compared
        ),
        count => format!(
            "{lines}{count} of {} things compared differ.{expires}",
            verified.compared
        ),
    }
}
