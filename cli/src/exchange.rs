//! Files of others into a chart, and a chart into a file of others.

use std::{
    io::{Seek, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use medlock_client::{
    Client, Error, Exported, ImportOptions, Imported, ImportedEntry, Kind, Layout, LeftOut, Outcome, file,
};
use serde_json::{Value, json};

use crate::{
    args::{ExportArgs, ImportArgs},
    commands::{parse_purpose, short},
    output::{Output, exit, table},
};

/// Exit code 0 where every file and everything in it is in the chart, [`exit::FAILED`] where something was refused.
pub async fn import(client: &Client, out: Output, args: ImportArgs) -> anyhow::Result<ExitCode> {
    let options = options(&args)?;
    let open = client.chart(args.chart).await?;
    let mut files: Vec<(&Path, Result<Imported, Error>)> = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let bar = out.bar("importing", 0);
        let imported = open
            .import_file(&path.as_path().into(), &options, |done, of| {
                bar.set_length(of);
                bar.set_position(done);
            })
            .await;
        bar.finish_and_clear();
        match imported {
            Err(error) if !error.is_bad_input() => {
                let done = files.len();
                return Err(error).with_context(|| {
                    format!(
                        "{} ({done} files before it are done; the same command goes on)",
                        path.display()
                    )
                });
            }
            imported => files.push((path, imported)),
        }
    }
    let value: Vec<_> = files
        .iter()
        .map(|(path, imported)| import_value(path, imported))
        .collect();
    out.say(json!({ "dry_run": args.dry_run, "files": value }), || {
        let texts = files
            .iter()
            .map(|(path, imported)| import_text(path, imported, args.dry_run));
        // Names of files and what stands in them may be anything: nothing of it moves the terminal's cursor.
        let text = texts.collect::<Vec<_>>().join("\n");
        text.chars()
            .filter(|letter| *letter == '\n' || !letter.is_control())
            .collect()
    })?;
    let is_whole = |imported: &Result<Imported, Error>| {
        imported
            .as_ref()
            .is_ok_and(|imported| imported.count(Outcome::Refused) == 0)
    };
    Ok(match files.iter().all(|(_, imported)| is_whole(imported)) {
        true => ExitCode::SUCCESS,
        false => exit::FAILED.into(),
    })
}

fn options(args: &ImportArgs) -> anyhow::Result<ImportOptions> {
    let kinds = || Kind::ALL.map(Kind::name).join(", ");
    let kind = args
        .kind
        .as_deref()
        .map(|name| Kind::from_name(name).with_context(|| format!("--kind: no kind {name:?}; there are {}", kinds())));
    Ok(ImportOptions {
        purpose: parse_purpose(&args.purpose)?,
        kind: kind.transpose()?,
        category: args
            .category
            .as_deref()
            .map(str::parse)
            .transpose()
            .context("--category")?,
        media_type: args.media_type.clone(),
        title: args.title.clone(),
        sensitive: args.sensitive,
        source: args.source.clone(),
        any_patient: args.any_patient,
        dry_run: args.dry_run,
    })
}

fn import_value(path: &Path, imported: &Result<Imported, Error>) -> Value {
    match imported {
        Ok(imported) => json!({
            "file": path, "kind": imported.kind, "records": imported.records, "frame": imported.frame,
            "added": imported.count(Outcome::Added), "amended": imported.count(Outcome::Amended),
            "unchanged": imported.count(Outcome::Unchanged), "refused": imported.count(Outcome::Refused),
            "entries": imported.entries, "stored": imported.stored,
        }),
        Err(error) => json!({ "file": path, "error": error.to_string() }),
    }
}

fn import_text(path: &Path, imported: &Result<Imported, Error>, is_dry: bool) -> String {
    let imported = match imported {
        Ok(imported) => imported,
        Err(error) => return format!("{}: refused, nothing of it is imported: {error}", path.display()),
    };
    let counts: Vec<_> = [Outcome::Added, Outcome::Amended, Outcome::Unchanged, Outcome::Refused]
        .into_iter()
        .map(|outcome| (imported.count(outcome), outcome_text(outcome)))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let would = if is_dry { " would be" } else { "" };
    let head = format!(
        "{}: {}, {} entries:{would} {}.",
        path.display(),
        imported.kind.name(),
        imported.entries.len(),
        counts.join(", ")
    );
    let shown: Vec<_> = imported
        .entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| is_dry || entry.outcome == Outcome::Refused || entry.elsewhere.is_some())
        .map(|(index, entry)| entry_row(index, entry))
        .collect();
    match shown.is_empty() {
        true => head,
        false => format!(
            "{head}\n{}",
            table(
                &["entry", "what", "date", "category", "record", "version", "outcome"],
                &shown
            )
        ),
    }
}

fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Added => "added",
        Outcome::Amended => "amended",
        Outcome::Unchanged => "there already",
        Outcome::Refused => "refused",
    }
}

fn entry_row(index: usize, entry: &ImportedEntry) -> Vec<String> {
    let what = [entry.resource_type.as_deref(), entry.title.as_deref()];
    let what: Vec<_> = what.into_iter().flatten().collect();
    let outcome = outcome_text(entry.outcome);
    let why = entry.why.map(|why| format!(": {why}")).unwrap_or_default();
    let elsewhere = entry
        .elsewhere
        .map(|record| {
            format!(
                " (earlier content stays in {}, outside the sensitive compartment)",
                short(&record)
            )
        })
        .unwrap_or_default();
    vec![
        index.to_string(),
        shown(&what.join(" ")),
        shown(entry.date.as_deref().unwrap_or("-")),
        match entry.topic {
            Some(topic) => format!("{} ({topic})", entry.category),
            None => entry.category.to_owned(),
        },
        short(&entry.record_id),
        match entry.version {
            0 => "-".to_owned(),
            version => version.to_string(),
        },
        format!("{outcome}{why}{elsewhere}"),
    ]
}

/// What a file says, no longer than a column, and in one line.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    text.chars()
        .filter(|letter| !letter.is_control())
        .take(CHARS_MAX)
        .collect()
}

/// Exit code 0 also where something is left out that the caller may not read; [`exit::FAILED`] where what is stored is
/// damaged.
pub async fn export(client: &Client, out: Output, args: ExportArgs) -> anyhow::Result<ExitCode> {
    let to_stdout = args.out == Path::new("-");
    // Asked before anything is read, as each read is in the chart's log; `finish` asks again.
    if !to_stdout && !args.force && std::fs::symlink_metadata(&args.out).is_ok() {
        bail!("{} exists already; --force replaces it", args.out.display());
    }
    let purpose = parse_purpose(&args.purpose)?;
    let bar = out.bar("exporting", 0);
    let progress = |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    };
    let open = client.chart(args.chart).await?;
    let target = Target::new(&args)?;
    let exported = match args.original {
        None => Some(open.export_all(purpose, target.file().try_clone()?, progress).await?),
        Some(frame) => {
            let bytes = open.original(frame, purpose, progress).await?;
            target.file().write_all(&bytes).with_context(|| target.name())?;
            None
        }
    };
    bar.finish_and_clear();
    let bytes = target.finish(args.force)?;
    let left_out = exported.as_ref().map_or(&[][..], |exported| &exported.left_out);
    if to_stdout {
        // Standard output is the Bundle.
        if !left_out.is_empty() {
            eprintln!("{}", left_out_text(left_out));
        }
    } else {
        let value = json!({ "file": args.out, "bytes": bytes, "exported": exported });
        out.say(value, || export_text(&args.out, bytes, exported.as_ref()))?;
    }
    Ok(match left_out.iter().any(|record| record.damaged) {
        false => ExitCode::SUCCESS,
        true => exit::FAILED.into(),
    })
}

fn export_text(path: &Path, bytes: u64, exported: Option<&Exported>) -> String {
    let wrote = format!("Wrote {} ({bytes} bytes)", path.display());
    let Some(exported) = exported else {
        return format!("{wrote}, as it was imported.");
    };
    let what = match exported.layout {
        Layout::Imported => format!("the imported Bundle, {} resources", exported.resources),
        Layout::Collection => format!(
            "a Bundle of {} resources and {} documents",
            exported.resources, exported.documents
        ),
    };
    match exported.left_out.is_empty() {
        true => format!("{wrote}: {what}."),
        false => format!("{wrote}: {what}.\n{}", left_out_text(&exported.left_out)),
    }
}

fn left_out_text(left_out: &[LeftOut]) -> String {
    let rows: Vec<_> = left_out
        .iter()
        .map(|record| {
            vec![
                record.record_id.to_string(),
                record.compartment.to_string(),
                record.why.clone(),
            ]
        })
        .collect();
    format!(
        "{} records are left out:\n{}",
        rows.len(),
        table(&["record", "compartment", "why"], &rows)
    )
}

/// Where an export goes: nowhere before it is whole.
enum Target {
    Draft(PathBuf, file::Draft, std::fs::File),
    /// A file without a name, since what was printed cannot be taken back.
    Stdout(std::fs::File),
}

impl Target {
    fn new(args: &ExportArgs) -> anyhow::Result<Self> {
        if args.out == Path::new("-") {
            return Ok(Self::Stdout(tempfile::tempfile().context("make a temporary file")?));
        }
        let path = args.out.clone();
        let draft = file::Draft::new(&path).with_context(|| format!("write {}", path.display()))?;
        let writer = draft.writer()?;
        Ok(Self::Draft(path, draft, writer))
    }

    fn file(&self) -> &std::fs::File {
        match self {
            Self::Draft(.., file) | Self::Stdout(file) => file,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Draft(path, ..) => format!("write {}", path.display()),
            Self::Stdout(_) => "write a temporary file".to_owned(),
        }
    }

    /// Its length in bytes.
    fn finish(self, force: bool) -> anyhow::Result<u64> {
        let bytes = self.file().metadata()?.len();
        let name = self.name();
        match self {
            Self::Draft(_, draft, _) => match force {
                true => draft.finish(),
                false => draft.finish_new(),
            }
            .context(name)?,
            Self::Stdout(mut file) => {
                file.rewind()?;
                std::io::copy(&mut file, &mut std::io::stdout().lock())?;
            }
        }
        Ok(bytes)
    }
}
