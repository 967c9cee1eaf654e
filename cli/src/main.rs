//! Parse, set up logs, run.

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = medlock::settings::parse(std::env::args_os()).unwrap_or_else(|error| error.exit());
    tracing_subscriber::fmt()
        .with_env_filter(log_filter())
        .with_writer(std::io::stderr)
        .init();
    medlock::run(cli).await
}

/// From MEDLOCK_LOG; warnings without it, and how an indexer gets on. The libraries below are held at `warn`: further down they print requests,
/// and with them who reads whom.
fn log_filter() -> EnvFilter {
    let asked = EnvFilter::try_from_env("MEDLOCK_LOG").unwrap_or_else(|_| EnvFilter::new("warn,medlock::index=info"));
    ["alloy=warn", "hyper=warn", "reqwest=warn", "rustls=warn", "sqlx=warn"]
        .into_iter()
        .filter_map(|quiet| quiet.parse().ok())
        .fold(asked, EnvFilter::add_directive)
}
