use medlock_postgres_server::Server;

use super::*;

/// For what comes soon, on a machine with a lot else to do.
const PATIENCE: Duration = Duration::from_secs(30);
const SETTINGS: Settings = Settings {
    application: "medlock-sql-test",
    schema: "medlock_sql_test",
    connections_most: 4,
};

/// An empty database of each kind, and the folder of the one in a file.
async fn pools() -> ([Pool; 2], tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let databases = [
        Database::from(dir.path().join("a/folder/of/its.own").as_path()),
        Server::shared().create().parse().unwrap(),
    ];
    let [sqlite, postgres] = databases.each_ref().map(|database| Pool::open(database, &SETTINGS));
    ([sqlite.await.unwrap(), postgres.await.unwrap()], dir)
}

async fn run(pool: &Pool, sqlite: &'static str, postgres: &'static str) {
    let sql = match pool {
        Pool::Sqlite(_) => sqlite,
        Pool::Postgres(_) => postgres,
    };
    pool.execute(sql, &[]).await.unwrap();
}

#[tokio::test]
async fn what_goes_in_comes_out_alike() {
    let (pools, _dir) = pools().await;
    for pool in pools {
        run(
            &pool,
            "CREATE TABLE t (i INTEGER, b BLOB, w BLOB, s TEXT)",
            "CREATE TABLE t (i BIGINT, b BYTEA, w BYTEA, s TEXT)",
        )
        .await;
        let word = B256::repeat_byte(7);
        let sql = "INSERT INTO t (i, b, w, s) VALUES ($1, $2, $3, $4)";
        let values = [u64::MAX.into(), (&[1u8, 2][..]).into(), word.into(), "text".into()];
        assert_eq!(pool.execute(sql, &values).await.unwrap(), 1);
        let nothing = [Value::Int(None), Value::Bytes(None), word.into(), "".into()];
        pool.execute(sql, &nothing).await.unwrap();
        let rows = pool.fetch("SELECT * FROM t ORDER BY s DESC", &[]).await.unwrap();
        assert_eq!(rows[0].number::<i64>("i").unwrap(), i64::MAX);
        assert_eq!(rows[0].bytes("b").unwrap(), Some(&[1, 2][..]));
        assert_eq!(rows[0].fixed::<B256>("w").unwrap(), word);
        assert_eq!(rows[0].text("s").unwrap(), "text");
        assert_eq!((rows[1].int("i").unwrap(), rows[1].bytes("b").unwrap()), (None, None));
        assert!(rows[0].number::<u8>("i").is_err());
        assert!(rows[1].number::<u8>("i").is_err());
        assert!(rows[0].fixed::<Address>("w").is_err());
        pool.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_one_lock_do_not_overlap_and_a_dropped_one_leaves_nothing() {
    let (pools, _dir) = pools().await;
    for pool in pools {
        run(
            &pool,
            "CREATE TABLE t (n INTEGER PRIMARY KEY)",
            "CREATE TABLE t (n BIGINT PRIMARY KEY)",
        )
        .await;
        let mut tasks = Vec::new();
        for task in 0..8 {
            let pool = pool.clone();
            tasks.push(tokio::spawn(async move {
                for _ in 0..10 {
                    let mut tx = pool.alone("t").await.unwrap();
                    let last = tx.first("SELECT max(n) AS n FROM t", &[]).await.unwrap().unwrap();
                    let next = last.int("n").unwrap().unwrap_or_default() + 1;
                    tx.execute("INSERT INTO t (n) VALUES ($1)", &[Value::Int(Some(next))])
                        .await
                        .unwrap();
                    // Half of them think better of it.
                    if task % 2 == 0 {
                        tx.commit().await.unwrap();
                    }
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let row = pool.first("SELECT count(*) AS n, max(n) AS most FROM t", &[]).await;
        let row = row.unwrap().unwrap();
        assert_eq!((row.int("n").unwrap(), row.int("most").unwrap()), (Some(40), Some(40)));
    }
}

#[tokio::test]
async fn leave_is_given_to_one_until_it_is_dropped() {
    let (pools, _dir) = pools().await;
    for pool in pools {
        let first = pool.sole("t").await.unwrap().unwrap();
        let is_sqlite = matches!(pool, Pool::Sqlite(_));
        assert_eq!(pool.sole("t").await.unwrap().is_some(), is_sqlite);
        assert!(pool.sole("another").await.unwrap().is_some());
        // Others write meanwhile, also under a lock of the same name.
        pool.alone("t").await.unwrap().commit().await.unwrap();
        drop(first);
        // The server hears of it when the connection is back in the pool.
        let freed = async { while pool.sole("t").await.unwrap().is_none() {} };
        tokio::time::timeout(PATIENCE, freed).await.expect("nobody holds it");
    }
}

#[test]
fn a_database_is_named_without_its_password() {
    let database: Database = "postgres://user:secret@host:5433/name".parse().unwrap();
    assert_eq!(database.to_string(), "postgres://host:5433/name");
    assert_eq!(format!("{database:?}"), "postgres://host:5433/name");
    assert!(matches!("some/file.db".parse(), Ok(Database::Sqlite(_))));
}
