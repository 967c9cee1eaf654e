//! What a browser does another way: clocks, pauses, work that takes a while. There is one thread in it.

/// Content and sinks are handed to a thread of their own, where there is one.
pub(crate) use imp::blocking;
pub use imp::{Asked, now};
pub(crate) use imp::{sleep, timeout};

#[cfg(not(target_arch = "wasm32"))]
mod imp {
    use std::time::{SystemTime, UNIX_EPOCH};

    pub(crate) use tokio::time::{sleep, timeout};

    /// What somebody is asked for.
    pub type Asked<T> = futures::future::BoxFuture<'static, T>;

    /// UNIX seconds by this machine's clock.
    pub fn now() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs())
    }

    /// Does work that waits for a disk or keeps a core busy; its panic is ours.
    pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|error| match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => unreachable!("a blocking task that has begun is never cancelled"),
            })
    }
}

#[cfg(target_arch = "wasm32")]
mod imp {
    use std::{future::Future, pin::pin, time::Duration};

    use futures::future::{Either, select};
    use gloo_timers::future::TimeoutFuture;
    use web_time::{SystemTime, UNIX_EPOCH};

    pub type Asked<T> = futures::future::LocalBoxFuture<'static, T>;

    pub fn now() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs())
    }

    pub(crate) fn sleep(pause: Duration) -> TimeoutFuture {
        TimeoutFuture::new(u32::try_from(pause.as_millis()).unwrap_or(u32::MAX))
    }

    /// # Errors
    /// Where it took longer than `most`.
    pub(crate) async fn timeout<T>(most: Duration, work: impl Future<Output = T>) -> Result<T, ()> {
        match select(pin!(work), sleep(most)).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(()),
        }
    }

    pub(crate) async fn blocking<T>(work: impl FnOnce() -> T) -> T {
        work()
    }
}
