//! Where the chain is asked, and under what name that is told.
use std::{fmt, time::Duration};

/// A node that has not answered by then is asked again.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The nodes that are asked. One is enough; of several, one serves at a time and the others stand by.
#[derive(Clone)]
pub struct Endpoints {
    /// `http://`, `https://`, `ws://` or `wss://`, in order of preference. Over WebSocket a new block wakes the pipeline
    /// at once; over HTTP it is polled for. URLs often hold credentials: they are never shown, see [`label`].
    pub urls: Vec<String>,
    /// How many of them must tell the same hash of a block before it is indexed; 1 takes one at its word.
    pub quorum: usize,
    /// The header of every block is read, not only of those with logs and of a few others in each range. A node that hides all
    /// logs of an old block is then found out for certain, at a header a block; on a chain of its own the cost is small.
    pub every_header: bool,
    /// See [`REQUEST_TIMEOUT`].
    pub request_timeout: Duration,
}

impl Endpoints {
    #[must_use]
    pub fn one(url: &str) -> Self {
        Self::new([url])
    }

    /// Several, each of which is taken at its word.
    pub fn new<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> Self {
        Self {
            urls: urls.into_iter().map(Into::into).collect(),
            quorum: 1,
            every_header: false,
            request_timeout: REQUEST_TIMEOUT,
        }
    }
}

impl From<&str> for Endpoints {
    fn from(url: &str) -> Self {
        Self::one(url)
    }
}

impl From<String> for Endpoints {
    fn from(url: String) -> Self {
        Self::new([url])
    }
}

/// Without the URLs' secrets.
impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("urls", &labels(&self.urls))
            .field("quorum", &self.quorum)
            .field("every_header", &self.every_header)
            .field("request_timeout", &self.request_timeout)
            .finish()
    }
}

/// Scheme, host and port. Providers put keys into the path, the query and the user name.
pub fn label(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(url) => match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{}://{host}:{port}", url.scheme()),
            (Some(host), None) => format!("{}://{host}", url.scheme()),
            (None, _) => format!("{}:", url.scheme()),
        },
        Err(_) => "a URL that cannot be read".into(),
    }
}

/// A label for each, numbered where two would be the same.
pub fn labels(urls: &[String]) -> Vec<String> {
    let plain: Vec<String> = urls.iter().map(|url| label(url)).collect();
    let number = |(at, label): (usize, &String)| {
        let before = plain[..at].iter().filter(|other| *other == label).count();
        if before == 0 {
            label.clone()
        } else {
            format!("{label}#{}", before + 1)
        }
    };
    plain.iter().enumerate().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_in_a_url_is_never_shown() {
        let endpoints = Endpoints::new([
            "https://user:secret@arb.example.org/v2/secret?key=secret",
            "wss://arb.example.org/secret",
            "https://arb.example.org/other-secret",
            "secret",
        ]);
        let shown = format!("{endpoints:?}");
        assert!(!shown.contains("secret") && !shown.contains("user"), "{shown}");
        assert_eq!(
            labels(&endpoints.urls),
            [
                "https://arb.example.org",
                "wss://arb.example.org",
                "https://arb.example.org#2",
                "a URL that cannot be read"
            ]
        );
    }
}
