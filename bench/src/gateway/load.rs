//! Load from outside the process that is measured: as much as it takes, or so much a second.

use std::{
    net::SocketAddr,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;

use crate::{figure::per_second, http::Connection};

/// What is sent, over how many connections, and how an answer is known to be right.
pub struct Load<'a> {
    pub address: SocketAddr,
    /// Each connection begins at another one, and goes on from there, round and round.
    pub requests: &'a [Vec<u8>],
    pub connections: usize,
    pub is_right: fn(&[u8]) -> bool,
}

impl Load<'_> {
    /// Answers a second, where each connection sends its next request as soon as it has the answer to the one before.
    ///
    /// # Errors
    /// An answer was wrong, or none.
    pub fn saturate(&self, for_: Duration) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let answers = self.each(|_, send| {
            let mut answers = 0;
            while begun.elapsed() < for_ {
                send()?;
                answers += 1;
            }
            Ok(answers)
        })?;
        Ok(per_second(answers.iter().sum(), begun.elapsed()))
    }

    /// How long the answers took, in milliseconds, at `rate` requests a second, whether or not those before were answered: each from when
    /// it was due, so that one that waits for a late one is late too.
    ///
    /// # Errors
    /// As [`Load::saturate`].
    pub fn paced(&self, rate: f64, for_: Duration) -> anyhow::Result<Vec<f64>> {
        let begun = Instant::now();
        let latencies = self.each(|connection, send| {
            let mut latencies = Vec::new();
            for round in 0.. {
                let number = round * self.connections + connection;
                let due = begun + Duration::from_secs_f64(number as f64 / rate);
                if due.duration_since(begun) >= for_ {
                    break;
                }
                thread::sleep(due.saturating_duration_since(Instant::now()));
                send()?;
                latencies.push(due.elapsed().as_secs_f64() * 1e3);
            }
            Ok(latencies)
        })?;
        Ok(latencies.concat())
    }

    /// Runs `work` for each connection at the same time, with its number and a way to send its next request.
    fn each<T: Send>(
        &self,
        work: impl Fn(usize, &mut dyn FnMut() -> anyhow::Result<()>) -> anyhow::Result<T> + Sync,
    ) -> anyhow::Result<Vec<T>> {
        let begin = Barrier::new(self.connections);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..self.connections)
                .map(|number| {
                    let (begin, work) = (&begin, &work);
                    scope.spawn(move || {
                        let connection = Connection::open(self.address);
                        begin.wait();
                        let mut connection = connection?;
                        let mut next = number * self.requests.len() / self.connections;
                        work(number, &mut || {
                            let request = &self.requests[next % self.requests.len()];
                            next += 1;
                            ensure!((self.is_right)(connection.answer(request)?), "a wrong answer");
                            Ok(())
                        })
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| {
                    worker
                        .join()
                        .map_err(|_| anyhow::anyhow!("a load generator panicked"))?
                })
                .collect()
        })
    }
}
