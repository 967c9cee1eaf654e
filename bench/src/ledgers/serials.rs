//! A batch of salted serials: its tree, and its packages verified by their tickets, beside as many bare hashes.
//!
//! Every hash in it, of an opening, a leaf or a node, is one block of keccak: so many bare ones are the least that it can take.

use std::{hint::black_box, time::Instant};

use alloy::primitives::{Address, B256, keccak256};
use anyhow::{Context, ensure};
use medlock_client::drugs::{
    Batch, Day, GtinSalt, Manifest, Package, Serial, Ticket,
    ticket::{TICKET_BYTES_MAX, verify_ticket},
};

use super::Options;
use crate::figure::{Better, Figure, Target, quantile};

const BARE: &str = "as many bare keccak256";
/// In milliseconds.
const VERIFY_TARGET: Target = Target::Value(1.0);
/// Of a serial: its opening, its leaf, the leaf's hash.
const HASHES_OF_A_SERIAL: u64 = 3;
/// Between the package and its proof: its leaf and the leaf's hash.
const HASHES_BEFORE_THE_PROOF: usize = 2;
/// From one ticket to the next: all over the batch, whose usual sizes have no divisor in common with it.
const STRIDE: u64 = 618_033;

/// What a scanner has in hand: the code, and the ticket's text.
struct Scan {
    code: String,
    ticket: String,
}

/// Median and 99th percentile of each round, in milliseconds.
#[derive(Default)]
struct Times {
    medians: Vec<f64>,
    p99s: Vec<f64>,
}

impl Times {
    fn push(&mut self, times: &[f64]) {
        self.medians.push(quantile(times, 0.5));
        self.p99s.push(quantile(times, 0.99));
    }
}

pub fn measure(options: &Options) -> anyhow::Result<()> {
    let expiry: Day = "2030-06-30".parse()?;
    let batch = Batch {
        maker: Address::repeat_byte(1),
        gtin: "09506000134352".parse()?,
        lot: "L1".parse()?,
        expiry: expiry.ends_at(),
    };
    let serials = (0..options.serials)
        .map(|number| serial(number).parse::<Serial>())
        .collect::<Result<Vec<_>, _>>()?;
    let (mut trees, mut bare_trees) = (vec![], vec![]);
    let (mut proved, mut bare, mut read) = (Times::default(), Times::default(), Times::default());
    let mut ticket_bytes = 0;
    for round in 0..options.rounds {
        let mut built = None;
        // Each goes first every other time.
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                let (salt, serials) = (GtinSalt::from_slice(&[7; 32])?, serials.clone());
                let begun = Instant::now();
                let manifest = Manifest::new(batch, salt, serials)?;
                trees.push(begun.elapsed().as_secs_f64());
                built = Some(manifest);
            } else {
                let begun = Instant::now();
                black_box(hashes(hashes_of_tree(options.serials)));
                bare_trees.push(begun.elapsed().as_secs_f64());
            }
        }
        let manifest = built.context("each round builds the tree")?;
        let tickets = tickets(&manifest, options.tickets)?;
        refuses_another(&manifest, &tickets[0])?;
        let scans: Vec<Scan> = tickets.iter().map(scan).collect();
        let largest = scans.iter().map(|scan| scan.ticket.len()).max();
        ticket_bytes = largest.unwrap_or_default().max(ticket_bytes);
        let (root, count) = (manifest.root(), manifest.count());
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                proved.push(&times(&tickets, |ticket| {
                    Ok(verify_ticket(ticket, root, count, batch.expiry)?)
                })?);
            } else {
                bare.push(&times(&tickets, |ticket| {
                    black_box(hashes((HASHES_BEFORE_THE_PROOF + ticket.proof.len()) as u64));
                    Ok(())
                })?);
            }
        }
        read.push(&times(&scans, |scan| {
            let package = Package::parse(&scan.code, expiry.year())?;
            let ticket = Ticket::from_json(scan.ticket.as_bytes())?;
            ticket.check_scan(&package)?;
            Ok(verify_ticket(&ticket, root, count, batch.expiry)?)
        })?);
    }
    let what = format!("of {} serials", options.serials);
    Figure {
        name: format!("the tree {what}, salted"),
        unit: "s",
        better: Better::Lower,
        target: None,
        medlock: trees,
        peer: Some((BARE, bare_trees)),
    }
    .print()?;
    let sides = [
        ("median", proved.medians, bare.medians, read.medians),
        ("p99", proved.p99s, bare.p99s, read.p99s),
    ];
    for (name, proved, bare, read) in sides {
        let of = format!("{name} of {} tickets", options.tickets);
        Figure {
            name: format!("a ticket verified by its proof, one {what}, {of}"),
            unit: "ms",
            better: Better::Lower,
            target: Some(VERIFY_TARGET),
            medlock: proved,
            peer: Some((BARE, bare)),
        }
        .print()?;
        Figure {
            name: format!("code and ticket read, compared and verified, one {what}, {of}"),
            unit: "ms",
            better: Better::Lower,
            target: Some(VERIFY_TARGET),
            medlock: read,
            peer: None,
        }
        .print()?;
    }
    if options.rounds == 0 {
        return Ok(());
    }
    Figure {
        name: format!("the largest ticket of one {what}, as JSON"),
        unit: "bytes",
        better: Better::Lower,
        target: Some(Target::Value(TICKET_BYTES_MAX as f64)),
        medlock: vec![ticket_bytes as f64],
        peer: None,
    }
    .print()
}

/// In no order, as makers draw them; each number has its own, as the factor is odd.
fn serial(number: u32) -> String {
    format!("{:016X}", u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn tickets(manifest: &Manifest, count: u32) -> anyhow::Result<Vec<Ticket>> {
    let serials = u64::from(manifest.count());
    let places = (0..u64::from(count)).map(|number| (number * STRIDE % serials) as u32);
    places
        .map(|place| manifest.ticket(place).context("the batch has this number"))
        .collect()
}

fn scan(ticket: &Ticket) -> Scan {
    let package = Package {
        gtin: ticket.batch.gtin,
        lot: ticket.batch.lot,
        expiry: ticket.batch.last_day(),
        serial: ticket.serial,
    };
    Scan {
        code: package.scanned(),
        ticket: ticket.to_json(),
    }
}

/// What is timed does verify: a serial that was never made is found out.
fn refuses_another(manifest: &Manifest, ticket: &Ticket) -> anyhow::Result<()> {
    let other = Ticket {
        serial: "NEVER-MADE".parse()?,
        ..ticket.clone()
    };
    let verified = verify_ticket(&other, manifest.root(), manifest.count(), other.batch.expiry);
    ensure!(
        verified.is_err(),
        "a serial that was never made is taken for one of the batch"
    );
    Ok(())
}

/// How long `work` takes with each, in milliseconds.
fn times<T>(all: &[T], work: impl Fn(&T) -> anyhow::Result<()>) -> anyhow::Result<Vec<f64>> {
    all.iter()
        .map(|one| {
            let begun = Instant::now();
            work(one)?;
            Ok(begun.elapsed().as_secs_f64() * 1e3)
        })
        .collect()
}

/// Those of each serial, and the nodes above the leaves, which are one less than those.
fn hashes_of_tree(serials: u32) -> u64 {
    (HASHES_OF_A_SERIAL + 1) * u64::from(serials) - 1
}

/// So many keccak256 of as many bytes as a node has, each over the one before.
fn hashes(count: u64) -> B256 {
    let mut input = [0u8; 65];
    let mut last = B256::ZERO;
    for _ in 0..count {
        last = keccak256(input);
        input[1..33].copy_from_slice(last.as_slice());
    }
    last
}
