use std::{path::Path, time::Duration};

use medlock_postgres_server::Server;
use medlock_sql::Database;

use super::*;
use crate::{db::Db, relay::fault};
use medlock_indexer::Deployment;

const PAYER: Address = Address::repeat_byte(0xaa);
const ASKS: Address = Address::repeat_byte(0xab);
const DAY: u64 = 20_000 * DAY_SECONDS;
const LIMITS: RelayLimits = RelayLimits {
    operations_per_day: 3,
    gas_per_day: 1_000,
    gas_per_day_all: 2_000,
    fee_per_gas_most: 1,
    raise_after: Duration::from_secs(1),
    poll: Duration::from_secs(1),
};

/// Two processes on an empty database of each kind.
async fn processes(folder: &Path) -> [[Queue; 2]; 2] {
    let deployment = Deployment {
        registry: PAYER,
        records: PAYER,
        exceptions: PAYER,
        relay: PAYER,
        audit: PAYER,
        claims: PAYER,
        supply: PAYER,
        trials: PAYER,
        start_block: 1,
        chain_id: 1,
        genesis_hash: B256::ZERO,
    };
    let open = async |database: Database| {
        let mut queues = Vec::new();
        for _ in 0..2 {
            let db = Db::open(&database, deployment, PAYER, [1; 32]).await.unwrap();
            queues.push(Queue::new(db.pool().clone()));
        }
        <[Queue; 2]>::try_from(queues).ok().unwrap()
    };
    [
        open(folder.join("gateway.db").as_path().into()).await,
        open(Server::shared().create().parse().unwrap()).await,
    ]
}

fn word(number: u8) -> B256 {
    B256::with_last_byte(number)
}

/// Operation `n`, of a signer of its own.
fn new(n: u8, gas_limit: u64, now: u64) -> New<'static> {
    New {
        digest: word(n),
        account: ASKS,
        signer: Address::with_last_byte(n),
        method: "grant",
        call: &[1, 2, 3],
        deadline: now + 100,
        gas_limit,
        now,
    }
}

fn attempt(number: u64, tx: u8) -> Attempt {
    Attempt {
        number,
        tx: word(tx),
        raw: vec![tx].into(),
        fee: Fee { most: 9, tip: 1 },
        signed_at: DAY,
        fault: None,
    }
}

fn receipt(block: u8) -> Receipt {
    Receipt {
        block: block.into(),
        block_hash: word(block),
        success: true,
        gas_used: 77,
    }
}

fn outcome(accepted: Accepted) -> &'static str {
    match accepted {
        Accepted::New(_) => "new",
        Accepted::Present(_) => "present",
        Accepted::NameTaken => "name taken",
        Accepted::OverQuota => "over quota",
        Accepted::QueueFull => "full",
    }
}

async fn state_of(queue: &Queue, n: u8) -> (RelayState, Option<u64>) {
    let stored = queue.operation(word(n)).await.unwrap().unwrap();
    (stored.body.state, stored.body.block)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_so_many_operations_and_so_much_gas_whichever_process_counts_them() {
    let dir = tempfile::tempdir().unwrap();
    for queues in processes(dir.path()).await {
        let mut tasks = Vec::new();
        for n in 0..10 {
            let queue = queues[n as usize % 2].clone();
            tasks.push(tokio::spawn(async move {
                outcome(queue.accept(&new(n, 100, DAY), None, &LIMITS).await.unwrap())
            }));
        }
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "new").count(), 3);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "over quota").count(), 7);

        let [queue, _] = &queues;
        let by = |n: u8, account: u8, gas: u64, now: u64| New {
            account: Address::with_last_byte(account),
            ..new(n, gas, now)
        };
        let ask = async |new: New<'_>| outcome(queue.accept(&new, None, &LIMITS).await.unwrap());
        // One account's gas, then that of all: 300 are used.
        assert_eq!(ask(by(20, 1, 1_001, DAY)).await, "over quota");
        assert_eq!(ask(by(20, 1, 1_000, DAY)).await, "new");
        assert_eq!(ask(by(21, 2, 701, DAY)).await, "over quota");
        assert_eq!(ask(by(21, 2, 700, DAY + DAY_SECONDS - 1)).await, "new");
        assert_eq!(ask(by(22, 3, 1, DAY)).await, "over quota");
        // What was refused has taken nothing from the next day, nor has today.
        assert_eq!(ask(by(22, 3, 1_000, DAY + DAY_SECONDS)).await, "new");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_stands_for_one_submission_of_its_account_for_a_day() {
    let dir = tempfile::tempdir().unwrap();
    for [queue, other] in processes(dir.path()).await {
        let ask = async |new: &New<'_>, name| outcome(queue.accept(new, name, &LIMITS).await.unwrap());
        assert_eq!(ask(&new(1, 1, DAY), Some("a")).await, "new");
        assert_eq!(ask(&new(1, 1, DAY), Some("a")).await, "present");
        assert_eq!(ask(&new(1, 1, DAY), Some("b")).await, "present");
        for name in ["a", "b"] {
            assert_eq!(ask(&new(2, 1, DAY), Some(name)).await, "name taken");
            let repeated = other.repeated(word(2), ASKS, Some(name), DAY).await.unwrap();
            assert!(matches!(repeated, Repeated::NameTaken));
            // Nothing of it is kept, and it is another account's to use.
            assert!(other.operation(word(2)).await.unwrap().is_none());
        }
        let elsewhere = New {
            account: PAYER,
            ..new(2, 1, DAY)
        };
        assert_eq!(ask(&elsewhere, Some("a")).await, "new");
        assert_eq!(ask(&new(3, 1, DAY + NAMED_SECONDS + 1), Some("a")).await, "new");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_gets_one_nonce_and_a_nonce_one_operation() {
    let dir = tempfile::tempdir().unwrap();
    for [queue, other] in processes(dir.path()).await {
        for n in [1, 2] {
            queue.accept(&new(n, 1, DAY), None, &LIMITS).await.unwrap();
        }
        assert_eq!(queue.next_nonce(PAYER).await.unwrap(), 0);
        // Two processes at the same step.
        let (first, second) = (attempt(0, 10), attempt(0, 11));
        let (here, there) = tokio::join!(
            queue.assign(word(1), (PAYER, 0), &first),
            other.assign(word(2), (PAYER, 0), &second)
        );
        assert!(here.unwrap() != there.unwrap());
        let [taken, waits] = match state_of(&queue, 1).await.0 {
            RelayState::Submitted => [1, 2],
            _ => [2, 1],
        };
        assert_eq!(state_of(&queue, waits).await, (RelayState::Queued, None));
        assert_eq!(queue.next_nonce(PAYER).await.unwrap(), 1);
        assert!(!queue.assign(word(taken), (PAYER, 1), &attempt(0, 12)).await.unwrap());
        assert_eq!(queue.next().await.unwrap().unwrap().body.id, word(waits));
        // So with a raise of the fee.
        let (raise, another) = (attempt(1, 20), attempt(1, 21));
        let (here, there) = tokio::join!(
            queue.replace(word(taken), (PAYER, 0), &raise),
            other.replace(word(taken), (PAYER, 0), &another)
        );
        assert!(here.unwrap() != there.unwrap());
        let attempts = queue.attempts((PAYER, 0)).await.unwrap();
        let numbers: Vec<_> = attempts.iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, [1, 0]);
        let stored = queue.operation(word(taken)).await.unwrap().unwrap();
        assert_eq!(stored.body.tx, Some(attempts[0].tx));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_has_one_operation_on_its_way() {
    let dir = tempfile::tempdir().unwrap();
    for [queue, _] in processes(dir.path()).await {
        for n in [1, 2] {
            let signer = Address::with_last_byte(9);
            let new = New {
                signer,
                ..new(n, 1, DAY)
            };
            queue.accept(&new, None, &LIMITS).await.unwrap();
        }
        queue.assign(word(1), (PAYER, 0), &attempt(0, 10)).await.unwrap();
        assert!(queue.next().await.unwrap().is_none());
        queue.done(word(1), (PAYER, 0), word(10), &receipt(5)).await.unwrap();
        assert_eq!(queue.next().await.unwrap().unwrap().body.id, word(2));
        queue.expire(DAY + 100).await.unwrap();
        assert_eq!(
            state_of(&queue, 2).await.0,
            RelayState::Queued,
            "in the second of the deadline"
        );
        queue.expire(DAY + 101).await.unwrap();
        assert_eq!(state_of(&queue, 2).await.0, RelayState::Expired);
        assert_eq!(state_of(&queue, 1).await, (RelayState::Mined, Some(5)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_to_nothing_may_be_tried_again_and_is_done_once_whichever_way() {
    let dir = tempfile::tempdir().unwrap();
    for [queue, _] in processes(dir.path()).await {
        let ask = async || outcome(queue.accept(&new(1, 1, DAY), None, &LIMITS).await.unwrap());
        assert_eq!(ask().await, "new");
        queue.assign(word(1), (PAYER, 0), &attempt(0, 10)).await.unwrap();
        assert_eq!(ask().await, "present");
        let revert = Bytes::from(vec![1, 2, 3, 4]);
        queue
            .undone(word(1), (PAYER, 0), word(10), &receipt(5), &revert)
            .await
            .unwrap();
        let stored = queue.operation(word(1)).await.unwrap().unwrap().body;
        assert_eq!(stored.state, RelayState::Failed);
        assert_eq!(stored.fault.as_deref(), Some(fault::read(&revert).0));
        assert_eq!(ask().await, "new");
        queue.assign(word(1), (PAYER, 1), &attempt(0, 11)).await.unwrap();
        let sendings = queue.sendings(PAYER, 1).await.unwrap();
        let current: Vec<_> = sendings.iter().map(|sending| sending.is_current).collect();
        assert_eq!(current, [false, true]);

        // A reorganisation brings the first one into another block, where it does it; the second comes to nothing, and says
        // nothing about it.
        queue.done(word(1), (PAYER, 0), word(10), &receipt(6)).await.unwrap();
        queue
            .undone(word(1), (PAYER, 1), word(11), &receipt(7), &revert)
            .await
            .unwrap();
        assert_eq!(state_of(&queue, 1).await, (RelayState::Mined, Some(6)));
        queue.unmine(word(1), (PAYER, 1)).await.unwrap();
        assert_eq!(state_of(&queue, 1).await, (RelayState::Mined, Some(6)));

        // Deep in the chain neither is looked after; taken out of it, at whatever depth, both are again.
        for nonce in [0, 1] {
            queue.settle((PAYER, nonce)).await.unwrap();
        }
        assert!(queue.sendings(PAYER, 2).await.unwrap().is_empty());
        assert_eq!(queue.sendings(PAYER, 0).await.unwrap().len(), 2);
        queue.unmine(word(1), (PAYER, 0)).await.unwrap();
        assert_eq!(state_of(&queue, 1).await, (RelayState::Submitted, None));
        assert_eq!(queue.sendings(PAYER, 2).await.unwrap().len(), 1);
        // Its nonce used by somebody else: it waits for another.
        queue.give_up(word(1), (PAYER, 0)).await.unwrap();
        assert_eq!(state_of(&queue, 1).await, (RelayState::Queued, None));
        assert_eq!(queue.next_nonce(PAYER).await.unwrap(), 2);
        queue.refuse(word(1), &revert).await.unwrap();
        assert_eq!(state_of(&queue, 1).await, (RelayState::Failed, None));
    }
}
