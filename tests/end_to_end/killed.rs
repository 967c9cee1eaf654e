//! A gateway that is killed while it takes an upload in. (While it relays: `relay.rs`.)

use medlock_client::{Endpoints, Identity};
use medlock_dag::{Block, car, raw_block};
use medlock_store::Store;
use medlock_tests::{World, eventually, files};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::relay::{Beside, Session};

/// Of each block, and how many: several batches of those that a gateway puts at once.
const BLOCK_BYTES: usize = 256 * 1024;
const BLOCKS: usize = 128;

/// The blocks of an upload, each of them another.
fn blocks() -> Vec<Block> {
    let block = |number: usize| {
        let mut bytes = vec![0; BLOCK_BYTES];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        raw_block(bytes)
    };
    (0..BLOCKS).map(block).collect()
}

/// How many of `blocks` are in the store of the gateway, which does not run; each of them whole.
async fn stored(world: &World, blocks: &[Block]) -> usize {
    let store = Store::open(world.home().join("beside/blocks")).expect("the store opens after a kill");
    let mut found = 0;
    for block in blocks {
        // What is read is hashed.
        if let Some(read) = store.get(&block.cid).await.expect("no block is damaged") {
            assert_eq!(read.bytes, block.bytes);
            found += 1;
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_repeated_after_a_kill_and_nothing_of_it_is_half_there() {
    let world = World::start().await;
    let state = world.home().join("beside.db").display().to_string();
    let uploader = Identity::generate().unwrap();
    let blocks = blocks();
    let stream = car::write(&[blocks[0].cid], &blocks).unwrap();

    // Two thirds of the way, with batches on disk, one in memory, and a block cut in two.
    let gateway = Beside::start(&world, &state, &[]);
    let token = Session::of(&uploader, &gateway.url).await.token;
    let mut socket = TcpStream::connect(gateway.url.trim_start_matches("http://"))
        .await
        .unwrap();
    let head = format!(
        "POST /v1/blocks HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {token}\r\ncontent-length: {}\r\n\r\n",
        stream.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&stream[..stream.len() / 3 * 2]).await.unwrap();
    eventually("a batch is on disk", || async {
        let packs = files(&world.home().join("beside/blocks"));
        let bytes: u64 = packs
            .iter()
            .filter_map(|pack| pack.metadata().ok())
            .map(|pack| pack.len())
            .sum();
        (bytes > 8 * 1024 * 1024).then_some(())
    })
    .await;
    gateway.kill();
    let some = stored(&world, &blocks).await;
    assert!(
        (1..BLOCKS).contains(&some),
        "{some} blocks of an upload that was cut off"
    );

    // The same again, by a client that knows nothing of it; and then it stays.
    let gateway = Beside::start(&world, &state, &[]);
    let endpoints = Endpoints {
        rpc: world.dev.endpoints.rpc.clone(),
        gateway: gateway.url.clone(),
    };
    let client = medlock_client::Client::connect(&endpoints, world.dev.deployment.clone(), uploader)
        .await
        .unwrap();
    client.gateway().await.unwrap().upload(blocks.clone()).await.unwrap();
    gateway.kill();
    assert_eq!(stored(&world, &blocks).await, BLOCKS);
}
