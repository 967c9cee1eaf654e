//! What the tables hold, as text, to compare two databases.
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use std::path::Path;

/// Every row of every table, sorted; of blocks, genesis and those with events, since which others are kept depends on
/// the steps in which the chain was read.
pub async fn dump(db: &Path) -> Vec<String> {
    let mut db = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(db).read_only(true))
        .await
        .unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx_%'",
    )
    .fetch_all(&mut db)
    .await
    .unwrap();
    assert_eq!(tables.len(), 26, "{tables:?}");
    let mut rows = Vec::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT 'quote(' || name || ')' FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut db)
            .await
            .unwrap();
        let only = match table.as_str() {
            "block" => "WHERE number = 0 OR number IN (SELECT block_number FROM event)",
            _ => "",
        };
        let sql = format!(
            "SELECT {} AS line FROM {table} {only} ORDER BY line",
            columns.join(" || ' ' || ")
        );
        let found = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut db).await.unwrap();
        rows.extend(
            found
                .iter()
                .map(|row| format!("{table}: {}", row.get::<String, _>("line"))),
        );
    }
    rows
}
