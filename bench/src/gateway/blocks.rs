//! A payload in and out, as streams, beside the store that the gateway keeps it in; and the memory that it takes.

use std::{
    fs::File,
    io::{self, Read},
    time::Instant,
};

use anyhow::{Context, ensure};
use medlock_client::{NewFile, api::Purpose};
use medlock_dag::{FileBuilder, car};
use medlock_store::Store;
use medlock_vault::Metadata;

use super::{
    Bench,
    world::{World, open_chart},
};
use crate::{
    figure::{Better, Figure, Target, per_second},
    http::{Connection, get, post},
    noise::Noise,
    store,
};

const STORE: &str = "embedded store";
const MIB: usize = 1024 * 1024;
const RATIO_TARGET: Target = Target::Ratio(0.6);
const MEMORY_TARGET: Target = Target::Value(128.0);

impl Bench {
    pub fn blocks(&self) -> anyhow::Result<()> {
        let world = World::start(&self.artifacts)?;
        let client = self.runtime.block_on(world.newcomer())?;
        let token = world.session(&client)?;
        let (mut up, mut store_up) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            let mut content = vec![0; self.size * MIB];
            Noise::numbered(round as u32).read_exact(&mut content)?;
            // Each goes first every other time.
            for turn in 0..2 {
                if (round + turn) % 2 == 0 {
                    up.push(self.upload(&world, &token, &content)?);
                } else {
                    store_up.push(self.put(&content)?);
                }
            }
        }
        let (mut down, mut store_down) = (Vec::new(), Vec::new());
        let path = self.runtime.block_on(self.record(&world, &client))?;
        let dir = tempfile::tempdir()?;
        let own = Store::open(dir.path())?;
        let root = self
            .runtime
            .block_on(store::add(&own, Noise::new().take((self.size * MIB) as u64)))?;
        for round in 0..self.rounds {
            for turn in 0..2 {
                if (round + turn) % 2 == 0 {
                    down.push(self.download(&world, &token, &path)?);
                } else {
                    let (begun, mut bytes) = (Instant::now(), 0);
                    self.runtime.block_on(store::read(&own, root, |piece| {
                        bytes += piece.len();
                        Ok(())
                    }))?;
                    store_down.push(per_second(bytes / MIB, begun.elapsed()));
                }
            }
        }
        let what = format!("{} MiB", self.size);
        let above = "through the gateway, each block checked";
        for (name, ours, theirs) in [("upload", up, store_up), ("download", down, store_down)] {
            Figure {
                name: format!("{name} of {what} {above}"),
                unit: "MiB/s",
                better: Better::Higher,
                target: Some(RATIO_TARGET),
                medlock: ours,
                peer: Some((STORE, theirs)),
            }
            .print()?;
        }
        Figure {
            name: format!(
                "peak memory of a gateway that takes and serves {what}, {} times each",
                self.rounds
            ),
            unit: "MiB",
            better: Better::Lower,
            target: Some(MEMORY_TARGET),
            medlock: vec![world.gateway.peak_mib()?],
            peer: None,
        }
        .print()
    }

    /// MiB a second into the gateway: from the first byte of a CAR, which is made before, to the answer, when all is on disk.
    fn upload(&self, world: &World, token: &str, content: &[u8]) -> anyhow::Result<f64> {
        let mut builder = FileBuilder::new();
        let mut blocks = builder.push(content);
        let (last, root) = builder.finish();
        blocks.extend(last);
        let mut car = car::header(&[root])?;
        let count = blocks.len();
        for block in blocks {
            car.extend(car::frame(&block));
        }
        let headers = [("content-type", "application/vnd.ipld.car"), ("authorization", token)];
        let request = post("/v1/blocks", &headers, &car);
        drop(car);
        let mut connection = Connection::open(world.gateway.gateway()?)?;
        let begun = Instant::now();
        let answer = connection.answer(&request)?;
        let elapsed = begun.elapsed();
        let uploaded: medlock_client::api::Uploaded = serde_json::from_slice(answer)?;
        ensure!(uploaded.blocks == count as u64, "{uploaded:?} of {count} blocks");
        Ok(per_second(self.size, elapsed))
    }

    /// MiB a second into a store of our own: cut, hashed and synced.
    fn put(&self, content: &[u8]) -> anyhow::Result<f64> {
        let dir = tempfile::tempdir()?;
        let own = Store::open(dir.path())?;
        let begun = Instant::now();
        self.runtime.block_on(store::add(&own, content))?;
        Ok(per_second(self.size, begun.elapsed()))
    }

    /// A record whose payload is as large, with a receipt on file: the payload's path.
    async fn record(&self, world: &World, client: &medlock_client::Client) -> anyhow::Result<String> {
        let path = world.dir.path().join("content");
        io::copy(
            &mut Noise::numbered(u32::MAX).take((self.size * MIB) as u64),
            &mut File::create(&path)?,
        )?;
        let chart = open_chart(client).await?;
        let open = client.chart(chart).await?;
        let metadata = Metadata {
            media_type: "application/octet-stream".into(),
            resource_type: None,
            date: None,
            title: None,
            source: None,
        };
        let file = NewFile {
            content: path.as_path().into(),
            compartment: 1,
            metadata,
        };
        let (record, _) = open.add_file(file, |_| ()).await?;
        let purpose = Purpose::from_code("PATRQT").context("a purpose")?;
        open.read_to(record, None, purpose, io::sink(), |_, _| ()).await?;
        Ok(format!("/v1/charts/{chart}/records/{record}/versions/1/payload"))
    }

    /// MiB a second out of the gateway, to a client that takes what comes.
    fn download(&self, world: &World, token: &str, path: &str) -> anyhow::Result<f64> {
        let mut connection = Connection::open(world.gateway.gateway()?)?;
        let (begun, mut bytes) = (Instant::now(), 0);
        connection.receive(&get(path, &[("authorization", token)]), |piece| bytes += piece.len())?;
        // Sealed and framed it is somewhat more.
        ensure!(bytes >= self.size * MIB, "{bytes} bytes came");
        Ok(per_second(bytes / MIB, begun.elapsed()))
    }
}
