//! Payloads sealed and opened, beside the bare cipher on the same chunks (what commitment, associated data, padding and copies
//! add) and beside rage; and the memory that a stream takes, whatever its length.

use std::{
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use medlock_vault::{
    Binding, EncryptionKey, Metadata, Suite, open_stream,
    payload::CHUNK_BYTES,
    seal::{self, PublicKey},
    seal_stream,
};
use serde_json::json;

use crate::{
    figure::{Better, Figure, Target, per_second},
    machine,
    noise::Noise,
};

const CIPHER: &str = "aes-gcm";
const MIB: usize = 1024 * 1024;
/// Of the bare cipher's throughput.
const TARGET: Target = Target::Ratio(0.8);
const MEMORY_TARGET: Target = Target::Value(32.0);
const SEALS: usize = 2_000;

#[derive(Args)]
pub struct Options {
    /// Rounds of each figure; memory is measured once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Content, in MiB
    #[arg(long, default_value_t = 64)]
    size: usize,
    /// Content of the stream whose memory is measured, in MiB
    #[arg(long, default_value_t = 1024)]
    stream: usize,
    /// The rage that `make bench-vault` has installed
    #[arg(long, default_value = ".tools/rage-0.12.1/bin")]
    rage: PathBuf,
    /// What a process that is measured does
    #[command(subcommand)]
    part: Option<Part>,
}

/// A part of the work, in a process of its own: on one core, or measured from outside.
#[derive(Subcommand)]
enum Part {
    /// The figures of one core, on the core that this process is kept to
    #[command(hide = true)]
    OneCore,
    /// Streams so many MiB, and says how much memory that took
    #[command(hide = true)]
    Peak { mib: usize },
    /// Seals a file's content to standard output, as no payload that could be opened: the key is dropped
    #[command(hide = true)]
    Seal { file: PathBuf },
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    match &options.part {
        Some(Part::OneCore) => return one_core(options),
        Some(Part::Peak { mib }) => {
            println!("{}", peak_mib(mib * MIB)?);
            return Ok(());
        }
        Some(Part::Seal { file }) => return seal_file(file),
        None => {}
    }
    println!("{}", json!({ "machine": machine::describe() }));
    let sizes = [options.rounds, options.size].map(|number| number.to_string());
    let pinned = Command::new("taskset")
        .args(["--cpu-list", "0"])
        .arg(std::env::current_exe()?)
        .args(["vault", "--rounds", &sizes[0], "--size", &sizes[1], "one-core"])
        .status()
        .context("start taskset, of util-linux")?;
    ensure!(pinned.success(), "the figures of one core: {pinned}");

    let content = noise(options.size);
    let (mut seals, mut opens) = (vec![], vec![]);
    for _ in 0..options.rounds {
        let (sealed, opened) = payload(&content)?;
        seals.push(sealed);
        opens.push(opened);
    }
    for (name, medlock) in [("seal", seals), ("open", opens)] {
        Figure {
            name: format!("{name} {} MiB of incompressible content, all cores", options.size),
            unit: "MB/s",
            better: Better::Higher,
            target: None,
            medlock,
            peer: None,
        }
        .print()?;
    }
    beside_rage(options)?;
    Figure {
        name: format!(
            "peak memory of a process that seals and opens a stream of {} MiB",
            options.stream
        ),
        unit: "MiB",
        better: Better::Lower,
        target: Some(MEMORY_TARGET),
        medlock: vec![machine::peak_mib_elsewhere(&[
            "vault",
            "peak",
            &options.stream.to_string(),
        ])?],
        peer: None,
    }
    .print()?;
    let rounds = |suite| {
        (0..options.rounds)
            .map(|_| hpke(suite))
            .collect::<anyhow::Result<Vec<_>>>()
    };
    Figure {
        name: "keys sealed with HPKE to an X-Wing public key, beside X25519".into(),
        unit: "seals/s",
        better: Better::Higher,
        target: None,
        medlock: rounds(Suite::XWing)?,
        peer: Some(("X25519", rounds(Suite::X25519)?)),
    }
    .print()
}

/// Beside the cipher that payloads are made of, in its reference implementation.
fn one_core(options: &Options) -> anyhow::Result<()> {
    let content = noise(options.size);
    let (mut seals, mut opens, mut encryptions, mut decryptions) = (vec![], vec![], vec![], vec![]);
    for _ in 0..options.rounds {
        let (sealed, opened) = payload(&content)?;
        let (encrypted, decrypted) = bare(&content)?;
        seals.push(sealed);
        opens.push(opened);
        encryptions.push(encrypted);
        decryptions.push(decrypted);
    }
    for (name, medlock, peer) in [("seal", seals, encryptions), ("open", opens, decryptions)] {
        Figure {
            name: format!("{name} {} MiB of incompressible content, one core", options.size),
            unit: "MB/s",
            better: Better::Higher,
            target: Some(TARGET),
            medlock,
            peer: Some((CIPHER, peer)),
        }
        .print()?;
    }
    Ok(())
}

/// Processor time of encrypting a file, by us and by rage (age files: ChaCha20-Poly1305 in chunks of the same size).
fn beside_rage(options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("content");
    let mut out = std::fs::File::create(&file)?;
    io::copy(&mut Noise::new().take((options.stream * MIB) as u64), &mut out)?;
    let key = Command::new(options.rage.join("rage-keygen")).output();
    let key = key.context("start rage-keygen: `make bench-vault` installs it")?;
    let key = String::from_utf8(key.stdout)?;
    let recipient = key.lines().find_map(|line| line.strip_prefix("# public key: "));
    let recipient = recipient.context("rage-keygen names the public key")?;
    let (mut ours, mut theirs) = (vec![], vec![]);
    for _ in 0..options.rounds {
        let mut medlock = Command::new(std::env::current_exe()?);
        medlock.args(["vault", "seal"]).arg(&file);
        ours.push(processor_seconds(&medlock)?);
        let mut rage = Command::new(options.rage.join("rage"));
        rage.args(["--encrypt", "--recipient", recipient]).arg(&file);
        theirs.push(processor_seconds(&rage)?);
    }
    Figure {
        name: format!("processor time of encrypting a file of {} MiB", options.stream),
        unit: "s",
        better: Better::Lower,
        target: Some(Target::Ratio(1.0)),
        medlock: ours,
        peer: Some(("rage", theirs)),
    }
    .print()
}

/// User and system time of a command that ends well, by the shell's count.
fn processor_seconds(command: &Command) -> anyhow::Result<f64> {
    let output = Command::new("bash")
        .args(["-c", r#""$@" >/dev/null && times"#, "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let problem = || format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    // The second line is of the shell's children: user and system time as 0m1.234s.
    let children = said.lines().nth(1).with_context(problem)?;
    children
        .split_whitespace()
        .map(|time| {
            let (minutes, seconds) = time.trim_end_matches('s').split_once('m').with_context(problem)?;
            Ok(60.0 * minutes.parse::<f64>()? + seconds.parse::<f64>()?)
        })
        .sum()
}

fn seal_file(path: &Path) -> anyhow::Result<()> {
    let file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    seal_stream(
        &mut Noise::new(),
        &binding(),
        &metadata(),
        length,
        file,
        io::stdout().lock(),
    )?;
    Ok(())
}

fn noise(mib: usize) -> Vec<u8> {
    let mut content = vec![0; mib * MIB];
    // The source never fails.
    let _ = Noise::new().read_exact(&mut content);
    content
}

/// MB/s of sealing and of opening. What comes out is dropped: a buffer to keep it would be the allocator's time, not ours.
fn payload(content: &[u8]) -> anyhow::Result<(f64, f64)> {
    let seal = |out: &mut dyn Write| {
        let length = content.len() as u64;
        seal_stream(&mut Noise::new(), &binding(), &metadata(), length, content, out)
    };
    let start = Instant::now();
    seal(&mut io::sink())?;
    let sealing = start.elapsed();

    let mut payload = Vec::new();
    let sealed = seal(&mut payload)?;
    let open = |out: &mut dyn Write| {
        let (key, length) = (&sealed.data_key, sealed.payload_bytes);
        open_stream(key, &binding(), length, payload.as_slice(), out)
    };
    let start = Instant::now();
    open(&mut io::sink())?;
    let opening = start.elapsed();

    let mut opened = Vec::with_capacity(content.len());
    open(&mut opened)?;
    ensure!(opened == content, "what came back is something else");
    Ok((mb_per_s(content, sealing), mb_per_s(content, opening)))
}

/// The same of AES-256-GCM in place, in chunks of the same size, with as much associated data, and nothing else.
fn bare(content: &[u8]) -> anyhow::Result<(f64, f64)> {
    let cipher = Aes256Gcm::new(&[7; 32].into());
    let aad = [9; 209];
    let nonce = |index: usize| {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&(index as u64).to_be_bytes());
        nonce.into()
    };
    let mut buffer = content.to_vec();
    let mut tags = Vec::with_capacity(content.len() / CHUNK_BYTES + 1);
    let start = Instant::now();
    for (index, chunk) in buffer.chunks_mut(CHUNK_BYTES).enumerate() {
        let tag = cipher.encrypt_inout_detached(&nonce(index), &aad, chunk.into());
        tags.push(tag.map_err(|_| anyhow::anyhow!("encrypt"))?);
    }
    let encrypting = start.elapsed();
    let start = Instant::now();
    for ((index, chunk), tag) in buffer.chunks_mut(CHUNK_BYTES).enumerate().zip(&tags) {
        cipher
            .decrypt_inout_detached(&nonce(index), &aad, chunk.into(), tag)
            .map_err(|_| anyhow::anyhow!("decrypt"))?;
    }
    let decrypting = start.elapsed();
    ensure!(buffer == content, "what came back is something else");
    Ok((mb_per_s(content, encrypting), mb_per_s(content, decrypting)))
}

fn mb_per_s(content: &[u8], elapsed: Duration) -> f64 {
    per_second(content.len(), elapsed) / 1e6
}

/// Seals a record's data key, over and over: seals a second.
fn hpke(suite: Suite) -> anyhow::Result<f64> {
    let mut rng = Noise::new();
    let recipient: PublicKey = EncryptionKey::generate(&mut rng, suite).public_key();
    let start = Instant::now();
    for _ in 0..SEALS {
        seal::seal(&mut rng, &recipient, &[3; 250], &[4; 32])?;
    }
    Ok(per_second(SEALS, start.elapsed()))
}

/// Seals a stream into a file and opens it from there; then what this process took at most, in MiB.
fn peak_mib(bytes: usize) -> anyhow::Result<f64> {
    let mut file = tempfile::tempfile().context("make a file for the payload")?;
    let sealed = seal_stream(
        &mut Noise::new(),
        &binding(),
        &metadata(),
        bytes as u64,
        Noise::new().take(bytes as u64),
        &mut file,
    )?;
    file.rewind()?;
    open_stream(
        &sealed.data_key,
        &binding(),
        sealed.payload_bytes,
        &mut file,
        io::sink(),
    )?;
    machine::peak_mib(std::process::id())
}

fn binding() -> Binding {
    Binding {
        chain_id: 412_346,
        records: [1; 20],
        chart: [2; 32],
        record_id: [3; 32],
        version: 1,
        previous: [0; 32],
        compartment: 4,
    }
}

fn metadata() -> Metadata {
    Metadata {
        media_type: "application/dicom".into(),
        ..Metadata::default()
    }
}
