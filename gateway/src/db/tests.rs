use std::{collections::BTreeSet, path::Path};

use medlock_api::account::SIGNATURE_BYTES_MOST;
use medlock_postgres_server::Server;

use super::*;
use crate::access::Acting;

const DEPLOYMENT: Deployment = Deployment {
    registry: Address::repeat_byte(1),
    records: Address::repeat_byte(2),
    exceptions: Address::repeat_byte(3),
    relay: Address::repeat_byte(4),
    audit: Address::repeat_byte(5),
    claims: Address::repeat_byte(6),
    supply: Address::repeat_byte(7),
    trials: Address::repeat_byte(8),
    start_block: 1,
    chain_id: 412_346,
    genesis_hash: B256::repeat_byte(6),
};
const GATEWAY: Address = Address::repeat_byte(0xa1);
const OTHER: Address = Address::repeat_byte(0xa2);
const CHART: B256 = B256::repeat_byte(0xc1);
const READER: Address = Address::repeat_byte(0xb1);
const SET: B256 = B256::repeat_byte(0x51);
const NOW: u64 = 1_795_233_911;

/// An empty database of each kind.
fn databases(folder: &Path) -> [Database; 2] {
    [
        Database::from(folder.join("gateway.db").as_path()),
        Server::shared().create().parse().unwrap(),
    ]
}

/// As another process opens it: with connections and random bytes of its own.
async fn process(database: &Database, account: Address, random: u8) -> Db {
    Db::open(database, DEPLOYMENT, account, [random; 32]).await.unwrap()
}

fn request(gateway: Address, nonce: B256) -> ReadRequest {
    ReadRequest {
        receipt: Receipt {
            chart: CHART,
            record_id: B256::repeat_byte(0xd1),
            version: 1,
            pointer: B256::repeat_byte(0xd2),
            reader: READER,
            organisation: Address::ZERO,
            purpose: Purpose::from_code("TREAT").unwrap(),
            gateway,
            read_at: NOW,
            nonce,
        },
        signature: vec![7; 65].into(),
    }
}

async fn append(db: &Db, nonce: B256) -> Option<ReadEntry> {
    let request = request(db.account, nonce);
    let checked = Checked {
        request: &request,
        block: 9,
        block_hash: B256::repeat_byte(9),
        reason: reason::GRANT,
        received_at: NOW,
    };
    db.append_receipt(&checked).await.unwrap()
}

fn word(number: u64) -> B256 {
    B256::left_padding_from(&number.to_be_bytes())
}

/// The chain of receipts as the reads of the chart show it, from its first entry to its last.
async fn chain(db: &Db) -> Vec<ReadEntry> {
    let entries = db.receipts(CHART, 0, 1000).await.unwrap();
    let mut previous = B256::ZERO;
    for (place, entry) in entries.iter().enumerate() {
        assert_eq!((entry.sequence, entry.previous), (place as u64 + 1, previous));
        assert_eq!(entry.hash, entry.link_hash(DEPLOYMENT.chain_id, DEPLOYMENT.records));
        assert_eq!(entry.receipt.gateway, db.account);
        previous = entry.hash;
    }
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_of_one_account_append_to_one_chain_and_another_account_has_its_own() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()) {
        let processes = [
            process(&database, GATEWAY, 1).await,
            process(&database, GATEWAY, 2).await,
            process(&database, GATEWAY, 3).await,
            process(&database, OTHER, 4).await,
        ];
        let mut tasks = Vec::new();
        for (process, db) in processes.iter().enumerate() {
            for task in 0..4 {
                let db = db.clone();
                tasks.push(tokio::spawn(async move {
                    for n in 0..5 {
                        let nonce = word((process * 100 + task * 10 + n) as u64);
                        assert!(append(&db, nonce).await.is_some());
                    }
                }));
            }
        }
        for task in tasks {
            task.await.unwrap();
        }
        let shared = chain(&processes[0]).await;
        let nonces: BTreeSet<B256> = shared.iter().map(|entry| entry.receipt.nonce).collect();
        assert_eq!((shared.len(), nonces.len()), (60, 60));
        assert_eq!(chain(&processes[1]).await, shared);
        assert_eq!(chain(&processes[3]).await.len(), 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_taken_once_whichever_process_it_comes_to() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()) {
        let processes = [
            process(&database, GATEWAY, 1).await,
            process(&database, GATEWAY, 2).await,
        ];
        for n in 0..10 {
            let [first, second] = &processes;
            let (first, second) = tokio::join!(append(first, word(n)), append(second, word(n)));
            assert!(first.is_some() != second.is_some());
        }
        // The nonce is the reader's, for one gateway: at another it says nothing.
        assert!(append(&process(&database, OTHER, 3).await, word(1)).await.is_some());
        let [first, _] = &processes;
        let newest = first
            .latest_receipt(Acting::for_itself(READER), (CHART, B256::repeat_byte(0xd1), 1))
            .await
            .unwrap();
        assert_eq!(newest.unwrap().sequence, 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_on_an_empty_database_wait_for_each_other() {
    for _ in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        for database in databases(dir.path()) {
            let mut tasks = Vec::new();
            for n in 0..6 {
                let database = database.clone();
                tasks.push(tokio::spawn(async move { process(&database, GATEWAY, n).await }));
            }
            let mut keys = BTreeSet::new();
            for task in tasks {
                let db = task.await.unwrap();
                keys.insert(*db.challenge_key());
                db.close().await;
            }
            assert_eq!(keys.len(), 1, "one challenge key for all");
        }
    }
}

async fn sign_in(db: &Db, nonce: &str, token: B256, now: u64) -> bool {
    db.open_session((nonce, now + 300), token, READER, now, now + 3600)
        .await
        .unwrap()
}

async fn open_sessions(db: &Db) -> i64 {
    let row = db.pool.first("SELECT count(*) AS n FROM session", &[]).await.unwrap();
    row.unwrap().int("n").unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_of_any_process_opens_one_session_at_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()) {
        let (first, second) = tokio::join!(process(&database, GATEWAY, 1), process(&database, OTHER, 2));
        // Whoever came first drew it.
        assert_eq!(first.challenge_key(), second.challenge_key());
        for n in 0..10 {
            let nonce = format!("nonce {n}");
            let (here, there) = tokio::join!(
                sign_in(&first, &nonce, word(n), NOW),
                sign_in(&second, &nonce, word(100 + n), NOW)
            );
            assert!(here != there, "one of them");
            let (token, elsewhere) = if here {
                (word(n), &second)
            } else {
                (word(100 + n), &first)
            };
            let session = elsewhere.session(token).await.unwrap();
            assert_eq!(session, Some((READER, NOW + 3600)));
            elsewhere.close_session(token).await.unwrap();
            assert_eq!(first.session(token).await.unwrap(), None);
            assert_eq!(second.session(token).await.unwrap(), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_so_many_sessions_and_ends_all_of_them_everywhere_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()) {
        let processes = [
            process(&database, GATEWAY, 1).await,
            process(&database, GATEWAY, 2).await,
        ];
        let mut tasks = Vec::new();
        for n in 0..2 * u64::from(SESSIONS_MOST) {
            let db = processes[n as usize % 2].clone();
            tasks.push(tokio::spawn(async move {
                assert!(sign_in(&db, &format!("nonce {n}"), word(n), NOW).await);
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let [first, second] = &processes;
        assert_eq!(open_sessions(first).await, i64::from(SESSIONS_MOST));
        // The newest is among those that stay.
        assert!(sign_in(second, "newest", word(1000), NOW + 1).await);
        assert!(first.session(word(1000)).await.unwrap().is_some());
        first
            .open_session(("another's", NOW + 300), word(2000), OTHER, NOW, NOW + 3600)
            .await
            .unwrap();
        first.close_sessions(READER).await.unwrap();
        assert_eq!(second.session(word(1000)).await.unwrap(), None);
        assert_eq!(open_sessions(second).await, 1, "another account's stays");
        // A day after they ended, sessions are forgotten, and so are used nonces.
        let later = NOW + 3600 + ENDED_SECONDS;
        assert!(sign_in(first, "newest", word(3000), later).await);
        assert_eq!(open_sessions(second).await, 1);
    }
}

#[tokio::test]
async fn tables_of_another_deployment_and_altered_receipts_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()) {
        let db = process(&database, GATEWAY, 1).await;
        for n in 0..2 {
            append(&db, word(n)).await.unwrap();
        }
        for sql in ["UPDATE receipt SET version = 2", "DELETE FROM receipt"] {
            let error = db.pool.execute(sql, &[]).await.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{error}");
        }
        let elsewhere = Deployment {
            records: Address::ZERO,
            ..DEPLOYMENT
        };
        let error = Db::open(&database, elsewhere, GATEWAY, [1; 32]).await.err().unwrap();
        assert!(format!("{error:#}").contains("another deployment"), "{error:#}");

        // Whoever owns the database can do anything to it.
        match &db.pool {
            Pool::Sqlite(_) => db.pool.execute("DROP TRIGGER receipt_is_append_only_update", &[]),
            Pool::Postgres(_) => db.pool.execute("DROP TRIGGER receipt_is_append_only ON receipt", &[]),
        }
        .await
        .unwrap();
        let sql = "UPDATE receipt SET version = 2 WHERE sequence = 2";
        assert_eq!(db.pool.execute(sql, &[]).await.unwrap(), 1);
        let error = Db::open(&database, DEPLOYMENT, GATEWAY, [1; 32]).await.err().unwrap();
        assert!(format!("{error:#}").contains("does not match its hash"), "{error:#}");
        // Another gateway's chain is its own affair.
        process(&database, OTHER, 2).await;
    }
}

#[tokio::test]
async fn a_smart_accounts_signature_is_kept_whole_up_to_a_bound() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()) {
        let db = process(&database, GATEWAY, 1).await;
        let append = async |nonce: u64, bytes: usize| {
            let request = ReadRequest {
                signature: vec![9; bytes].into(),
                ..request(GATEWAY, word(nonce))
            };
            let checked = Checked {
                request: &request,
                block: 9,
                block_hash: B256::repeat_byte(9),
                reason: reason::GRANT,
                received_at: NOW,
            };
            db.append_receipt(&checked).await
        };
        let lengths = [0, 65, SIGNATURE_BYTES_MOST];
        for (nonce, bytes) in lengths.into_iter().enumerate() {
            append(nonce as u64, bytes).await.unwrap().unwrap();
        }
        assert!(append(9, SIGNATURE_BYTES_MOST + 1).await.is_err());
        let kept: Vec<usize> = chain(&db).await.iter().map(|entry| entry.signature.len()).collect();
        assert_eq!(kept, lengths);
    }
}

#[tokio::test]
async fn upkeep_is_remembered_for_each_gateway() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()) {
        let (first, other) = (process(&database, GATEWAY, 1).await, process(&database, OTHER, 2).await);
        for blocks in [7, 8] {
            first.set_referred(blocks).await.unwrap();
            assert_eq!(first.referred().await.unwrap(), Some(blocks));
        }
        assert_eq!(other.referred().await.unwrap(), None);
    }
}

/// A file that a build before this one has written keeps its receipts, its sessions and its challenge key.
#[tokio::test]
async fn a_file_of_one_gateway_becomes_one_that_several_share() {
    let dir = tempfile::tempdir().unwrap();
    let [database, _] = databases(dir.path());
    let pool = Pool::open(&database, &SETTINGS).await.unwrap();
    let mut before = Migrator::DEFAULT;
    before.migrations = SQLITE.iter().take(2).cloned().collect::<Vec<_>>().into();
    pool.migrate(&before, &POSTGRES).await.unwrap();
    let claim = "INSERT INTO gateway (id, chain_id, genesis_hash, records, account, challenge_key)
                 VALUES (1, $1, $2, $3, $4, $5)";
    let row = [
        DEPLOYMENT.chain_id.into(),
        DEPLOYMENT.genesis_hash.into(),
        DEPLOYMENT.records.into(),
        GATEWAY.into(),
        word(77).into(),
    ];
    pool.execute(claim, &row).await.unwrap();
    pool.execute("INSERT INTO upkeep VALUES (1, 5)", &[]).await.unwrap();
    let session = "INSERT INTO session (token_hash, account, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    let row = [word(1).into(), READER.into(), NOW.into(), (NOW + 3600).into()];
    pool.execute(session, &row).await.unwrap();
    // The same receipts as today's, without the gateway's account.
    let today = process(&Database::from(dir.path().join("today.db").as_path()), GATEWAY, 1).await;
    for n in 0..3 {
        append(&today, word(n)).await.unwrap();
    }
    let written = chain(&today).await;
    let receipt = "INSERT INTO receipt VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    for entry in &written {
        let row = [
            entry.sequence.into(),
            entry.receipt.chart.into(),
            entry.receipt.record_id.into(),
            entry.receipt.version.into(),
            entry.receipt.pointer.into(),
            entry.receipt.reader.into(),
            entry.receipt.purpose.bit().into(),
            entry.receipt.read_at.into(),
            entry.receipt.nonce.into(),
            entry.signature[..].into(),
            entry.block.into(),
            entry.block_hash.into(),
            entry.reason_code.into(),
            entry.received_at.into(),
            entry.previous.into(),
            entry.hash.into(),
        ];
        pool.execute(receipt, &row).await.unwrap();
    }
    pool.close().await;

    let db = process(&database, GATEWAY, 1).await;
    assert_eq!(db.challenge_key(), &word(77).0);
    assert_eq!(db.referred().await.unwrap(), Some(5));
    assert_eq!(db.session(word(1)).await.unwrap(), Some((READER, NOW + 3600)));
    assert_eq!(chain(&db).await, written);
    assert_eq!(append(&db, word(3)).await.unwrap().previous, written[2].hash);
    assert!(append(&db, word(1)).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn released_shares_go_with_their_kit_and_with_the_end_of_the_emergency() {
    let folder = tempfile::tempdir().unwrap();
    let [patient, nurse] = [Address::repeat_byte(0xd1), Address::repeat_byte(0xd2)];
    let [one, other, third] = [
        Address::repeat_byte(1),
        Address::repeat_byte(2),
        Address::repeat_byte(3),
    ];
    for database in databases(folder.path()) {
        let db = process(&database, GATEWAY, 1).await;
        assert_eq!(db.kit(CHART, patient).await.unwrap(), None);
        assert!(!db.put_release((CHART, nurse, one), SET, b"share", NOW).await.unwrap());
        db.put_kit(CHART, patient, (b"kit", SET), &[one, other]).await.unwrap();
        assert_eq!(db.kit(CHART, patient).await.unwrap().as_deref(), Some(&b"kit"[..]));
        // Of whoever controlled the chart before.
        assert_eq!(db.kit(CHART, nurse).await.unwrap(), None);
        let due = async |custodian, until| db.is_release_due(CHART, nurse, custodian, until).await.unwrap();
        assert!(due(one, NOW).await && due(other, NOW).await && !due(third, NOW).await);
        for share in [b"first", b"again"] {
            assert!(db.put_release((CHART, nurse, one), SET, share, NOW).await.unwrap());
        }
        assert!(
            !db.put_release((CHART, nurse, one), B256::ZERO, b"share", NOW)
                .await
                .unwrap()
        );
        assert_eq!(
            db.releases(CHART, nurse, NOW).await.unwrap(),
            [(one, b"again".to_vec())]
        );
        // For the next emergency it is due anew.
        assert!(!due(one, NOW).await && due(one, NOW + 1).await);
        assert_eq!(db.releases(CHART, nurse, NOW + 1).await.unwrap(), []);
        db.remove_releases(NOW - 1).await.unwrap();
        assert_eq!(db.releases(CHART, nurse, NOW).await.unwrap().len(), 1);
        db.remove_releases(NOW).await.unwrap();
        assert_eq!(db.releases(CHART, nurse, NOW).await.unwrap(), []);

        assert!(db.put_release((CHART, nurse, one), SET, b"share", NOW).await.unwrap());
        db.put_kit(CHART, patient, (b"next", B256::repeat_byte(0x52)), &[other, third])
            .await
            .unwrap();
        assert_eq!(db.releases(CHART, nurse, NOW).await.unwrap(), []);
        assert!(!due(one, NOW).await && due(third, NOW).await);
        for _ in 0..2 {
            db.remove_kit(CHART).await.unwrap();
            assert_eq!(db.kit(CHART, patient).await.unwrap(), None);
            assert!(!due(third, NOW).await);
        }
    }
}
