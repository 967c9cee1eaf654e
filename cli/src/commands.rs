//! One function a command: extract, one call of the client, one answer.

use std::{collections::BTreeMap, io::Write, path::Path, process::ExitCode, time::Duration};

use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use anyhow::{Context, bail};
use medlock_client::{
    Anchoring, Client, GrantTerms, Identity, Metadata, Mined, NewFile, Renewal, RevokedAll, SealedToMembers, Suite,
    api::{self, Action, Purpose, Remains},
    default_labels, file, identity, now, terms,
};
use medlock_vault::{Mnemonic, Secrets};
use serde_json::json;

use crate::{
    args::Global,
    args::{
        ChartCommand, CheckArgs, GrantCommand, KeysCommand, MemberCommand, PartyCommand, RecordCommand, RelayCommand,
        StoreCommand,
    },
    exchange,
    output::{self, Output, exit, table, time},
};

pub async fn keys(global: &Global, out: Output, command: KeysCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeysCommand::New { file, suite, words } => {
            if file.exists() {
                bail!(medlock_client::Error::KeyFile(format!(
                    "{} exists already; a key file is never overwritten",
                    file.display()
                )));
            }
            let mut secrets = Secrets::generate(&mut identity::rng(), suite);
            if words {
                secrets.root = Mnemonic::read(&Global::words()?)
                    .map_err(|error| medlock_client::Error::KeyFile(error.to_string()))?;
            }
            let passphrase = global.chosen_passphrase("Passphrase for the new key file: ")?;
            let made = identity::create(&file, &secrets, &passphrase)?;
            out.say(json!({ "account": made.address(), "file": file }), || {
                format!(
                    "{} is account {}.\nKeep a copy of it and remember the passphrase: nobody can restore either.",
                    file.display(),
                    made.address()
                )
            })?;
        }
        KeysCommand::Words => {
            let words = global.identity()?.words();
            out.say(json!({ "words": words.expose() }), || words.expose().to_owned())?;
        }
        KeysCommand::Show { file } => {
            let read = identity::read(&file)?;
            let (account, outdated) = (read.address(), identity::is_outdated(&read));
            out.say(json!({ "account": account, "file": file, "outdated": outdated }), || {
                let advice = match outdated {
                    true => "\nThis file is of an earlier format or strength; `medlock keys passphrase` makes it a new one.",
                    false => "",
                };
                format!("{account}{advice}")
            })?;
        }
        KeysCommand::Publish => {
            let client = global.client().await?;
            let mined = client.publish_key().await?;
            out.say(mined, || {
                format!(
                    "Published the encryption key of {} (gas {}).",
                    client.address(),
                    mined.gas
                )
            })?;
        }
        KeysCommand::Rotate { suite } => {
            let (path, passphrase) = (global.key_path()?, global.passphrase("Passphrase: ")?);
            identity::rotate_encryption(path, &passphrase, suite)?;
            // From here on the file holds both: where this fails, `keys publish` goes on.
            let client = global
                .client()
                .await
                .context("publish the new key with `medlock keys publish`")?;
            let mined = client
                .publish_key()
                .await
                .context("the key file has a new key that is not published yet; `medlock keys publish` does it")?;
            out.say(mined, || {
                format!(
                    "Published another encryption key of {} ({}, gas {}). Keep a copy of the key file: the old copy does \
                     not hold it.",
                    client.address(),
                    suite.name(),
                    mined.gas
                )
            })?;
        }
        KeysCommand::SignOut => {
            let client = global.client().await?;
            client.gateway().await?.sign_out_everywhere().await?;
            out.say(json!({ "account": client.address() }), || {
                format!("Every session of {} at this gateway has ended.", client.address())
            })?;
        }
        KeysCommand::Passphrase => {
            let path = global.key_path()?;
            let old = global.passphrase("Present passphrase: ")?;
            let new = global.new_passphrase()?;
            identity::change_passphrase(path, &old, &new)?;
            out.say(json!({ "file": path }), || {
                format!("{} has a new passphrase.", path.display())
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn party(global: &Global, out: Output, command: PartyCommand) -> anyhow::Result<ExitCode> {
    let client = global.client().await?;
    match command {
        PartyCommand::Show { account } => {
            let party = client.party(account).await?;
            out.say(&party, || describe_party(&party))?;
        }
        PartyCommand::Credential {
            account,
            roles,
            valid_for,
            document,
        } => {
            let roles: api::Roles = serde_json::from_value(json!(roles)).context("--roles")?;
            let digest = match document {
                Some(path) => keccak256(read_file(&path)?),
                None => B256::ZERO,
            };
            let expiry = until(valid_for.as_deref())?;
            let mined = client.issue_credential(account, roles.0, expiry, digest).await?;
            out.say(mined, || {
                format!("{account} is credentialed{} (gas {}).", ends(expiry), mined.gas)
            })?;
        }
        PartyCommand::Revoke { account } => {
            let mined = client.revoke_credential(account).await?;
            out.say(mined, || format!("The credential of {account} is revoked."))?;
        }
        PartyCommand::Issuer { account, remove } => {
            let mined = client.set_issuer(account, !remove).await?;
            out.say(mined, || match remove {
                false => format!("{account} may issue credentials."),
                true => format!("{account} may no longer issue credentials; those it issued are not current."),
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn member(global: &Global, out: Output, command: MemberCommand) -> anyhow::Result<ExitCode> {
    match command {
        MemberCommand::Set { account, valid_for } => {
            let expiry = until(valid_for.as_deref())?;
            let set = global.client().await?.set_member(account, expiry).await?;
            out.say(set, || {
                let keys = match set.has_keys {
                    true => "Your keys are sealed to it.",
                    false => {
                        "It has published no key, or a weaker one than yours: once it has, run `medlock member seal`."
                    }
                };
                format!("{account} is a member{} (gas {}). {keys}", ends(expiry), set.mined.gas)
            })?;
        }
        MemberCommand::Remove { account } => {
            let (path, passphrase) = (global.key_path()?, global.passphrase("Passphrase: ")?);
            let client = global.client().await?;
            let mined = client.remove_member(account).await?;
            if client.identity().holds_most_keys() {
                out.say(json!({ "mined": mined, "published": null }), || {
                    format!(
                        "{account} is no member any more, but has held the key that is published. Your key file holds as many keys as it \
                         can, so that no other was drawn: make another account for the organisation, and have patients grant to that one."
                    )
                })?;
                return Ok(ExitCode::SUCCESS);
            }
            let (published, sealed) = rekeyed(global, path, &passphrase, client.identity().suite())
                .await
                .with_context(|| {
                    format!(
                        "{account} is no member any more, but has held the key that is published; go on with `medlock keys rotate` or, where \
                         that is done, `medlock keys publish`, then `medlock member seal`"
                    )
                })?;
            let value = json!({
                "mined": mined, "published": published, "sealed": sealed.sealed, "waiting": sealed.waiting,
            });
            out.say(value, || {
                format!(
                    "{account} is no member any more. You have published another encryption key; {} members received it.{}\nKeep a \
                     copy of the key file: the old copy does not hold the new key. What {account} has opened before, they may have \
                     kept, and what is sealed to the key before they still open: a patient's `chart rotate` ends that.",
                    sealed.sealed.len(),
                    keyless(&sealed.waiting)
                )
            })?;
        }
        MemberCommand::List => {
            let memberships = global.client().await?.memberships().await?;
            out.say(&memberships, || {
                let rows: Vec<_> = memberships.iter().map(membership_row).collect();
                table(&["organisation", "member", "until", "in force", "keys"], &rows)
            })?;
        }
        MemberCommand::Seal => {
            let sealed = global.client().await?.seal_to_members().await?;
            out.say(&sealed, || {
                format!(
                    "{} members received your keys.{}",
                    sealed.sealed.len(),
                    keyless(&sealed.waiting)
                )
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Draws another encryption key, publishes it, and seals it to the members.
async fn rekeyed(
    global: &Global,
    path: &Path,
    passphrase: &str,
    suite: Suite,
) -> anyhow::Result<(Mined, SealedToMembers)> {
    identity::rotate_encryption(path, passphrase, suite)?;
    let client = global.client().await?;
    let published = client.publish_key().await?;
    Ok((published, client.seal_to_members().await?))
}

fn membership_row(membership: &api::Membership) -> Vec<String> {
    vec![
        membership.organisation.to_string(),
        membership.member.to_string(),
        match membership.expiry {
            0 => "-".to_owned(),
            expiry => time(expiry),
        },
        if membership.in_force { "yes" } else { "no" }.to_owned(),
        match &membership.keys {
            None => "none",
            Some(keys) if keys.current => "sealed",
            Some(_) => "old",
        }
        .to_owned(),
    ]
}

/// Which members wait for keys, and what to do about it.
fn keyless(members: &[Address]) -> String {
    let lines = members.iter().map(|member| {
        format!("\n{member} has published no key, or a weaker one than yours: once it has, run `medlock member seal`")
    });
    lines.collect()
}

pub async fn chart(global: &Global, out: Output, command: ChartCommand) -> anyhow::Result<ExitCode> {
    let client = global.acting_client().await?;
    match command {
        ChartCommand::Open { suite } => {
            let (chart, mined) = client.open_chart(&default_labels(), suite).await?;
            out.say(json!({ "chart": chart, "mined": mined }), || {
                format!("Opened chart {chart} (gas {}).", mined.gas)
            })?;
        }
        ChartCommand::Rotate { chart, suite } => {
            let rotated = client.rotate(chart, suite).await?;
            out.say(&rotated, || {
                format!(
                    "Every compartment of the chart is in a new epoch; {} grantees received the new keys.{}{}",
                    rotated.resealed.len(),
                    waiting(&rotated.waiting),
                    kit(&rotated.kit)
                )
            })?;
        }
        ChartCommand::Backup { chart, file: path } => {
            let draft = file::Draft::new(&path).with_context(|| format!("write {}", path.display()))?;
            let bar = out.bar("backing up", 0);
            let chart = client.chart(chart).await?;
            let backed_up = chart
                .backup(std::io::BufWriter::new(draft.writer()?), |done| bar.set_position(done))
                .await?;
            bar.finish_and_clear();
            draft.finish().with_context(|| format!("write {}", path.display()))?;
            out.say(backed_up, || {
                format!(
                    "Wrote {}: {} versions, {} blocks, {} bytes, all sealed. Your key file opens them.",
                    path.display(),
                    backed_up.versions,
                    backed_up.blocks,
                    backed_up.bytes
                )
            })?;
        }
        ChartCommand::Restore { file: path } => {
            let from = std::fs::File::open(&path).with_context(|| format!("read {}", path.display()))?;
            let bar = out.bar("restoring", from.metadata().map_or(0, |metadata| metadata.len()));
            let restored = client.restore(from, |done| bar.set_position(done)).await?;
            bar.finish_and_clear();
            out.say(restored, || {
                format!(
                    "The gateway has {} blocks ({} bytes) of it.",
                    restored.blocks, restored.bytes
                )
            })?;
        }
        ChartCommand::Show { chart } => {
            let state = client.chart_state(chart).await?;
            let directory = client.directory(chart, &state).await?;
            let labels = match state.controller == client.address() {
                true => client.labels(&directory)?,
                false => BTreeMap::new(),
            };
            let compartments: Vec<_> = directory
                .body
                .compartments
                .iter()
                .map(|entry| json!({ "compartment": entry.compartment, "epoch": entry.epoch, "suite": entry.key.suite().name(), "label": labels.get(&entry.compartment) }))
                .collect();
            let value = json!({
                "chart": chart, "controller": state.controller, "directory_version": state.directory_version,
                "directory": state.directory, "rotation_due": state.rotation_due, "compartments": compartments,
            });
            out.say(value, || {
                let rows: Vec<_> = directory
                    .body
                    .compartments
                    .iter()
                    .map(|entry| {
                        let label = labels.get(&entry.compartment).cloned().unwrap_or_default();
                        vec![
                            entry.compartment.to_string(),
                            label,
                            entry.epoch.to_string(),
                            entry.key.suite().name().to_owned(),
                        ]
                    })
                    .collect();
                let due = match state.rotation_due {
                    true => ", keys not rotated since all grants were ended: `grant revoke-all` does it",
                    false => "",
                };
                format!(
                    "Chart {chart}\ncontroller {}\ndirectory version {}{due}\n\n{}",
                    state.controller,
                    state.directory_version,
                    table(&["compartment", "label", "epoch", "suite"], &rows)
                )
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn record(global: &Global, out: Output, command: RecordCommand) -> anyhow::Result<ExitCode> {
    let client = global.acting_client().await?;
    match command {
        RecordCommand::Import(args) => return exchange::import(&client, out, args).await,
        RecordCommand::Export(args) => return exchange::export(&client, out, args).await,
        RecordCommand::List { chart, compartment } => {
            let records = client.records(chart, compartment).await?;
            out.say(&records, || {
                let rows: Vec<_> = records.iter().map(version_row).collect();
                table(&["record", "version", "compartment", "author", "time", "status"], &rows)
            })?;
        }
        RecordCommand::Show {
            chart,
            record,
            version,
            purpose,
            bytes,
            out: path,
        } => {
            let (open, purpose) = (client.chart(chart).await?, parse_purpose(&purpose)?);
            // Standard output cannot be taken back: there, nothing comes before all of it is verified.
            let whole_to = path.as_ref().filter(|path| *path != Path::new("-") && bytes.is_none());
            if let Some(path) = whole_to {
                let draft = file::Draft::new(path).with_context(|| format!("write {}", path.display()))?;
                let bar = out.bar("reading", 0);
                let document = open
                    .read_to(record, version, purpose, draft.writer()?, |done, of| {
                        bar.set_length(of);
                        bar.set_position(done);
                    })
                    .await?;
                bar.finish_and_clear();
                draft.finish().with_context(|| format!("write {}", path.display()))?;
                let bytes = std::fs::metadata(path)?.len();
                let value = json!({
                    "record_id": record, "version": document.version, "compartment": document.compartment,
                    "metadata": document.metadata, "file": path, "bytes": bytes,
                });
                out.say(value, || format!("Wrote {} ({bytes} bytes).", path.display()))?;
                return Ok(ExitCode::SUCCESS);
            }
            let document = match bytes {
                Some((first, last)) => open.read_range(record, version, purpose, first..last + 1).await?,
                None => open.read(record, version, purpose).await?,
            };
            match path {
                None if out.json => {
                    let value = json!({
                        "record_id": record, "version": document.version, "compartment": document.compartment,
                        "metadata": document.metadata, "content": Bytes::copy_from_slice(&document.content),
                    });
                    out.say(value, String::new)?;
                }
                path => write_content(path.as_deref().unwrap_or(Path::new("-")), &document.content)?,
            }
        }
        RecordCommand::Add {
            chart,
            file,
            compartment,
            media_type,
            title,
        } => {
            let bar = out.bar(
                "uploading",
                std::fs::metadata(&file).map_or(0, |metadata| metadata.len()),
            );
            let file = NewFile {
                content: file.as_path().into(),
                compartment,
                metadata: Metadata {
                    media_type,
                    title,
                    ..Metadata::default()
                },
            };
            let open = client.chart(chart).await?;
            let (record, stored) = open.add_file(file, |done| bar.set_position(done)).await?;
            bar.finish_and_clear();
            out.say(json!({ "record_id": record, "stored": stored }), || match &stored {
                Some(_) => format!("Added record {record}."),
                None => format!("You added these bytes before: they are record {record}."),
            })?;
        }
        RecordCommand::Shred { chart, record } => {
            let open = client.chart(chart).await?;
            let mined = open.shred(record).await?;
            let done = format!("Record {record} is shredded (gas {}).", mined.gas);
            // It is shredded whatever the gateway says now.
            let erasure = open.erase(record).await.with_context(|| {
                format!("{done} What the gateway removed is not known: ask again with `medlock record erasure`")
            })?;
            let value = json!({ "mined": mined, "erasure": erasure });
            out.say(value, || format!("{done}\n{}", erasure_text(&erasure)))?;
        }
        RecordCommand::Erasure { chart, record } => {
            let erasure = client.chart(chart).await?.erase(record).await?;
            out.say(&erasure, || erasure_text(&erasure))?;
        }
        RecordCommand::Amend {
            chart,
            record,
            file,
            purpose,
        } => {
            let open = client.chart(chart).await?;
            let purpose = parse_purpose(&purpose)?;
            let before = open.read_to(record, None, purpose, std::io::sink(), |_, _| ()).await?;
            let bar = out.bar(
                "uploading",
                std::fs::metadata(&file).map_or(0, |metadata| metadata.len()),
            );
            let stored = open
                .amend_file(&before, before.metadata.clone(), &file.as_path().into(), |done| {
                    bar.set_position(done)
                })
                .await?;
            bar.finish_and_clear();
            out.say(&stored, || format!("Record {record} is at version {}.", stored.version))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn grant(global: &Global, out: Output, command: GrantCommand) -> anyhow::Result<ExitCode> {
    let client = global.acting_client().await?;
    match command {
        GrantCommand::Give {
            chart,
            grantee,
            compartments,
            purposes,
            actions,
            valid_for,
        } => {
            let purposes: api::Purposes = serde_json::from_value(json!(purposes)).context("--purposes")?;
            let actions: api::Actions = serde_json::from_value(json!(actions)).context("--actions")?;
            let terms = GrantTerms {
                compartments: compartment_mask(&client, chart, &compartments).await?,
                purposes: purposes.0,
                actions: actions.0,
                notBefore: 0,
                expiry: until(valid_for.as_deref())?,
            };
            let expiry = terms.expiry;
            let mined = client.grant(chart, grantee, terms).await?;
            out.say(mined, || {
                format!("Granted to {grantee}{} (gas {}).", ends(expiry), mined.gas)
            })?;
        }
        GrantCommand::Revoke { chart, grantee } => {
            let revoked = client.revoke(chart, grantee).await?;
            out.say(
                json!({ "mined": revoked.mined, "resealed": revoked.resealed, "waiting": revoked.waiting, "kit": revoked.kit }),
                || {
                    format!(
                        "Revoked {grantee}. The keys it held are rotated; {} other grantees received the new ones.{}{}",
                        revoked.resealed.len(),
                        waiting(&revoked.waiting),
                        kit(&revoked.kit)
                    )
                },
            )?;
        }
        GrantCommand::RevokeAll { chart } => {
            let RevokedAll { revoked, rotated, kit } = client.revoke_all(chart).await?;
            out.say(json!({ "revoked": revoked, "rotated": rotated, "kit": kit }), || {
                format!(
                    "Every grant of this chart is revoked, and every key rotated.{}",
                    self::kit(&kit)
                )
            })?;
        }
        GrantCommand::List { chart } => {
            let grants = client.grants(chart).await?;
            out.say(&grants, || {
                let rows: Vec<_> = grants.iter().map(grant_row).collect();
                table(
                    &["chart", "grantee", "compartments", "purposes", "actions", "until"],
                    &rows,
                )
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn relay(global: &Global, out: Output, command: RelayCommand) -> anyhow::Result<ExitCode> {
    let client = global.client().await?;
    match command {
        RelayCommand::List => {
            let operations = client.relayed().await?;
            out.say(&operations, || {
                let rows: Vec<_> = operations.iter().map(operation_row).collect();
                table(&["operation", "time", "method", "signer", "state", "block"], &rows)
            })?;
        }
        RelayCommand::Show { operation } => {
            let operation = client.gateway().await?.relayed(operation).await?;
            out.say(&operation, || operation_row(&operation).join("  "))?;
        }
        RelayCommand::Cancel => {
            let mined = client.cancel_all().await?;
            out.say(mined, || {
                "Whatever you have signed and nobody has submitted is void.".to_owned()
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn operation_row(operation: &api::RelayedOperation) -> Vec<String> {
    let state = operation.state.text();
    vec![
        operation.id.to_string(),
        time(operation.accepted_at),
        operation.method.clone(),
        operation.signer.to_string(),
        match &operation.fault {
            Some(fault) => format!("{state} ({fault})"),
            None => state.to_owned(),
        },
        operation
            .block
            .map_or_else(|| "-".to_owned(), |block| block.to_string()),
    ]
}

fn new_file(path: &Path) -> anyhow::Result<std::fs::File> {
    std::fs::File::create_new(path).with_context(|| format!("make {}", path.display()))
}

/// Exit code 0 for yes, [`exit::ANSWER_NO`] for no.
pub async fn check(global: &Global, out: Output, args: CheckArgs) -> anyhow::Result<ExitCode> {
    if global.organisation.is_some() {
        bail!("an answer is for your own account: leave --organisation out");
    }
    let client = global.client().await?;
    let question = api::Question {
        chart: args.chart,
        compartment: args.compartment,
        record_id: None,
        purpose: parse_purpose(&args.purpose)?,
        action: Action::from_name(&args.action).context("--action: read, write or share")?,
        at: args.at.as_deref().map(parse_time).transpose()?,
    };
    // Before anything is asked: a file is never overwritten.
    let file = args.out.as_deref().map(new_file).transpose()?;
    let signed = client.ask_signed(vec![question], args.prove).await?;
    // One for each question, or it would be an error.
    let [signed] = &signed[..] else {
        bail!("the gateway did not answer");
    };
    let verdict = &signed.verdict;
    if let Some(mut file) = file {
        serde_json::to_writer_pretty(&mut file, signed)
            .map_err(std::io::Error::from)
            .and_then(|()| file.sync_all())
            .context("write the verdict")?;
    }
    out.say(verdict, || {
        format!(
            "{} ({}), at {} by block {}",
            if verdict.allowed { "yes" } else { "no" },
            verdict.reason,
            time(verdict.at),
            verdict.block_number
        )
    })?;
    Ok(if verdict.allowed {
        ExitCode::SUCCESS
    } else {
        exit::ANSWER_NO.into()
    })
}

pub fn store(out: Output, command: &StoreCommand) -> anyhow::Result<ExitCode> {
    let StoreCommand::Salvage { dir, aside } = command;
    let salvaged = medlock_store::Embedded::salvage(dir, aside)?;
    let value: Vec<_> = salvaged
        .iter()
        .map(|pack| {
            let lost: Vec<_> = pack.lost.iter().map(ToString::to_string).collect();
            json!({ "pack": pack.pack, "reason": pack.reason, "aside": pack.aside, "kept": pack.kept, "lost": lost })
        })
        .collect();
    out.say(value, || {
        let lines = salvaged.iter().map(|pack| {
            format!(
                "{} was damaged ({}): {} blocks kept, {} lost; it is {} now.\n",
                pack.pack.display(),
                pack.reason,
                pack.kept,
                pack.lost.len(),
                pack.aside.display()
            )
        });
        let lines: String = lines.collect();
        match lines.is_empty() {
            true => "No pack is damaged.".to_owned(),
            false => lines.trim_end().to_owned(),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

pub async fn log(global: &Global, out: Output, chart: B256) -> anyhow::Result<ExitCode> {
    let client = global.client().await?;
    let reads = client.reads(chart).await?;
    out.say(&reads, || {
        let rows: Vec<_> = reads
            .iter()
            .map(|read| {
                let receipt = &read.entry.receipt;
                vec![
                    time(read.entry.received_at),
                    receipt.reader.to_string(),
                    match receipt.organisation.is_zero() {
                        true => "-".to_owned(),
                        false => receipt.organisation.to_string(),
                    },
                    receipt.purpose.code().to_owned(),
                    short(&receipt.record_id),
                    receipt.version.to_string(),
                    match read.break_glass {
                        true => "BREAK-GLASS".to_owned(),
                        false => read.entry.reason.clone(),
                    },
                    match (read.proven, read.checkable) {
                        (true, _) => "proven",
                        (false, true) => "NOT PROVEN",
                        (false, false) => "not checkable",
                    }
                    .to_owned(),
                    anchored(read.anchoring),
                ]
            })
            .collect();
        table(
            &[
                "time", "reader", "for", "purpose", "record", "version", "by", "receipt", "on chain",
            ],
            &rows,
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn anchored(anchoring: Anchoring) -> String {
    match anchoring {
        Anchoring::Anchored {
            index,
            block: Some(block),
        } => format!("anchor {index} in block {block}"),
        Anchoring::Anchored { index, block: None } => format!("anchor {index}"),
        Anchoring::Waiting { since } => format!("not yet, since {}", time(since)),
        Anchoring::Refuted { index } => format!("FALSE: not under anchor {index}"),
    }
}

/// Gives an account funds on a development chain.
pub async fn fund(global: &Global, out: Output, account: Address, ether: u64) -> anyhow::Result<ExitCode> {
    use alloy::providers::Provider;
    let endpoints = global.endpoints()?;
    let chain = medlock_client::Chain::discover(&endpoints.rpc, Identity::generate()?.signer()).await?;
    let wei = U256::from(ether) * U256::from(10).pow(U256::from(18));
    chain
        .provider()
        .raw_request::<_, ()>("anvil_setBalance".into(), (account, wei))
        .await
        .context("only a development chain gives money away")?;
    out.say(json!({ "account": account, "ether": ether }), || {
        format!("{account} has {ether} ether.")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Who has a grant and no keys, and what to do about it.
fn waiting(grantees: &[Address]) -> String {
    let lines = grantees.iter().map(|grantee| {
        format!(
            "\n{grantee} has published no key, or a weaker one than the chart's, and waits: grant again once it has"
        )
    });
    lines.collect()
}

/// What became of the keys that were left for an emergency, and what to do about it.
fn kit(renewal: &Renewal) -> String {
    match renewal {
        Renewal::NoKit => String::new(),
        Renewal::Renewed => "\nThe custodians of your emergency kit have shares of the new keys.".into(),
        Renewal::Failed { why } => format!(
            "\nNobody who breaks the glass gets the new keys: no kit could be left for them ({why}); `medlock emergency allow` leaves another"
        ),
    }
}

pub async fn compartment_mask(client: &Client, chart: B256, named: &[String]) -> anyhow::Result<u64> {
    let state = client.chart_state(chart).await?;
    let directory = client.directory(chart, &state).await?;
    let labels = client.labels(&directory)?;
    let mut mask = 0;
    for name in named {
        if name == "all" {
            mask |= directory
                .body
                .compartments
                .iter()
                .fold(0, |mask, entry| mask | 1 << entry.compartment);
            continue;
        }
        let number = match name.parse::<u8>() {
            Ok(number) => Some(number),
            Err(_) => labels
                .iter()
                .find(|(_, label)| *label == name)
                .map(|(number, _)| *number),
        };
        match number.filter(|number| *number < terms::COMPARTMENTS) {
            Some(number) => mask |= 1u64 << number,
            None => bail!(
                "no compartment {name:?}; this chart has: {}",
                labels.values().cloned().collect::<Vec<_>>().join(", ")
            ),
        }
    }
    Ok(mask)
}

fn describe_party(party: &api::Party) -> String {
    let credential = match &party.credential {
        None => "no credential".to_owned(),
        Some(credential) => {
            let roles = serde_json::to_value(credential.roles).unwrap_or_default();
            format!(
                "credential: {roles} by {}{}{}",
                credential.issuer,
                ends(credential.expiry),
                match (credential.current, credential.status.as_str()) {
                    (true, _) => "".to_owned(),
                    (false, "issued") => ", not current".to_owned(),
                    (false, status) => format!(", {status}"),
                }
            )
        }
    };
    let key = match &party.key {
        None => "no encryption key published".to_owned(),
        Some(key) => {
            let revoked = if key.revoked_at == 0 { "" } else { " (revoked)" };
            format!("encryption key version {}{revoked}: {}", key.version, key.key)
        }
    };
    format!("{}\n{credential}\n{key}", party.account)
}

fn version_row(record: &api::Version) -> Vec<String> {
    vec![
        record.record_id.to_string(),
        record.version.to_string(),
        record.compartment.to_string(),
        record.author.to_string(),
        time(record.created_at),
        // The usual is not said.
        match record.status.as_str() {
            "current" => String::new(),
            status => status.to_owned(),
        },
    ]
}

fn grant_row(grant: &api::Grant) -> Vec<String> {
    let list = |value: serde_json::Result<serde_json::Value>| match value {
        Ok(serde_json::Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(","),
        _ => String::new(),
    };
    vec![
        short(&grant.chart),
        grant.grantee.to_string(),
        list(serde_json::to_value(grant.compartments)),
        list(serde_json::to_value(grant.purposes)),
        list(serde_json::to_value(grant.actions)),
        if grant.expiry == 0 {
            "-".to_owned()
        } else {
            time(grant.expiry)
        },
    ]
}

pub fn short(id: &B256) -> String {
    let hex = hex::encode(&id[..6]);
    format!("0x{hex}…")
}

fn ends(expiry: u64) -> String {
    match expiry {
        0 => String::new(),
        _ => format!(" until {}", output::time(expiry)),
    }
}

/// `90d` from now as UNIX seconds; 0 without one.
fn until(valid_for: Option<&str>) -> anyhow::Result<u64> {
    match valid_for {
        None => Ok(0),
        Some(text) => {
            let duration: Duration = humantime::parse_duration(text).with_context(|| format!("--for {text}"))?;
            Ok(now() + duration.as_secs())
        }
    }
}

pub fn parse_time(text: &str) -> anyhow::Result<u64> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time = humantime::parse_rfc3339_weak(text).context("--at: UNIX seconds, or 2026-05-03T12:00:00Z")?;
    Ok(time.duration_since(std::time::UNIX_EPOCH)?.as_secs())
}

pub fn parse_purpose(code: &str) -> anyhow::Result<Purpose> {
    Purpose::from_code(code).with_context(|| {
        let known: Vec<_> = terms::purpose::ALL.iter().map(|(code, _)| *code).collect();
        format!("no purpose {code:?}; there are {}", known.join(", "))
    })
}

pub fn read_text(path: &Path) -> anyhow::Result<String> {
    let text = String::from_utf8(read_file(path)?);
    Ok(text.map_err(|_| medlock_client::Error::Unsuitable(format!("{} is no text", path.display())))?)
}

pub fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let length = std::fs::metadata(path)
        .with_context(|| format!("read {}", path.display()))?
        .len();
    // Refused before it is read: what cannot be taken must not fill the memory first.
    if length > medlock_vault::payload::CONTENT_BYTES_MAX {
        bail!(
            "{} has {length} bytes; at most {} are taken",
            path.display(),
            medlock_vault::payload::CONTENT_BYTES_MAX
        );
    }
    std::fs::read(path).with_context(|| format!("read {}", path.display()))
}

/// What is left of a record, a line a version.
fn erasure_text(erasure: &api::Erasure) -> String {
    let word = |remains: Remains| match remains {
        Remains::Gone => "gone",
        Remains::Present => "there",
        Remains::Unknown => "not known",
        Remains::Foreign => "another record's",
    };
    let row = |version: &api::ErasedVersion| {
        let (envelope, payload) = (word(version.envelope), word(version.payload));
        vec![version.version.to_string(), envelope.to_owned(), payload.to_owned()]
    };
    let rows: Vec<_> = erasure.versions.iter().map(row).collect();
    let text = table(&["version", "sealed key", "sealed content"], &rows);
    match erasure.complete {
        true => format!("{text}\nNothing is left at this gateway."),
        false => {
            format!("{text}\nSealed content goes with the gateway's next upkeep; nobody can open it without its key.")
        }
    }
}

fn write_content(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if path == Path::new("-") {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(bytes)?;
        return Ok(stdout.flush()?);
    }
    file::replace(path, bytes).with_context(|| format!("write {}", path.display()))
}
