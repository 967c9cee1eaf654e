//! Claims: what providers bill, what insurers decide, and what patients see of it.

use std::{path::Path, process::ExitCode};

use alloy::primitives::B256;
use anyhow::Context;
use medlock_client::{
    ClaimsOf, Client, Error, FHIR_MEDIA_TYPE, NewClaim, OpenChart, Ruling,
    api::{Purpose, claims::Claim},
    billing::{Amount, Currency, FingerprintKey, signals::is_payment_overdue},
    claim_reason, file, now,
    terms::claim::BATCH_MOST,
};
use serde_json::json;

use crate::{
    args::{ClaimCommand, Global, InsurerCommand},
    commands,
    output::{Output, exit, table, time},
};

pub async fn claim(global: &Global, out: Output, command: ClaimCommand) -> anyhow::Result<ExitCode> {
    let client = global.client().await?;
    match command {
        ClaimCommand::Share { chart } => {
            let mined = client.share_fingerprint_key(chart).await?;
            out.say(json!({ "mined": mined }), || match mined {
                Some(mined) => format!(
                    "The chart's fingerprint key is among its claims (gas {}). Grant providers and insurers compartment {} for HPAYMT.",
                    mined.gas,
                    medlock_client::CLAIMS
                ),
                None => "The chart's fingerprint key is among its claims already.".into(),
            })?;
        }
        ClaimCommand::Submit {
            chart,
            insurer,
            claims,
            records,
            purpose,
        } => {
            let claims = claims.iter().map(|file| {
                Ok(NewClaim {
                    insurer,
                    claim: commands::read_file(file)?,
                    records: records.clone(),
                })
            });
            let claims = claims.collect::<anyhow::Result<Vec<_>>>()?;
            let open = client.chart(chart).await?;
            let key = open.fingerprint_key(commands::parse_purpose(&purpose)?).await?;
            submit(&open, out, &claims, &key).await?;
        }
        ClaimCommand::List { chart, insurer, state } => {
            let claims = client.claims(of(chart, insurer), state).await?;
            out.say(&claims, || {
                let now = now();
                let rows: Vec<_> = claims.iter().map(|claim| row(claim, now)).collect();
                table(&["claim", "provider", "insurer", "state", "submitted", "due"], &rows)
            })?;
        }
        ClaimCommand::Signals {
            chart,
            insurer,
            within,
            life,
        } => {
            let within = within.as_deref().map(humantime::parse_duration).transpose();
            let since = within.context("--within")?;
            let since = since.map_or(0, |within| now().saturating_sub(within.as_secs()));
            let purpose = life.as_deref().map(commands::parse_purpose).transpose()?;
            let found = client.claim_signals(of(chart, insurer), since, purpose).await?;
            out.say(&found, || {
                let signals = found.signals.iter().map(|signal| {
                    let claims: Vec<_> = signal.claims.iter().map(B256::to_string).collect();
                    format!("{}\n  {}\n", signal.kind, claims.join("\n  "))
                });
                let unopened = found
                    .unopened
                    .iter()
                    .map(|(claim, why)| format!("{claim} could not be looked into: {why}\n"));
                let nameless = match found.nameless {
                    0 => String::new(),
                    some => format!(
                        "{some} claims do not name who rendered each service: nobody is seen in two places there.\n"
                    ),
                };
                format!(
                    "{}{}{nameless}{} claims, {} signs.",
                    signals.collect::<String>(),
                    unopened.collect::<String>(),
                    found.claims,
                    found.signals.len()
                )
            })?;
        }
        ClaimCommand::Show { claim, fingerprint } => {
            let purpose = fingerprint.as_deref().map(commands::parse_purpose).transpose()?;
            show(&client, out, claim, purpose).await?;
        }
        ClaimCommand::Export { claim, file: path } => {
            let open = client.open_claim(claim, None).await?;
            let explanation = open.explanation()?;
            file::create(&path, explanation.as_bytes())?;
            let value = json!({ "claim": claim, "file": path, "mediaType": FHIR_MEDIA_TYPE });
            out.say(value, || {
                format!("{} is the claim's ExplanationOfBenefit.", path.display())
            })?;
        }
        ClaimCommand::Compare { file } => return compare(&client, out, &file).await,
        ClaimCommand::Review { claim } => {
            let mined = client.review_claim(claim).await?;
            out.say(mined, || "The claim is in review.".into())?;
        }
        ClaimCommand::Ask { claim, text } => {
            let mined = client.request_claim_information(claim, &text).await?;
            out.say(mined, || "The provider is asked, and has 45 days to answer.".into())?;
        }
        ClaimCommand::Answer { claim, text } => {
            let mined = client.provide_claim_information(claim, &text).await?;
            out.say(mined, || "The insurer has your answer, and 30 days to decide.".into())?;
        }
        ClaimCommand::Approve { claim, part, reason } => {
            let open = client.open_claim(claim, None).await?;
            let ruling = match (part, reason) {
                (None, None) => Ruling::Approve,
                (Some(part), Some(reason)) => Ruling::ApprovePart {
                    minor: amount(open.claim.total.currency, &part)?.minor,
                    reason: claim_reason(&reason)?,
                },
                _ => return Err(Error::Usage("a part has a reason, and all of it has none".into()).into()),
            };
            let mined = client.decide_claim(&open, ruling).await?;
            out.say(mined, || match ruling {
                Ruling::ApprovePart { .. } => "A part is approved; the provider may appeal for 180 days.".into(),
                _ => "The claim is approved.".into(),
            })?;
        }
        ClaimCommand::Decide { claim, response } => {
            let response = commands::read_file(&response)?;
            let open = client.open_claim(claim, None).await?;
            let mined = client.decide_claim_by_response(&open, response).await?;
            out.say(mined, || {
                "The claim is decided as the response says; what is not all may be appealed for 180 days.".into()
            })?;
        }
        ClaimCommand::Deny { claim, reason } => {
            let open = client.open_claim(claim, None).await?;
            let reason = claim_reason(&reason)?;
            let mined = client.decide_claim(&open, Ruling::Deny { reason }).await?;
            out.say(mined, || {
                "The claim is denied; the provider may appeal for 180 days.".into()
            })?;
        }
        ClaimCommand::Appeal { claim, text } => {
            let mined = client.appeal_claim(claim, &text).await?;
            out.say(mined, || {
                "The insurer has your appeal, and 60 days to decide anew.".into()
            })?;
        }
        ClaimCommand::Accept { claim } => {
            let mined = client.accept_part_of_claim(claim).await?;
            out.say(mined, || "You are content with the part that was approved.".into())?;
        }
        ClaimCommand::Pay {
            claim,
            reference: Some(reference),
            ..
        } => {
            let (mined, salt) = client.record_claim_payment(claim, &reference).await?;
            out.say(json!({ "mined": mined, "salt": salt }), || {
                format!("It is on chain that the claim is paid. With the reference and the salt {salt} whoever you tell them finds it there.")
            })?;
        }
        ClaimCommand::Pay {
            claim,
            reference: None,
            allow,
            ..
        } => {
            let open = client.open_claim(claim, None).await?;
            if allow {
                client.clone().by_own_transactions().allow_claim_payment(&open).await?;
            }
            let mined = client.pay_claim_in_token(&open).await?;
            out.say(mined, || {
                "What was approved is paid in your token; everybody sees the amount.".into()
            })?;
        }
        ClaimCommand::Close { claim } => {
            let mined = client.close_overdue_claim(claim).await?;
            out.say(mined, || "The claim is closed, as its other party is overdue.".into())?;
        }
        ClaimCommand::Reverse { claim, reason } => {
            let mined = client.reverse_claim(claim, claim_reason(&reason)?).await?;
            out.say(mined, || "The approval or the payment is taken back, for good.".into())?;
        }
        ClaimCommand::Withdraw { claim } => {
            let mined = client.withdraw_claim(claim).await?;
            out.say(mined, || "The claim is withdrawn, for good.".into())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn insurer(global: &Global, out: Output, command: InsurerCommand) -> anyhow::Result<ExitCode> {
    let client = global.client().await?;
    match command {
        InsurerCommand::Currency {
            currency,
            refuse,
            token,
            scale,
        } => {
            let currency = Currency::from_alpha(&currency).map_err(usage)?;
            let mined = client
                .set_currency(currency, !refuse, token.map(|token| (token, scale)))
                .await?;
            out.say(mined, || match refuse {
                true => format!("You take no claims in {} any more.", currency.alpha()),
                false => format!("You take claims in {}.", currency.alpha()),
            })?;
        }
        InsurerCommand::Registry { leave } => {
            let mined = client.set_insurer(!leave).await?;
            out.say(mined, || match leave {
                true => "From now on your claims are held in a registry of your own.".into(),
                false => "From now on no service is paid by you that another of the registry's insurers holds.".into(),
            })?;
        }
        InsurerCommand::Show { account } => {
            let insurer = client.insurer(account.unwrap_or_else(|| client.address())).await?;
            out.say(&insurer, || {
                let rows = insurer.currencies.iter().map(|setting| {
                    let alpha = Currency::from_numeric(setting.currency).map(Currency::alpha);
                    vec![
                        alpha.map_or_else(|_| setting.currency.to_string(), str::to_owned),
                        if setting.accepted { "yes" } else { "no" }.to_owned(),
                        setting.token.map_or_else(|| "-".to_owned(), |token| token.to_string()),
                    ]
                });
                let shared = match insurer.shared {
                    true => "Shares the registry of services.",
                    false => "Has a registry of services of its own.",
                };
                format!(
                    "{shared}\n{}",
                    table(&["currency", "accepted", "token"], &rows.collect::<Vec<_>>())
                )
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn of(chart: Option<B256>, insurer: bool) -> ClaimsOf {
    match (chart, insurer) {
        (Some(chart), _) => ClaimsOf::Chart(chart),
        (None, true) => ClaimsOf::Insurer,
        (None, false) => ClaimsOf::Provider,
    }
}

/// As many in a transaction as the contract takes.
async fn submit(open: &OpenChart, out: Output, claims: &[NewClaim], key: &FingerprintKey) -> anyhow::Result<()> {
    open.require_unbilled(claims).await?;
    let (mut ids, mut mined) = (Vec::with_capacity(claims.len()), Vec::new());
    for batch in claims.chunks(BATCH_MOST) {
        match open.submit_claims(batch.to_vec(), key).await {
            Ok(submitted) => {
                ids.extend(submitted.claims);
                mined.push(submitted.mined);
            }
            Err(error) if ids.is_empty() => return Err(error.into()),
            // Whoever repeats the command leaves out what stands on chain.
            Err(error) => {
                return Err(anyhow::Error::new(error).context(format!("after {} were submitted", listed(&ids))));
            }
        }
    }
    out.say(json!({ "claims": ids, "mined": mined }), || {
        let gas: u64 = mined.iter().map(|mined| mined.gas).sum();
        format!(
            "Submitted (gas {gas}): {}. The insurer has to decide within 30 days.",
            listed(&ids)
        )
    })
}

fn listed(claims: &[B256]) -> String {
    let claims: Vec<_> = claims.iter().map(B256::to_string).collect();
    claims.join(", ")
}

/// Names what differs.
async fn compare(client: &Client, out: Output, file: &Path) -> anyhow::Result<ExitCode> {
    let compared = client.compare_claim_resource(&commands::read_file(file)?).await?;
    let is_same = compared.differs.is_empty();
    out.say(&compared, || {
        let claim = compared.claim;
        let found = match is_same {
            true => format!("{} says what stands of claim {claim}.", file.display()),
            false => format!("Claim {claim} stands otherwise: {}.", compared.differs.join(", ")),
        };
        let unopened = match compared.opened {
            true => "",
            false => " Its documents are the parties' alone: amounts and items were not compared.",
        };
        format!("{found}{unopened}")
    })?;
    Ok(match is_same {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(exit::TAMPERED),
    })
}

async fn show(client: &Client, out: Output, claim: B256, purpose: Option<Purpose>) -> anyhow::Result<()> {
    let seen = client.see_claim(claim, purpose).await?;
    let told = &seen.history.claim;
    out.say(seen.told()?, || {
        let rows = seen.history.steps.iter().zip(&seen.messages).map(|(step, message)| {
            vec![
                time(step.at),
                step.event.clone(),
                step.state.text().to_owned(),
                step.by.to_string(),
                message.clone().or_else(|| step.reason.clone()).unwrap_or_default(),
            ]
        });
        let money =
            |what: &str, amount: Option<Amount>| amount.map_or_else(String::new, |amount| format!("{what} {amount}\n"));
        format!(
            "Claim {} of {} at {}: {}\n{}{}{}",
            told.claim,
            told.provider,
            told.insurer,
            state(told, now()),
            money("Billed", seen.billed()),
            money("Approved", seen.approved()),
            table(&["at", "step", "state", "by", ""], &rows.collect::<Vec<_>>())
        )
    })
}

fn row(claim: &Claim, now: u64) -> Vec<String> {
    vec![
        claim.claim.to_string(),
        claim.provider.to_string(),
        claim.insurer.to_string(),
        state(claim, now),
        time(claim.submitted_at),
        claim.deadline.map_or_else(|| "-".to_owned(), time),
    ]
}

/// Where it stands, and whether its payment is overdue.
fn state(claim: &Claim, now: u64) -> String {
    let overdue = is_payment_overdue(claim.state.number(), claim.deadline.unwrap_or_default(), now);
    let overdue = if overdue { ", payment overdue" } else { "" };
    format!("{}{overdue}", claim.state.text())
}

/// As people write it, `120.50`, in the claim's currency.
fn amount(currency: Currency, text: &str) -> anyhow::Result<Amount> {
    Ok(Amount::parse(currency, text).map_err(usage)?)
}

fn usage(error: impl std::fmt::Display) -> Error {
    Error::Usage(error.to_string())
}
