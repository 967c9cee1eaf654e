//! Claims: what providers bill, what insurers decide, and what patients see of it.

use std::process::ExitCode;

use alloy::primitives::B256;
use anyhow::Context;
use medlock_client::{
    ClaimsOf, Client, Error, FHIR_MEDIA_TYPE, NewClaim, OpenClaim, Ruling,
    api::{
        Purpose,
        claims::{Claim, ClaimState, claim_reason_code},
    },
    billing::{Amount, Currency, fhir},
    claim_reason, file, now,
};
use serde_json::{Value, json};

use crate::{
    args::{ClaimCommand, Global, InsurerCommand},
    commands,
    output::{Output, table, time},
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
            claim,
            records,
            purpose,
        } => {
            let open = client.chart(chart).await?;
            let key = open.fingerprint_key(commands::parse_purpose(&purpose)?).await?;
            let new = NewClaim {
                insurer,
                claim: commands::read_file(&claim)?,
                records,
            };
            let submitted = open.submit_claims(vec![new], &key).await?;
            out.say(&submitted, || {
                let claim = submitted.claims.first().copied().unwrap_or_default();
                format!(
                    "Claim {claim} is submitted (gas {}). The insurer has to decide within 30 days.",
                    submitted.mined.gas
                )
            })?;
        }
        ClaimCommand::List { chart, insurer, state } => {
            let claims = client.claims(of(chart, insurer), state).await?;
            out.say(&claims, || {
                let rows: Vec<_> = claims.iter().map(row).collect();
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
            let signals = found
                .signals
                .iter()
                .map(|signal| json!({ "reason": signal.kind.to_string(), "claims": signal.claims }));
            let value =
                json!({ "claims": found.claims, "signals": signals.collect::<Vec<_>>(), "unopened": found.unopened });
            out.say(value, || {
                let signals = found.signals.iter().map(|signal| {
                    let claims: Vec<_> = signal.claims.iter().map(B256::to_string).collect();
                    format!("{}\n  {}\n", signal.kind, claims.join("\n  "))
                });
                let unopened = found
                    .unopened
                    .iter()
                    .map(|(claim, why)| format!("{claim} could not be looked into: {why}\n"));
                format!(
                    "{}{}{} claims, {} signs.",
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
            let explanation = explanation(&open)?;
            file::create(&path, explanation.as_bytes())?;
            let value = json!({ "claim": claim, "file": path, "mediaType": FHIR_MEDIA_TYPE });
            out.say(value, || {
                format!("{} is the claim's ExplanationOfBenefit.", path.display())
            })?;
        }
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
            claim, reference: None, ..
        } => {
            let open = client.open_claim(claim, None).await?;
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

/// The claim as its parties see it; as the patient does, who opens no document.
async fn show(client: &Client, out: Output, claim: B256, purpose: Option<Purpose>) -> anyhow::Result<()> {
    let history = client.claim(claim).await?;
    let told = &history.claim;
    let ours = client.organisation().unwrap_or_else(|| client.address());
    let opened = match [told.provider, told.insurer].contains(&ours) {
        false => None,
        true => {
            let key = match purpose {
                None => None,
                Some(purpose) => Some(client.chart(told.chart).await?.fingerprint_key(purpose).await?),
            };
            Some(client.open_claim(claim, key.as_ref()).await?)
        }
    };
    let mut messages = Vec::with_capacity(history.steps.len());
    for step in &history.steps {
        messages.push(match opened {
            Some(_) => client.claim_message(&history, step).await?,
            None => None,
        });
    }
    let billed = opened.as_ref().map(|open| open.claim.total);
    let decision = opened.as_ref().and_then(|open| open.decision.as_ref());
    let approved = decision.and_then(|(decision, _)| decision.verdict.amount());
    let resource = match &opened {
        Some(open) => serde_json::from_slice(&open.document.claim)?,
        None => Value::Null,
    };
    let response = match decision {
        Some((decision, _)) => serde_json::from_slice(&decision.response)?,
        None => Value::Null,
    };
    let value = json!({
        "history": history, "messages": messages, "response": response, "billed": billed.map(text), "approved": approved.map(text), "claim": resource,
    });
    out.say(value, || {
        let rows = history.steps.iter().zip(&messages).map(|(step, message)| {
            vec![
                time(step.at),
                step.event.clone(),
                step.state.text().to_owned(),
                step.by.to_string(),
                message.clone().or_else(|| step.reason.clone()).unwrap_or_default(),
            ]
        });
        let money = |what: &str, amount: Option<Amount>| {
            amount.map_or_else(String::new, |amount| format!("{what} {}\n", text(amount)))
        };
        format!(
            "Claim {} of {} at {}: {}\n{}{}{}",
            told.claim,
            told.provider,
            told.insurer,
            told.state.text(),
            money("Billed", billed),
            money("Approved", approved),
            table(&["at", "step", "state", "by", ""], &rows.collect::<Vec<_>>())
        )
    })
}

fn explanation(open: &OpenClaim) -> anyhow::Result<String> {
    let claim = &open.history.claim;
    let paid = open.history.steps.iter().rfind(|step| step.state == ClaimState::Paid);
    let chain = fhir::ChainState {
        claim: claim.claim,
        state: claim.state.number(),
        reason_code: claim.reason.as_deref().and_then(claim_reason_code).unwrap_or(0),
        changed_at: claim.stepped_at,
        paid_at: paid.filter(|_| claim.state == ClaimState::Paid).map(|step| step.at),
    };
    let response = open.decision.as_ref().map(|(_, response)| response);
    fhir::explanation(&open.claim, response, &chain).map_err(|refused| Error::Unsuitable(refused.to_string()).into())
}

fn row(claim: &Claim) -> Vec<String> {
    vec![
        claim.claim.to_string(),
        claim.provider.to_string(),
        claim.insurer.to_string(),
        claim.state.text().to_owned(),
        time(claim.submitted_at),
        claim.deadline.map_or_else(|| "-".to_owned(), time),
    ]
}

fn text(amount: Amount) -> String {
    format!("{} {}", amount.decimal(), amount.currency.alpha())
}

/// As people write it, `120.50`, in the claim's currency.
fn amount(currency: Currency, text: &str) -> anyhow::Result<Amount> {
    Ok(Amount::parse(currency, text).map_err(usage)?)
}

fn usage(error: impl std::fmt::Display) -> Error {
    Error::Usage(error.to_string())
}
