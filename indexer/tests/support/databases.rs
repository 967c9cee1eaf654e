//! Empty databases of each kind.
use medlock_postgres_server::Server;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub const KINDS: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

impl Kind {
    /// What names a new database: a file in `folder`, or a URL of this process's server. To be parsed as a `Database`.
    pub fn fresh(self, folder: &Path, name: &str) -> String {
        match self {
            Self::Sqlite => folder.join(format!("{name}.db")).display().to_string(),
            Self::Postgres => Server::shared().create(),
        }
    }
}
