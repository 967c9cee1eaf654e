//! The least that a server can do: an axum handler that takes a body and answers with bytes that it has.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, ensure};
use axum::{Router, body::Bytes, http::header, routing::post};

use super::DECISIONS;

/// One that runs, in a process of its own.
pub struct Bare {
    child: Child,
    pub address: SocketAddr,
}

impl Bare {
    /// Answers with `body`, which is kept in `dir`.
    pub fn start(dir: &Path, body: &[u8]) -> anyhow::Result<Self> {
        let file = dir.join("body");
        std::fs::write(&file, body)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["gateway", "--bare"])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the bare handler")?;
        let mut said = String::new();
        BufReader::new(child.stdout.take().context("its output")?).read_line(&mut said)?;
        let address = said.trim().parse();
        let bare = Self {
            child,
            address: address.with_context(|| format!("the bare handler said {said:?}"))?,
        };
        Ok(bare)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In that process: serves until standard input ends.
pub fn serve(body: &PathBuf) -> anyhow::Result<()> {
    let body = Bytes::from(std::fs::read(body)?);
    ensure!(!body.is_empty(), "nothing to answer with");
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        let handler = async move |_: Bytes| ([(header::CONTENT_TYPE, "application/json")], body.clone());
        let router = Router::new().route(DECISIONS, post(handler));
        tokio::spawn(async { axum::serve(listener, router).await });
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        ended.await??;
        Ok(())
    })
}
