//! An index built anew is the index that a first run makes; what is not an index is left alone.
use crate::{
    support::databases::{KINDS, Kind},
    support::{
        POLL_MS, SOON, caught_up,
        chain::Chain,
        dump::{Db, dump},
        event::{added, amended, granted, id, opened, who},
        same_as_from_scratch,
    },
};
use medlock_indexer::{Config, Database, Index, IndexError, Rebuild, spawn};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection, migrate::Migrator,
    sqlite::SqliteConnectOptions,
};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

fn config(chain: &Chain, database: &str) -> Config {
    Config {
        endpoints: chain.url.as_str().into(),
        deployment: chain.deployment,
        database: database.parse().unwrap(),
        poll_ms: POLL_MS,
    }
}

async fn chain() -> Chain {
    let chain = Chain::start().await;
    let chart = id(1);
    chain
        .records([
            opened(chart, who(1)),
            added(chart, 1, who(1), 3),
            granted(chart, who(2), 1),
        ])
        .await;
    chain.records([amended(chart, 1, who(1), 2)]).await;
    chain.mine(20).await;
    chain
}

/// Runs one statement as somebody who meddles.
async fn meddle(database: &str, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    if database.starts_with("postgres://") {
        let mut db = PgConnection::connect(database).await.unwrap();
        db.execute(sql).await.unwrap();
        db.close().await.unwrap();
    } else {
        let mut db = file(database).await;
        db.execute(sql).await.unwrap();
        db.close().await.unwrap();
    }
}

async fn file(path: impl AsRef<Path>) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn rebuilt(chain: &Chain, database: &str) {
    let rebuild = Rebuild::start(config(chain, database)).await.unwrap();
    timeout(SOON, rebuild.handle().caught_up()).await.unwrap().unwrap();
    let handle = timeout(SOON, rebuild.finish()).await.unwrap().unwrap();
    caught_up(&handle, chain).await;
    handle.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_index_built_anew_equals_a_straight_one_and_goes_on() {
    for kind in KINDS {
        let chain = chain().await;
        let folder = tempfile::tempdir().unwrap();
        let database = kind.fresh(folder.path(), "index");
        let handle = spawn(config(&chain, &database)).await.unwrap();
        caught_up(&handle, &chain).await;

        // There is one writer already.
        let refused = Rebuild::start(config(&chain, &database)).await.err().unwrap();
        assert!(format!("{refused:#}").contains("another process writes"), "{refused:#}");
        handle.shutdown().await.unwrap();
        let straight = dump(&database).await;

        // Nothing of what stood there is believed.
        meddle(&database, "DELETE FROM record_version").await;
        meddle(&database, "UPDATE deployment SET start_block = start_block + 1").await;
        rebuilt(&chain, &database).await;
        assert_eq!(dump(&database).await, straight, "{kind:?}");

        let handle = spawn(config(&chain, &database)).await.unwrap();
        chain.records([amended(id(1), 1, who(1), 3)]).await;
        caught_up(&handle, &chain).await;
        handle.shutdown().await.unwrap();
        assert!(dump(&database).await.len() > straight.len());
        if kind == Kind::Sqlite {
            same_as_from_scratch(&chain, Path::new(&database)).await;
        }
    }
}

#[tokio::test]
async fn an_index_of_an_older_build_says_what_to_do_and_that_mends_it() {
    let chain = chain().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.db");
    let older = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/older");
    let mut db = file(&path).await;
    Migrator::new(older).await.unwrap().run(&mut db).await.unwrap();
    db.close().await.unwrap();

    let database = path.display().to_string();
    let refused = spawn(config(&chain, &database)).await.err().unwrap();
    assert!(
        format!("{refused:#}").contains("medlock index --from-genesis"),
        "{refused:#}"
    );
    let refused = Index::open(&Database::Sqlite(path.clone())).await.err().unwrap();
    assert!(matches!(refused, IndexError::OtherBuild(_)), "{refused}");

    rebuilt(&chain, &database).await;
    same_as_from_scratch(&chain, &path).await;
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|f| f.unwrap().file_name())
        .collect();
    assert!(
        left.iter().all(|name| !name.to_string_lossy().contains("-new")),
        "{left:?}"
    );
}

#[tokio::test]
async fn what_is_not_an_index_is_left_alone() {
    let chain = chain().await;
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let database = kind.fresh(folder.path(), "other");
        meddle(&database, "CREATE TABLE event (receipt BIGINT)").await;
        meddle(&database, "INSERT INTO event VALUES (7)").await;
        let refused = Rebuild::start(config(&chain, &database)).await.err().unwrap();
        let refused = format!("{refused:#}");
        assert!(refused.contains("not an index"), "{refused}");
        let mut db = Db::open(&database).await;
        assert_eq!(db.texts("SELECT CAST(receipt AS TEXT) FROM event").await, ["7"]);
    }
    let text = folder.path().join("letter.txt");
    std::fs::write(&text, "Dear all, this is not a database at all.".repeat(100)).unwrap();
    let before = std::fs::read(&text).unwrap();
    assert!(Rebuild::start(config(&chain, text.to_str().unwrap())).await.is_err());
    assert_eq!(std::fs::read(&text).unwrap(), before);
}

#[tokio::test]
async fn a_file_is_not_replaced_under_its_readers() {
    let chain = chain().await;
    let folder = tempfile::tempdir().unwrap();
    let database = Kind::Sqlite.fresh(folder.path(), "index");
    let handle = spawn(config(&chain, &database)).await.unwrap();
    caught_up(&handle, &chain).await;
    handle.shutdown().await.unwrap();

    let reader = Index::open(&database.parse().unwrap()).await.unwrap();
    let head = reader.head().await.unwrap();
    let rebuild = Rebuild::start(config(&chain, &database)).await.unwrap();
    timeout(SOON, rebuild.handle().caught_up()).await.unwrap().unwrap();
    let mut finish = Box::pin(rebuild.finish());
    assert!(
        timeout(Duration::from_secs(1), &mut finish).await.is_err(),
        "a reader is there"
    );
    assert_eq!(reader.head().await.unwrap(), head);
    reader.close().await;
    let handle = timeout(SOON, finish).await.unwrap().unwrap();
    caught_up(&handle, &chain).await;
    handle.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_reader_is_told_that_there_is_no_index() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let database = kind.fresh(folder.path(), "none").parse().unwrap();
        let refused = Index::open(&database).await.err().unwrap();
        assert!(matches!(refused, IndexError::Absent(_)), "{kind:?}: {refused}");
    }
}
