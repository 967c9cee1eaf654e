//! A TCP connection to a node that can be cut.
use std::sync::{Arc, Mutex};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

pub struct Gate {
    /// `host:port`.
    pub address: String,
    open: Arc<Mutex<Option<JoinSet<()>>>>,
}

impl Gate {
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let open = Arc::new(Mutex::new(Some(JoinSet::new())));
        let gate = Self {
            address,
            open: open.clone(),
        };
        tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let upstream = upstream.clone();
                if let Some(open) = &mut *open.lock().unwrap() {
                    open.spawn(async move {
                        let mut to = TcpStream::connect(upstream).await.unwrap();
                        // As on a direct connection, nothing waits to be sent together with more.
                        from.set_nodelay(true).unwrap();
                        to.set_nodelay(true).unwrap();
                        // How it ends does not matter: both sides see it.
                        _ = copy_bidirectional(&mut from, &mut to).await;
                    });
                }
            }
        });
        gate
    }

    /// Cuts all connections, and takes no new ones.
    pub fn close(&self) {
        *self.open.lock().unwrap() = None;
    }

    pub fn open(&self) {
        *self.open.lock().unwrap() = Some(JoinSet::new());
    }
}
