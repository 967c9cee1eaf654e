//! `medlock verify`: a verdict on file, against the chain alone.

use std::{fs::File, io::Read, process::ExitCode};

use anyhow::{Context, bail, ensure};
use medlock_client::{
    Error,
    api::SignedVerdict,
    verdict::{VERDICT_BYTES_MOST, block_hash, check},
};
use serde_json::json;

use crate::{
    args::{Global, VerdictArgs},
    output::{Output, exit, time},
};

/// Exit code 0 for a yes that holds, [`exit::ANSWER_NO`] for a no that does.
pub async fn verify(global: &Global, out: Output, args: VerdictArgs) -> anyhow::Result<ExitCode> {
    let path = args.file.display();
    let mut bytes = Vec::new();
    File::open(&args.file)
        .and_then(|file| file.take(VERDICT_BYTES_MOST + 1).read_to_end(&mut bytes))
        .with_context(|| format!("read {path}"))?;
    ensure!(
        bytes.len() as u64 <= VERDICT_BYTES_MOST,
        "{path} is larger than {VERDICT_BYTES_MOST} bytes: it is no verdict"
    );
    let signed: SignedVerdict = serde_json::from_slice(&bytes).with_context(|| format!("{path} is no verdict"))?;
    let verdict = &signed.verdict;
    let hash = match args.block_hash {
        Some(hash) => hash,
        None => {
            let found = block_hash(&global.node()?, verdict.block_number).await?;
            found.ok_or_else(|| Error::Tampered {
                what: "the verdict".into(),
                detail: format!("the chain has no block {}", verdict.block_number),
            })?
        }
    };
    let checked = check(&signed, &global.deployment()?, hash)?;
    if let Some(gateway) = args.signed_by
        && gateway != checked.gateway
    {
        bail!(Error::Tampered {
            what: "the verdict".into(),
            detail: format!("it is signed by {}", checked.gateway),
        });
    }
    ensure!(
        checked.proved || !args.proved,
        "{path} has no proof: ask with `medlock check --prove`"
    );
    out.say(json!({ "verdict": verdict, "checked": checked }), || {
        let how = match checked.block_time {
            Some(at) => format!(
                "proved from the hash of block {}, of {}",
                verdict.block_number,
                time(at)
            ),
            None => format!(
                "not proved: that it is so at block {} is the gateway's word",
                verdict.block_number
            ),
        };
        format!(
            "{} ({}), at {}: {how}.\nChart {}, compartment {}, {} to {} for {}.\nSigned by {}.",
            if verdict.allowed { "yes" } else { "no" },
            verdict.reason,
            time(verdict.at),
            verdict.chart,
            verdict.compartment,
            verdict.action.name(),
            verdict.grantee,
            verdict.purpose.code(),
            checked.gateway
        )
    })?;
    Ok(match verdict.allowed {
        true => ExitCode::SUCCESS,
        false => exit::ANSWER_NO.into(),
    })
}
