//! What no waiting mends stops the indexer, which names it, whatever the database.
use super::{Chain, KINDS, SOON, caught_up, start};
use crate::support::{
    event::{added, amended, id, opened, who},
    latest,
};
use alloy::primitives::LogData;

#[tokio::test]
async fn a_log_that_cannot_be_decoded_or_that_contradicts_the_tables_is_named_and_nothing_of_its_block_stays() {
    let strange = LogData::new_unchecked(vec![id(77)], vec![1, 2, 3].into());
    let cases = [
        (strange, "cannot decode log 1 of block", 77),
        (amended(id(2), 4711, who(1), 2), "it contradicts the tables", 4711),
    ];
    for kind in KINDS {
        for (bad, said, _) in &cases {
            let chain = Chain::start().await;
            let folder = tempfile::tempdir().unwrap();
            let database = kind.fresh(folder.path(), "index");
            let handle = start(&chain, &chain.url, &database).await;
            chain
                .records([opened(id(1), who(1)), added(id(1), 10, who(1), 3)])
                .await;
            caught_up(&handle, &chain).await;
            let good = chain.tip().await;
            let records = chain.deployment.records;
            chain
                .log_in_one_block(&[(records, opened(id(2), who(1))), (records, bad.clone())])
                .await;
            let why = tokio::time::timeout(SOON, handle.failed()).await.unwrap();
            let place = [format!("log 1 of block {}", good.0 + 1)];
            assert!(
                why.contains(said) && place.iter().all(|place| why.contains(place)),
                "{kind:?}: {why}"
            );
            assert_eq!(handle.index().head().await.unwrap().hash, good.1);
            let mut latest = latest(&handle.index()).await;
            assert_eq!(latest.chart(id(2)).await.unwrap(), None, "{kind:?}");
            drop(latest);
            handle.shutdown().await.unwrap_err();
        }
    }
}
