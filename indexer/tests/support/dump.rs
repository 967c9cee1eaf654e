//! What the tables hold, as text, to compare two databases, be they of the same kind or not.
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

/// State tables, and `deployment`, `block` and `event`.
const TABLES: usize = 49;

/// Every row of every table, sorted; of blocks, genesis and those with events, since which others are kept depends on
/// the steps in which the chain was read; without what a node said of its chain's head.
pub async fn dump(database: &str) -> Vec<String> {
    let mut db = Db::open(database).await;
    let tables = db.tables().await;
    assert_eq!(tables.len(), TABLES, "{tables:?}");
    let mut rows = Vec::new();
    for table in tables {
        let columns: Vec<String> = db.columns(&table).await;
        let only = match table.as_str() {
            "block" => "WHERE number = 0 OR number IN (SELECT place >> 24 FROM event)",
            _ => "",
        };
        let sql = format!("SELECT {} AS line FROM {table} {only}", columns.join(" || ' ' || "));
        let mut found = db.texts(&sql).await;
        found.sort();
        rows.extend(found.iter().map(|row| format!("{table}: {row}")));
    }
    rows
}

pub enum Db {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Db {
    pub async fn open(database: &str) -> Self {
        if database.starts_with("postgres://") {
            return Self::Postgres(PgConnection::connect(database).await.unwrap());
        }
        let options = SqliteConnectOptions::new().filename(database).read_only(true);
        Self::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
    }

    /// The first column, text, of every row.
    pub async fn texts(&mut self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(db) => {
                let rows = db.fetch_all(sql).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Self::Postgres(db) => {
                let rows = db.fetch_all(sql).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    pub async fn tables(&mut self) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                 AND name NOT LIKE '_sqlx_%' AND name <> 'chain' ORDER BY name"
            }
            // Without partitions.
            Self::Postgres(_) => {
                "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                 AND NOT relispartition AND relname NOT LIKE '\\_sqlx%' AND relname <> 'chain' ORDER BY 1"
            }
        };
        self.texts(sql).await
    }

    /// Each column of `table` as an expression that gives its value as text.
    async fn columns(&mut self, table: &str) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(_) => format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}') ORDER BY cid"),
            Self::Postgres(_) => format!(
                "SELECT CASE data_type
                    WHEN 'bytea' THEN 'concat(''X'''''', upper(encode(' || column_name || ', ''hex'')), '''''''')'
                    WHEN 'text' THEN 'quote_literal(' || column_name || ')'
                    ELSE column_name || '::text' END
                 FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'
                 ORDER BY ordinal_position"
            ),
        };
        self.texts(&sql).await
    }
}
