//! Clinical trials: plans, sites, consents, data, results, and the check of a published trial against the chain.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use medlock_client::{
    Client, Consented, Error, Participation, TrialFiles, file, participation_text,
    research::{
        self, Severity,
        batch::{Batch, Place},
        folder::{self, FILES_MAX, Folder, INDEX_BYTES_MAX, Index},
    },
    terms::{amendment, number_of},
    trial_rows,
};
use serde_json::json;

use crate::{
    args::{Global, TrialCommand, VersionArgs},
    commands::{parse_time, read_file, read_text},
    output::{Output, exit, table, time},
};

pub async fn trial(global: &Global, out: Output, command: TrialCommand) -> anyhow::Result<ExitCode> {
    let client = global.client().await?;
    match command {
        TrialCommand::Register { registration, files } => {
            let read = Files::read(&files)?;
            let (trial, mined) = client.register_trial(&registration, read.borrowed()).await?;
            out.say(json!({ "trial": trial, "mined": mined }), || {
                format!(
                    "Trial {trial} is registered (gas {}): protocol, plan and consent form are fixed as they are.",
                    mined.gas
                )
            })?;
        }
        TrialCommand::Amend {
            trial,
            files,
            reason,
            reconsent,
        } => {
            let read = Files::read(&files)?;
            let reason = number_of(&amendment::ALL, &reason)?;
            let mined = client.amend_trial(trial, read.borrowed(), reason, reconsent).await?;
            out.say(mined, || match reconsent {
                true => "The trial is amended: who does not consent anew takes no part any more.".into(),
                false => "The trial is amended.".into(),
            })?;
        }
        TrialCommand::Site { trial, site, dismiss } => {
            let mined = client.set_trial_site(trial, site, !dismiss).await?;
            out.say(mined, || match dismiss {
                true => format!("{site} is no site of this trial any more."),
                false => format!("{site} is a site of this trial."),
            })?;
        }
        TrialCommand::Consent {
            trial,
            site,
            form,
            name,
            out: kept,
        } => {
            let form = read_file(&form)?;
            // A consent whose document is lost says nothing to anybody: see that it can be kept first.
            if kept.exists() {
                return Err(Error::File(format!("{} is there already", kept.display())).into());
            }
            let place = file::Draft::new(&kept)?;
            let consented = client.consent_to_trial(trial, site, &form, name.as_deref()).await?;
            keep(place, &consented)?;
            out.say(json!({ "participant": consented.participant, "version": consented.version, "file": kept, "mined": consented.mined }), || {
                format!(
                    "You take part as {}, an account of this trial alone. {} says to what, with the salt of its digest: show it to the site, and keep it.",
                    consented.participant,
                    kept.display()
                )
            })?;
        }
        TrialCommand::Enrol {
            trial,
            participant,
            consent,
        } => {
            if let Some(consent) = consent {
                client
                    .check_kept_consent(trial, participant, &read_file(&consent)?)
                    .await?;
            }
            let (number, mined) = client.enrol(trial, participant).await?;
            out.say(json!({ "number": number, "mined": mined }), || {
                format!("{participant} is enrolled as number {number} of your site.")
            })?;
        }
        TrialCommand::Leave { trial } => {
            let mined = client.withdraw_from_trial(trial).await?;
            out.say(mined, || {
                "Your consent has ended, for good: no later data have you in them.".into()
            })?;
        }
        TrialCommand::Standing { trial, file: path } => {
            let stands = client.participation(trial).await?;
            if let Some(path) = &path {
                let resource = stands.research_subject(trial, client.deployment().chain_id)?;
                file::create(path, resource.as_bytes())?;
            }
            let must_consent_anew = stands.must_consent_anew();
            let Participation {
                participant,
                number,
                status,
                version,
                version_wanted,
                ..
            } = stands;
            let value = json!({
                "participant": participant, "status": participation_text(status), "number": number, "version": version,
                "must_consent_anew": must_consent_anew, "file": path,
            });
            let anew = match must_consent_anew {
                true => format!(
                    ", by consent to version {version}; the trial was changed, and no data may have you in them until you consent anew, to version {version_wanted} or later"
                ),
                false => String::new(),
            };
            out.say(value, || format!("{participant}: {}{anew}", participation_text(status)))?;
        }
        TrialCommand::Data {
            trial,
            sequence,
            from,
            to,
            rows,
            out: kept,
        } => {
            let place = Place {
                trial,
                site: client.address(),
                sequence,
                from: parse_time(&from)?,
                to: parse_time(&to)?,
            };
            let rows =
                trial_rows(&read_text(&rows)?).map_err(|error| unsuitable(format!("{}: {error}", rows.display())))?;
            let batch = Batch::new(place, rows).map_err(unsuitable)?;
            // Data whose salts are lost can never be shown to be those of the root.
            file::create(&kept, batch.to_lines().as_bytes())?;
            let mined = client.anchor_trial_data(&batch).await?;
            out.say(
                json!({ "root": batch.header().root, "rows": batch.header().count, "file": kept, "mined": mined }),
                || {
                    format!(
                        "{} rows are anchored. {} has them with their salts: publish it with the results.",
                        batch.header().count,
                        kept.display()
                    )
                },
            )?;
        }
        TrialCommand::Lock { trial } => {
            let mined = client.lock_trial_data(trial).await?;
            out.say(mined, || {
                "The data are locked: none come any more, and nothing is amended.".into()
            })?;
        }
        TrialCommand::Results { trial, file } => {
            let mined = client.anchor_trial_results(trial, &read_file(&file)?).await?;
            out.say(mined, || {
                "The results are anchored, with the plan and the data that they follow from.".into()
            })?;
        }
        TrialCommand::Close { trial } => {
            let mined = client.close_trial(trial).await?;
            out.say(mined, || "The trial is closed.".into())?;
        }
        TrialCommand::List => {
            let trials = client.trials().await?;
            out.say(&trials, || {
                let rows = trials.iter().map(|trial| {
                    vec![
                        trial.trial.to_string(),
                        trial.state.clone(),
                        trial.version.to_string(),
                        trial.enrolled.to_string(),
                        trial.batches.to_string(),
                        time(trial.registered_at),
                    ]
                });
                table(
                    &["trial", "state", "version", "enrolled", "batches", "registered"],
                    &rows.collect::<Vec<_>>(),
                )
            })?;
        }
        TrialCommand::Show { trial } => {
            let facts = client.trial_facts(trial).await?;
            out.say(&facts, || {
                let versions = facts.versions.iter().zip(1..).map(|(version, number)| {
                    vec![
                        number.to_string(),
                        time(version.at),
                        version.enrolled_then.to_string(),
                        version.documents.plan.to_string(),
                    ]
                });
                let enrolled: u32 = facts.sites.iter().map(|site| site.enrolled).sum();
                let dismissed = facts.sites.iter().filter(|site| !site.active).count();
                let namesakes = facts
                    .namesakes()
                    .map(|(trial, sponsor)| format!("\n{sponsor} has registered the same number, as trial {trial}."));
                format!(
                    "Trial {trial} of {}: {} sites ({dismissed} of them dismissed), {enrolled} enrolled, {} batches of data{}, {} results.{}\n{}",
                    facts.sponsor,
                    facts.sites.len(),
                    facts.batches.len(),
                    if facts.lock.is_some() { ", locked" } else { "" },
                    facts.results.len(),
                    namesakes.collect::<String>(),
                    table(
                        &["version", "since", "enrolled before", "plan"],
                        &versions.collect::<Vec<_>>()
                    )
                )
            })?;
        }
        TrialCommand::Compare { file } => {
            let compared = client.compare_trial_resource(&read_file(&file)?).await?;
            let is_same = compared.differs.is_empty();
            out.say(&compared, || {
                if is_same {
                    format!(
                        "{} says what the chain has of trial {}.",
                        file.display(),
                        compared.trial
                    )
                } else {
                    let differs = compared.differs.join(", ");
                    format!("The chain has trial {} otherwise: {differs}.", compared.trial)
                }
            })?;
            if !is_same {
                return Ok(ExitCode::from(exit::TAMPERED));
            }
        }
        TrialCommand::Verify { folder } => return verify(&client, out, &folder).await,
        TrialCommand::Export {
            trial,
            registration,
            title,
            file: path,
        } => {
            let resource = client.research_study(trial, &registration, title).await?;
            file::create(&path, resource.as_bytes())?;
            out.say(json!({ "trial": trial, "file": path }), || {
                format!("{} is the trial's ResearchStudy.", path.display())
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares a published folder with the chain, and names what differs.
async fn verify(client: &Client, out: Output, path: &Path) -> anyhow::Result<ExitCode> {
    let index = path.join(folder::INDEX);
    let length = fs::metadata(&index)
        .with_context(|| format!("read {}", index.display()))?
        .len();
    if length > INDEX_BYTES_MAX as u64 {
        return Err(Error::Unsuitable(format!("{} is larger than any index", index.display())).into());
    }
    let trial = Index::read(&read_file(&index)?).map_err(unsuitable)?.trial;
    let facts = client.trial_facts(trial).await?;
    let mut names = Vec::new();
    names_below(path, "", &mut names)?;
    let read = |name: &str| fs::read(path.join(name)).ok();
    let report = research::verify(&facts, &Folder::new(names, &read));
    out.say(&report, || {
        let checked = &report.checked;
        let findings = report
            .findings
            .iter()
            .map(|finding| format!("{:9}  {finding}\n", finding.severity().as_str()));
        let sound = match report.worst() {
            None => "Everything is as it was anchored, and the results are those that were planned.",
            Some(Severity::Note) => "What was published is what was anchored. Read the notes.",
            Some(Severity::Unchecked) => "Not everything could be checked.",
            Some(Severity::Fault) => "What was published is not what was anchored.",
        };
        format!(
            "{}{} documents, {} batches with {} rows, {} results with {} outcomes were compared with the chain.\n{sound}",
            findings.collect::<String>(),
            checked.documents,
            checked.batches,
            checked.rows,
            checked.results,
            checked.outcomes
        )
    })?;
    Ok(match report.is_sound() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(exit::TAMPERED),
    })
}

/// Names of the files below a folder, with `/` between; links are not followed.
fn names_below(root: &Path, below: &str, names: &mut Vec<String>) -> anyhow::Result<()> {
    let folder = root.join(below);
    let entries = fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("read {}", folder.display()))?;
        let Ok(name) = entry.file_name().into_string() else {
            return Err(Error::Unsuitable(format!("{} has a file whose name is no text", folder.display())).into());
        };
        let name = if below.is_empty() {
            name
        } else {
            format!("{below}/{name}")
        };
        let kind = entry
            .file_type()
            .with_context(|| format!("read {}", entry.path().display()))?;
        if kind.is_dir() {
            names_below(root, &name, names)?;
        } else if kind.is_file() {
            names.push(name);
        }
        if names.len() > FILES_MAX {
            return Err(Error::Unsuitable(format!("the folder has more than {FILES_MAX} files")).into());
        }
    }
    Ok(())
}

fn keep(place: file::Draft, consented: &Consented) -> anyhow::Result<()> {
    use std::io::Write as _;
    place.writer()?.write_all(consented.kept().as_bytes())?;
    Ok(place.finish_new()?)
}

struct Files {
    protocol: Vec<u8>,
    plan: Vec<u8>,
    form: Vec<u8>,
}

impl Files {
    fn read(args: &VersionArgs) -> anyhow::Result<Self> {
        let read = |path: &PathBuf| read_file(path);
        Ok(Self {
            protocol: read(&args.protocol)?,
            plan: read(&args.plan)?,
            form: read(&args.form)?,
        })
    }

    fn borrowed(&self) -> TrialFiles<'_> {
        TrialFiles {
            protocol: &self.protocol,
            plan: &self.plan,
            form: &self.form,
        }
    }
}

fn unsuitable(error: impl std::fmt::Display) -> Error {
    Error::Unsuitable(error.to_string())
}
