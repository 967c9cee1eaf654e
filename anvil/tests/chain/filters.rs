//! Filters that have more to tell than one answer may hold.

use super::*;

/// Logs nothing, without topics, while there is gas.
const CHATTER: Bytes = bytes!("600d600a5f39600d5ff3" "5b5f5fa061ffff5a115f5700");

#[tokio::test]
async fn a_poll_ends_before_the_block_that_does_not_fit_and_the_next_begins_with_it() {
    let handle = chain().await;
    let alice = provider(&handle, 0);
    let deployed = send(&alice, TransactionRequest::default().with_deploy_code(CHATTER)).await;
    let filter = rpc(&handle, "eth_newFilter", json!([{}])).await;
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let request = json!({
            "from": handle.accounts()[0].address, "to": deployed.contract_address, "gas": U256::from(25_000_000),
        });
        rpc(&handle, "eth_sendTransaction", json!([request])).await;
        let head = rpc(&handle, "eth_getBlockByNumber", json!(["latest", false])).await;
        hashes.push(head["hash"].as_str().unwrap().to_owned());
    }
    // Counted in the text: as values these would take a gigabyte.
    let poll = async || -> [usize; 2] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getFilterChanges", "params": [filter]});
        let request = reqwest::Client::new()
            .post(handle.url())
            .header("content-type", "application/json");
        let text = request
            .body(body.to_string())
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(!text.contains("error"), "{}", &text[..200]);
        [0, 1].map(|block| text.matches(&hashes[block]).count())
    };
    let [first, none] = poll().await;
    assert!(first > 50_000, "{first} logs in a block: too few for this test");
    assert_eq!(none, 0);
    assert_eq!(poll().await, [0, first]);
    assert_eq!(poll().await, [0, 0]);
}
