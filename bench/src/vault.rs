//! Payloads sealed and opened on one core, beside the bare cipher on the same chunks: what commitment, associated data, padding and
//! copies add; and the memory that a stream takes, whatever its length.

use std::{
    io::{self, Read, Seek, Write},
    process::Command,
    time::{Duration, Instant},
};

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use anyhow::{Context, ensure};
use clap::Args;
use medlock_vault::{
    Binding, EncryptionKey, Metadata, open_stream,
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
    /// Only stream so many MiB, and say how much memory this process has taken (for the process that measures)
    #[arg(long, hide = true)]
    peak_of: Option<usize>,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    if let Some(size) = options.peak_of {
        println!("{}", peak_mib(size * MIB)?);
        return Ok(());
    }
    println!("{}", json!({ "machine": machine::describe() }));
    let content = {
        let mut content = vec![0; options.size * MIB];
        Noise::new().read_exact(&mut content)?;
        content
    };
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
    Figure {
        name: format!(
            "peak memory of a process that seals and opens a stream of {} MiB",
            options.stream
        ),
        unit: "MiB",
        better: Better::Lower,
        target: Some(MEMORY_TARGET),
        medlock: vec![peak_elsewhere(options.stream)?],
        peer: None,
    }
    .print()?;
    Figure {
        name: "keys sealed to an X25519 public key (HPKE)".into(),
        unit: "seals/s",
        better: Better::Higher,
        target: None,
        medlock: (0..options.rounds).map(|_| hpke()).collect::<anyhow::Result<_>>()?,
        peer: None,
    }
    .print()
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
fn hpke() -> anyhow::Result<f64> {
    let mut rng = Noise::new();
    let recipient: PublicKey = EncryptionKey::generate(&mut rng).public_key();
    let start = Instant::now();
    for _ in 0..SEALS {
        seal::seal(&mut rng, &recipient, &[3; 250], &[4; 32])?;
    }
    Ok(per_second(SEALS, start.elapsed()))
}

/// In a process of its own, which does nothing else.
fn peak_elsewhere(mib: usize) -> anyhow::Result<f64> {
    let output = Command::new(std::env::current_exe()?)
        .args(["vault", "--peak-of", &mib.to_string()])
        .output()
        .context("start the process that is measured")?;
    ensure!(
        output.status.success(),
        "the process that is measured: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().context("what the measured process said")
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
    Ok(machine::memory_bytes(std::process::id(), "VmHWM")? as f64 / MIB as f64)
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
