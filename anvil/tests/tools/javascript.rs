//! ethers v6 and viem: each script deploys, sends every type of transaction, reads typed errors, hears events over
//! HTTP filters and WebSocket, signs EIP-712 statements and delegates an account (EIP-7702).

use tokio::process::Command;

use crate::{QUICK, World, root, succeeds, tools};

const PARTS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn ethers_deploys_sends_listens_and_signs() {
    script("ethers.cjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viem_deploys_sends_listens_and_signs() {
    script("viem.cjs").await;
}

async fn script(name: &str) {
    let world = World::start().await;
    let modules = tools().join("node/node_modules");
    assert!(
        modules.join("ethers").exists(),
        "no ethers in {}: run tools/setup-node.sh --tests",
        modules.display()
    );
    let mut node = Command::new("node");
    node.arg(root().join("anvil/tests/tools/js").join(name))
        .env("NODE_PATH", modules)
        .env("RPC_HTTP", world.chain.url())
        .env("RPC_WS", world.chain.ws_url())
        .env("KEY_ALICE", world.key(0))
        .env("KEY_BOB", world.key(1));
    let told = succeeds(node, QUICK).await;
    assert_eq!(
        told.lines().filter(|line| line.starts_with("ok ")).count(),
        PARTS,
        "{told}"
    );
}
