//! Parse, set up logs, run.

use std::process::ExitCode;

use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, filter::filter_fn, layer::SubscriberExt as _, util::SubscriberInitExt as _};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = medlock::settings::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    // From MEDLOCK_LOG; warnings without it, and how an indexer gets on.
    let asked = EnvFilter::try_from_env("MEDLOCK_LOG").unwrap_or_else(|_| EnvFilter::new("warn,medlock::index=info"));
    tracing_subscriber::registry()
        .with(asked)
        .with(filter_fn(may_be_logged))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .init();
    medlock::run(cli).await
}

/// Of the libraries below, warnings alone, whatever is asked for: further down they print requests and state, and with them who reads
/// whom.
fn may_be_logged(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("medlock") || *metadata.level() <= Level::WARN
}
