//! Blocks in and out as CAR v1 streams, in memory that does not grow with the stream.
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use alloy::primitives::B256;
use anyhow::anyhow;
use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt as _, stream};
use medlock_api::{Kind, Problem, Uploaded};
use medlock_dag::{BLOCK_BYTES_MAX, Block, CHUNK_BYTES, Cid, FileReader, car, raw_cid};
use medlock_store::{Error as StoreError, Store};
use tokio::time::timeout;

use crate::{
    limits::BLOCK_BYTES_LEAST,
    problem::{Failure, Result},
};

/// One upload: a bulk import of a large chart, or a CT study. More goes in several.
pub const UPLOAD_BYTES_MOST: u64 = 2 * 1024 * 1024 * 1024;
/// Blocks are put in batches of about this much: one sync each, and what an upload holds in memory.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// A sender that is silent for half a minute has gone, and one slower than a poor mobile line holds a place that others
/// wait for.
pub const PACE: Pace = Pace {
    idle: Duration::from_secs(30),
    bytes_per_second: 16 * 1024,
};
/// Blocks in one question about what is missing.
pub const ASKED_MOST: usize = 512;
/// A payload up to this size is read and checked whole before the first byte is sent, so that a missing or corrupt
/// block is an answer; in a larger one the stream is cut there, and the client sees it truncated.
const CHECKED_FIRST_BYTES: usize = 4 * 1024 * 1024;

/// How slow the other side of a stream may be.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two pieces; and what the whole has to begin with.
    pub idle: Duration,
    /// In the long run.
    pub bytes_per_second: u64,
}

impl Pace {
    /// How long `bytes` may take.
    fn allowed(self, bytes: u64) -> Duration {
        self.idle + Duration::from_secs(bytes / self.bytes_per_second)
    }
}

/// Reads a CAR stream into the store. Each block is hashed against its CID before it is put.
///
/// `charge` is told of the bytes of each piece, and of what small blocks count beyond their own; it may end the upload.
/// A stream that fails midway leaves the batches before the fault in the store: blocks that nothing points to.
///
/// # Errors
/// `CarInvalid`, `PayloadTooLarge`, `Timeout`, what `charge` fails with; `StorageFull`; `Internal` where the store fails.
pub async fn upload(store: &Store, body: Body, pace: Pace, charge: impl Fn(u64) -> Result<()>) -> Result<Uploaded> {
    let mut pieces = body.into_data_stream();
    let mut reader = car::Reader::new();
    let (mut batch, mut batch_bytes, mut received) = (Vec::new(), 0, 0u64);
    // On the sender alone: a slow disk of ours is not its fault.
    let mut waited = Duration::ZERO;
    let mut total = Uploaded { blocks: 0, bytes: 0 };
    loop {
        let (left, asked) = (pace.allowed(received).saturating_sub(waited), Instant::now());
        let piece = match timeout(left.min(pace.idle), pieces.next()).await {
            Ok(Some(piece)) => piece.map_err(|_| Problem::new(Kind::CarInvalid).detail("the upload was broken off"))?,
            Ok(None) => break,
            Err(_) => return Err(Kind::Timeout.into()),
        };
        waited += asked.elapsed();
        // Many short waits are a long one.
        if waited > pace.allowed(received) {
            return Err(Kind::Timeout.into());
        }
        charge(piece.len() as u64)?;
        received += piece.len() as u64;
        if received > UPLOAD_BYTES_MOST {
            return Err(Problem::new(Kind::PayloadTooLarge)
                .detail(format!("at most {UPLOAD_BYTES_MOST} bytes in one upload"))
                .into());
        }
        for block in reader.push(&piece).map_err(invalid)? {
            batch_bytes += block.bytes.len();
            total.blocks += 1;
            total.bytes += block.bytes.len() as u64;
            charge(BLOCK_BYTES_LEAST.saturating_sub(block.bytes.len() as u64))?;
            batch.push(block);
        }
        if batch_bytes >= BATCH_BYTES {
            put(store, std::mem::take(&mut batch)).await?;
            batch_bytes = 0;
        }
    }
    reader.finish().map_err(invalid)?;
    if total.blocks == 0 {
        return Err(Problem::new(Kind::CarInvalid)
            .detail("the CAR stream holds no block")
            .into());
    }
    put(store, batch).await?;
    Ok(total)
}

/// Those of the blocks that are not kept. The others are as if they were uploaded now.
///
/// # Errors
/// `BadRequest`, what `charge` fails with; `Internal` where the store fails.
pub async fn missing(store: &Store, digests: &[B256], charge: impl Fn(u64) -> Result<()>) -> Result<Vec<B256>> {
    if !(1..=ASKED_MOST).contains(&digests.len()) {
        return Err(Failure::bad_request("digests", format!("1 to {ASKED_MOST} are taken")));
    }
    // Each is read and hashed, which is what an upload costs.
    charge((digests.len() * CHUNK_BYTES) as u64)?;
    let cids = digests.iter().map(|digest| raw_cid(digest.0)).collect();
    let missing = store.keep(cids).await;
    let missing = missing.map_err(|error| Failure::caused(Kind::Internal, error))?;
    let digest = |cid: &Cid| medlock_dag::digest(cid).map(B256::from);
    let missing = missing.iter().map(digest).collect::<std::result::Result<_, _>>();
    missing.map_err(|error| Failure::caused(Kind::Internal, error))
}

/// One block's bytes.
///
/// # Errors
/// `BlockMissing`, `BlockCorrupt`; `Internal` where the store fails otherwise.
pub async fn get(store: &Store, cid: &Cid) -> Result<Block> {
    match store.get(cid).await {
        Ok(Some(block)) => Ok(block),
        Ok(None) => Err(Failure::block(
            Kind::BlockMissing,
            cid,
            anyhow!("block {cid} is not in the store"),
        )),
        Err(StoreError::Corrupt { .. }) => Err(Failure::block(
            Kind::BlockCorrupt,
            cid,
            anyhow!("block {cid} is corrupt in the store"),
        )),
        Err(error) => Err(Failure::caused(Kind::Internal, error)),
    }
}

/// What `reader` wants of the payload `root`, as a CAR stream: its blocks depth first. `held` is dropped with the stream: at its
/// end, or where the other side has gone.
///
/// # Errors
/// As [`get`], for what is found before the first byte is sent.
pub async fn download(store: Store, root: Cid, reader: FileReader, held: impl Send + 'static) -> Result<Body> {
    let mut frames = Frames {
        store,
        reader,
        sent: 0,
        since: Instant::now(),
        _held: held,
    };
    let header = car::header(&[root]).map_err(|error| Failure::caused(Kind::Internal, error))?;
    let mut checked = VecDeque::from([Bytes::from(header)]);
    while frames.sent as usize + BLOCK_BYTES_MAX <= CHECKED_FIRST_BYTES {
        match frames.next().await? {
            Some(frame) => checked.push_back(frame),
            None => break,
        }
    }
    frames.since = Instant::now();
    Ok(Body::from_stream(
        stream::iter(checked.into_iter().map(Ok)).chain(frames.into_stream()),
    ))
}

/// The frames of one payload's blocks, one at a time.
struct Frames<T> {
    store: Store,
    reader: FileReader,
    /// Bytes handed out, or at hand.
    sent: u64,
    since: Instant,
    _held: T,
}

impl<T: Send + 'static> Frames<T> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(cid) = self.reader.wanted() else {
            return Ok(None);
        };
        let block = get(&self.store, &cid).await?;
        let frame = car::frame(&block);
        self.sent += frame.len() as u64;
        // A node that is not of a UnixFS file was stored by whoever wrote the envelope; nobody can read it.
        self.reader
            .check(&block)
            .map_err(|error| Failure::block(Kind::BlockCorrupt, &cid, error))?;
        Ok(Some(frame.into()))
    }

    fn into_stream(self) -> impl Stream<Item = std::result::Result<Bytes, std::io::Error>> {
        stream::unfold(Some(self), |frames| async {
            let mut frames = frames?;
            // Whoever takes nothing at all is cut off by the connection.
            if frames.since.elapsed() > PACE.allowed(frames.sent) {
                tracing::warn!("a payload was taken too slowly");
                return Some((Err(std::io::ErrorKind::TimedOut.into()), None));
            }
            match frames.next().await {
                Ok(frame) => Some((Ok(frame?), Some(frames))),
                Err(failure) => {
                    tracing::error!(cause = %failure, "a payload was cut short");
                    Some((Err(std::io::Error::other("payload cut short")), None))
                }
            }
        })
    }
}

async fn put(store: &Store, blocks: Vec<Block>) -> Result<()> {
    store.put(blocks).await.map_err(|error| {
        let kind = if error.is_full() {
            Kind::StorageFull
        } else {
            Kind::Internal
        };
        Failure::caused(kind, error)
    })
}

fn invalid(error: car::Error) -> Failure {
    Problem::new(Kind::CarInvalid).detail(error.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use medlock_dag::{dag_cbor_block, file};
    use medlock_store::{Embedded, Replica, Replicated};

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        (dir, store)
    }

    /// Bytes that do not repeat from chunk to chunk.
    fn content(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|i| (i * 31 + i / 255) as u8).collect()
    }

    #[tokio::test]
    async fn a_payload_goes_in_and_comes_out_in_reading_order() {
        let (_dir, store) = store();
        for bytes in [0, 1000, 5 * 1024 * 1024] {
            let content = content(bytes);
            let (root, blocks) = file(&content);
            let car = car::write(&[root], &blocks).unwrap();
            let pieces = stream::iter(
                car.chunks(70_001)
                    .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
                    .collect::<Vec<_>>(),
            );
            let uploaded = upload(&store, Body::from_stream(pieces), PACE, |_| Ok(()))
                .await
                .unwrap();
            assert_eq!(uploaded.blocks, blocks.len() as u64);
            let reader = FileReader::new(root, bytes as u64).unwrap();
            let body = download(store.clone(), root, reader, ()).await.unwrap();
            let (roots, blocks) = car::read(&to_bytes(body, usize::MAX).await.unwrap()).unwrap();
            assert_eq!(roots, [root]);
            let mut reader = FileReader::new(root, bytes as u64).unwrap();
            let mut read = Vec::new();
            for block in blocks {
                read.extend(reader.accept(block).unwrap());
            }
            assert_eq!(reader.finish(), Ok(bytes as u64));
            assert!(read == content);
        }
    }

    #[tokio::test]
    async fn refuses_a_stream_that_is_cut_altered_or_empty() {
        let (_dir, store) = store();
        let block = dag_cbor_block(b"\xa0".to_vec());
        let good = car::write(&[block.cid], [&block]).unwrap();
        let mut altered = good.clone();
        *altered.last_mut().unwrap() ^= 1;
        let cut = good[..good.len() - 1].to_vec();
        for bad in [
            altered,
            cut,
            Vec::new(),
            car::header(&[block.cid]).unwrap(),
            b"hello".to_vec(),
        ] {
            let failure = upload(&store, Body::from(bad), PACE, |_| Ok(())).await.unwrap_err();
            assert_eq!(failure.problem().kind(), Some(Kind::CarInvalid));
        }
        assert!(!store.has(&block.cid).await.unwrap());
        assert!(upload(&store, Body::from(good.clone()), PACE, |_| Ok(())).await.is_ok());
    }

    #[tokio::test]
    async fn a_missing_block_is_an_answer_and_not_half_a_payload() {
        let (_dir, store) = store();
        let (root, blocks) = file(&content(600_000));
        store
            .put(
                blocks
                    .iter()
                    .filter(|block| block.cid != blocks[1].cid)
                    .cloned()
                    .collect(),
            )
            .await
            .unwrap();
        let reader = FileReader::new(root, 600_000).unwrap();
        let failure = download(store, root, reader, ()).await.unwrap_err();
        assert_eq!(failure.problem().kind(), Some(Kind::BlockMissing));
        assert_eq!(
            failure.problem().digest,
            medlock_dag::digest(&blocks[1].cid).ok().map(Into::into)
        );
    }

    #[tokio::test]
    async fn a_corrupt_block_is_an_answer_and_none_of_its_bytes() {
        let (dir, store) = store();
        let (root, blocks) = file(b"sealed");
        store.put(blocks).await.unwrap();
        let shard = std::fs::read_dir(dir.path().join("packs")).unwrap().next();
        let pack = std::fs::read_dir(shard.unwrap().unwrap().path()).unwrap().next();
        let pack = pack.unwrap().unwrap().path();
        let mut bytes = std::fs::read(&pack).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&pack, bytes).unwrap();
        let reader = FileReader::new(root, 6).unwrap();
        let failure = download(store, root, reader, ()).await.unwrap_err();
        assert_eq!(failure.problem().kind(), Some(Kind::BlockCorrupt));
    }

    #[tokio::test]
    async fn a_full_disk_is_an_answer_behind_replicas_as_well() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let replicas = dirs.each_ref().map(|dir| Embedded::open(dir.path()).unwrap());
        // The first pack is written to a device that is always full.
        std::os::unix::fs::symlink("/dev/full", dirs[1].path().join("tmp/0000000000000000")).unwrap();
        let block = dag_cbor_block(b"\xa0".to_vec());
        let car = car::write(&[block.cid], [&block]).unwrap();
        let both = replicas.each_ref().map(|replica| Replica::from(replica.clone()));
        let both = Store::Replicated(Replicated::new(both.to_vec(), 2).unwrap());
        let failure = upload(&both, Body::from(car.clone()), PACE, |_| Ok(()))
            .await
            .unwrap_err();
        assert_eq!(failure.kind(), Some(Kind::StorageFull));
        // The device is gone with the pack that failed, so the disk has room again.
        assert!(upload(&both, Body::from(car), PACE, |_| Ok(())).await.is_ok());
    }

    #[tokio::test]
    async fn an_upload_over_the_quota_is_ended() {
        let (_dir, store) = store();
        let block = dag_cbor_block(b"\xa0".to_vec());
        let car = car::write(&[block.cid], [&block]).unwrap();
        let full = |_| Err(Kind::TooMany.into());
        let failure = upload(&store, Body::from(car), PACE, full).await.unwrap_err();
        assert_eq!(failure.problem().kind(), Some(Kind::TooMany));
        assert!(!store.has(&block.cid).await.unwrap());
    }

    #[tokio::test]
    async fn a_small_block_counts_as_much_as_it_costs() {
        let (_dir, store) = store();
        let blocks: Vec<Block> = (0..100u8).map(|i| dag_cbor_block(vec![0x18, i + 24])).collect();
        let large = dag_cbor_block(vec![7; 9000]);
        let charged = std::cell::Cell::new(0);
        let charge = |bytes| {
            charged.set(charged.get() + bytes);
            Ok(())
        };
        let car = car::write(&[large.cid], blocks.iter().chain([&large])).unwrap();
        upload(&store, Body::from(car), PACE, charge).await.unwrap();
        let least = 100 * BLOCK_BYTES_LEAST + 9000;
        assert!((least..least + 10_000).contains(&charged.get()), "{}", charged.get());
    }

    #[tokio::test]
    async fn a_sender_that_stops_or_trickles_is_let_go() {
        let (_dir, store) = store();
        let pace = Pace {
            idle: Duration::from_millis(5),
            bytes_per_second: u64::MAX,
        };
        let block = dag_cbor_block(content(500_000));
        let car = Bytes::from(car::write(&[block.cid], [&block]).unwrap());
        let begun = stream::iter([Ok::<_, std::io::Error>(car.slice(..100))]);
        let silent = Body::from_stream(begun.chain(stream::pending()));
        // A byte at a time: never idle for long.
        let trickle = stream::iter(0..car.len()).then(move |i| {
            let byte = car.slice(i..=i);
            async {
                tokio::task::yield_now().await;
                Ok::<_, std::io::Error>(byte)
            }
        });
        let slow = Body::from_stream(trickle);
        for body in [silent, slow] {
            let failure = upload(&store, body, pace, |_| Ok(())).await.unwrap_err();
            assert_eq!(failure.kind(), Some(Kind::Timeout));
        }
    }
}
