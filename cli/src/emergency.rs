//! Emergencies: what patients allow, what providers do, and what custodians keep.

use std::{process::ExitCode, time::Duration};

use alloy::primitives::Address;
use anyhow::bail;
use medlock_client::{Client, Error, PutOff, REASONS, Served, api, terms};

use crate::{
    args::{EmergencyCommand, Global},
    commands::compartment_mask,
    output::{Output, table, time},
};

/// Every compartment: what the patient left limits what can be opened.
const EVERY: u64 = u64::MAX;

pub async fn emergency(global: &Global, out: Output, command: EmergencyCommand) -> anyhow::Result<ExitCode> {
    let client = global.client().await?;
    match command {
        EmergencyCommand::Allow {
            chart,
            compartments,
            custodians,
            threshold,
        } => {
            let compartments = compartment_mask(&client, chart, &compartments).await?;
            let mined = client
                .allow_emergency(chart, compartments, &custodians, threshold)
                .await?;
            out.say(mined, || {
                format!(
                    "Providers may break the glass of this chart; {threshold} of {} custodians then open what you left (gas {}).\n\
                     {threshold} of them together can read it at any time: are they run by parties who do not run each other?",
                    custodians.len(),
                    mined.gas
                )
            })?;
        }
        EmergencyCommand::Forbid { chart } => {
            let mined = client.forbid_emergency(chart).await?;
            out.say(mined, || {
                "Nobody may break the glass of this chart; what was open has ended.".into()
            })?;
        }
        EmergencyCommand::Show { chart } => {
            let settings = client.emergency_settings(chart).await?;
            out.say(&settings, || {
                let allowed = match settings.allowed {
                    true => "Providers may break the glass of this chart.",
                    false => "Nobody may break the glass of this chart.",
                };
                let Some(kit) = &settings.kit else {
                    return format!("{allowed}\nNo keys are left for it: nobody who did could read.");
                };
                let custodians: Vec<_> = kit.custodians.iter().map(Address::to_string).collect();
                let current = match kit.current {
                    true => "",
                    false => "\nIt is of earlier keys, and opens nothing: `medlock emergency allow` leaves another.",
                };
                format!(
                    "{allowed}\nLeft for it: the keys of compartments {}, {} of {} custodians:\n  {}{current}",
                    numbers(kit.compartments),
                    kit.threshold,
                    custodians.len(),
                    custodians.join("\n  ")
                )
            })?;
        }
        EmergencyCommand::Break { chart, reason } => {
            let code = terms::emergency::from_text(&reason);
            let Some(code) = code else {
                let known: Vec<_> = REASONS
                    .iter()
                    .map(|(code, text)| format!("  {}: {text}", terms::emergency::text(*code)))
                    .collect();
                bail!(Error::Usage(format!(
                    "there is no reason {reason:?}; there are\n{}",
                    known.join("\n")
                )));
            };
            let mined = client
                .break_glass(chart, EVERY, code, global.organisation.unwrap_or_default())
                .await?;
            out.say(mined, || {
                format!(
                    "The glass is broken, for {} hours. It stands on chain under your name, and the patient sees it, and every read.\n\
                     `medlock emergency ready` says when enough custodians have released their shares; then `medlock record show --purpose ETREAT`.",
                    terms::emergency::OPEN_S / 3600
                )
            })?;
        }
        EmergencyCommand::Ready { chart } => {
            let ready = client.emergency_ready(chart).await?;
            out.say(&ready, || {
                let forged = ready
                    .forged
                    .iter()
                    .map(|custodian| format!("\nWhat came of {custodian} is forged or damaged."));
                format!(
                    "{} shares are released, {} are needed.{}",
                    ready.released,
                    ready.threshold,
                    forged.collect::<String>()
                )
            })?;
        }
        EmergencyCommand::List { chart } => {
            let emergencies = client.emergencies(chart).await?;
            out.say(&emergencies, || {
                let rows: Vec<_> = emergencies.iter().map(row).collect();
                table(&["party", "organisation", "reason", "opened", "until", "open"], &rows)
            })?;
        }
        EmergencyCommand::Close { chart, party } => {
            let party = party.unwrap_or_else(|| client.address());
            let mined = client.close_emergency(chart, party).await?;
            out.say(mined, || format!("The emergency of {party} on this chart has ended."))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks for open emergencies again and again.
pub async fn serve_custody<T>(client: Client, every: Duration) -> T {
    let mut put_off = PutOff::default();
    loop {
        match client.serve_custody_once(&mut put_off).await {
            Ok(served) => tell(&served),
            Err(error) => tracing::warn!(reason = why(&error), "open emergencies could not be looked for"),
        }
        tokio::time::sleep(every).await;
    }
}

/// How many, and never whose.
fn tell(served: &Served) {
    if served.released > 0 {
        tracing::info!(released = served.released, "shares were released");
    }
    if served.not_open > 0 {
        let count = served.not_open;
        tracing::warn!(
            count,
            "the gateway calls emergencies open that are not so on chain: nothing was released"
        );
    }
    for error in &served.failed {
        tracing::warn!(reason = why(error), "a share was not released");
    }
}

/// In words that name nobody.
fn why(error: &Error) -> &'static str {
    match error {
        Error::ChainUnreachable { .. } => "the chain is not reached",
        Error::GatewayUnreachable { .. } => "the gateway is not reached",
        Error::NoEmergencyKit { .. } => "the kit is not for the keys that stand",
        Error::NoPublishedKey { .. } => "the party has published no key",
        Error::Tampered { .. } => "what the gateway gave out is not what the chart's controller signed",
        Error::Vault(_) => "the party's key is weaker than the chart's",
        Error::Problem { .. } => "the gateway refused",
        _ => "something else is wrong",
    }
}

fn numbers(compartments: api::Compartments) -> String {
    let numbers = (0..terms::COMPARTMENTS).filter(|number| compartments.contains(*number));
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}

fn row(emergency: &api::Emergency) -> Vec<String> {
    vec![
        emergency.party.to_string(),
        emergency.organisation.map(|of| of.to_string()).unwrap_or_default(),
        emergency.reason.clone(),
        time(emergency.opened_at),
        time(emergency.closed_at.unwrap_or(emergency.until)),
        if emergency.open { "yes" } else { "" }.to_owned(),
    ]
}
