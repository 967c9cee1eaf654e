//! The embedded store beside a real Kubo node, both behind the same interface: files added durably and read back with each
//! block verified, many small blocks in one batch, and the memory that a long file takes.
//!
//! Each round has content of its own, so that nobody has it already. What is read has just been written: it comes from the
//! system's page cache, for both.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use medlock_dag::{Block, Cid, FileBuilder, FileReader, raw_block};
use medlock_kubo_daemon::Daemon;
use medlock_store::{Kubo, KuboOptions, Store};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    figure::{Better, Figure, Target, per_second},
    machine,
    noise::Noise,
};

const KUBO: &str = "kubo";
const MIB: usize = 1024 * 1024;
const ADD_TARGET: Target = Target::Value(300.0);
const READ_TARGET: Target = Target::Value(900.0);
const MEMORY_TARGET: Target = Target::Value(64.0);
/// What is given to a store at once: two packs, which are written at the same time.
const BATCH_BYTES: usize = 32 * MIB;
/// Envelopes of a large import.
const SMALL_BLOCKS: usize = 2_000;
const SMALL_BYTES: usize = 300;

#[derive(Args)]
pub struct Options {
    /// Rounds of each figure; memory is measured once
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Content of a file, in MiB
    #[arg(long, default_value_t = 256)]
    size: usize,
    /// Content of the file whose memory is measured, in MiB
    #[arg(long, default_value_t = 1024)]
    stream: usize,
    /// Only add and read a file of so many MiB, and say how much memory this process has taken (for the process that measures)
    #[arg(long, hide = true)]
    peak_of: Option<usize>,
}

/// What one store did in one round.
struct Round {
    add: f64,
    read: f64,
    small: f64,
}

/// One of the figures of a round.
type Of = fn(&Round) -> f64;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    if let Some(size) = options.peak_of {
        println!("{}", runtime.block_on(peak_mib(size * MIB))?);
        return Ok(());
    }
    println!("{}", json!({ "machine": machine::describe() }));
    let daemon = Daemon::offline();
    let node = Store::Kubo(Kubo::new(&daemon.url, KuboOptions::default())?);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 0..options.rounds {
        let dir = tempfile::tempdir()?;
        let embedded = Store::open(dir.path())?;
        let mut content = vec![0; options.size * MIB];
        Noise::numbered(number).read_exact(&mut content)?;
        // Each goes first every other time.
        for turn in 0..2 {
            if (turn + number) % 2 == 0 {
                ours.push(runtime.block_on(round(&embedded, &content, number))?);
            } else {
                theirs.push(runtime.block_on(round(&node, &content, number))?);
            }
        }
    }
    let all = |rounds: &[Round], of: Of| rounds.iter().map(of).collect::<Vec<_>>();
    let size = options.size;
    let figures: [(String, &str, Option<Target>, Of); 3] = [
        (
            format!("add a file of {size} MiB, hashed and synced"),
            "MiB/s",
            Some(ADD_TARGET),
            |round| round.add,
        ),
        (
            format!("read a file of {size} MiB from the page cache, each block verified"),
            "MiB/s",
            Some(READ_TARGET),
            |round| round.read,
        ),
        (
            format!("add {SMALL_BLOCKS} blocks of {SMALL_BYTES} bytes in one batch, synced"),
            "blocks/s",
            None,
            |round| round.small,
        ),
    ];
    for (name, unit, target, of) in figures {
        Figure {
            name,
            unit,
            better: Better::Higher,
            target,
            medlock: all(&ours, of),
            peer: Some((KUBO, all(&theirs, of))),
        }
        .print()?;
    }
    Figure {
        name: format!(
            "peak memory of a process that adds and reads a file of {} MiB",
            options.stream
        ),
        unit: "MiB",
        better: Better::Lower,
        target: Some(MEMORY_TARGET),
        medlock: vec![machine::peak_mib_elsewhere(&[
            "store",
            "--peak-of",
            &options.stream.to_string(),
        ])?],
        peer: Some((KUBO, vec![runtime.block_on(peak_of_kubo(options.stream * MIB))?])),
    }
    .print()
}

async fn round(store: &Store, content: &[u8], number: u32) -> anyhow::Result<Round> {
    let mib = content.len() / MIB;
    let begun = Instant::now();
    let root = add(store, content).await?;
    let add = per_second(mib, begun.elapsed());

    let begun = Instant::now();
    let mut at = 0;
    let mut comparing = Duration::ZERO;
    read(store, root, |bytes| {
        let begun = Instant::now();
        let same = content.get(at..at + bytes.len()) == Some(bytes);
        at += bytes.len();
        comparing += begun.elapsed();
        ensure!(same, "what came back is something else");
        Ok(())
    })
    .await?;
    let reading = begun.elapsed() - comparing;
    ensure!(at == content.len(), "not all came back");

    let blocks = small_blocks(number);
    let begun = Instant::now();
    store.put(blocks).await?;
    Ok(Round {
        add,
        read: per_second(mib, reading),
        small: per_second(SMALL_BLOCKS, begun.elapsed()),
    })
}

fn small_blocks(number: u32) -> Vec<Block> {
    let mut noise = Noise::numbered(number);
    let block = |_| {
        let mut bytes = vec![0; SMALL_BYTES];
        noise.read_exact(&mut bytes).map(|()| raw_block(bytes))
    };
    (0..SMALL_BLOCKS).map(block).filter_map(Result::ok).collect()
}

/// Adds a file: its root.
pub async fn add(store: &Store, mut content: impl Read) -> anyhow::Result<Cid> {
    let mut builder = FileBuilder::new();
    let (mut batch, mut batch_bytes) = (Vec::new(), 0);
    let mut piece = vec![0; MIB];
    loop {
        let bytes = content.read(&mut piece)?;
        if bytes == 0 {
            break;
        }
        for block in builder.push(&piece[..bytes]) {
            batch_bytes += block.bytes.len();
            batch.push(block);
        }
        if batch_bytes >= BATCH_BYTES {
            store.put(std::mem::take(&mut batch)).await?;
            batch_bytes = 0;
        }
    }
    let (last, root) = builder.finish();
    batch.extend(last);
    store.put(batch).await?;
    Ok(root)
}

/// Reads a file, giving its bytes to `take` piece by piece.
pub async fn read(store: &Store, root: Cid, mut take: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut reader = FileReader::new(root, u64::MAX)?;
    while let Some(cid) = reader.wanted() {
        let block = store.get(&cid).await?.context("a block is missing")?;
        take(&reader.accept(block)?)?;
    }
    Ok(())
}

async fn peak_mib(bytes: usize) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir()?;
    there_and_back(&Store::open(dir.path())?, bytes).await?;
    machine::peak_mib(std::process::id())
}

/// Of the node's own process, which has done nothing before.
async fn peak_of_kubo(bytes: usize) -> anyhow::Result<f64> {
    let daemon = Daemon::offline();
    there_and_back(&Store::Kubo(Kubo::new(&daemon.url, KuboOptions::default())?), bytes).await?;
    machine::peak_mib(daemon.process())
}

async fn there_and_back(store: &Store, bytes: usize) -> anyhow::Result<()> {
    let root = add(store, Noise::new().take(bytes as u64)).await?;
    let mut read_bytes = 0;
    read(store, root, |piece| {
        read_bytes += piece.len();
        Ok(())
    })
    .await?;
    ensure!(read_bytes == bytes, "not all came back");
    Ok(())
}
