//! Questions that come at the same moment are asked together: a statement for sixteen costs little more than one for one, and
//! while the database works on it, the next questions gather.
use super::{
    Decision,
    decision::{Asked, QUESTIONS_MOST, Tables, answers},
};
use crate::db::Pool;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

/// Statements at once. More only split the same questions into smaller statements.
const CLERKS: usize = 2;
/// Questions that wait, beyond those in statements; who comes later waits to be let in.
const WAITING_MOST: usize = 1024;

/// Where to put a question. Closes with its last clone.
#[derive(Clone)]
pub struct Desk(mpsc::Sender<Waiting>);

struct Waiting {
    asked: Asked,
    answer: oneshot::Sender<Decision>,
}

impl Desk {
    /// To be called within a runtime.
    pub fn open(pool: &Pool) -> Self {
        let (sender, queue) = mpsc::channel(WAITING_MOST);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..CLERKS {
            tokio::spawn(clerk(pool.clone(), queue.clone()));
        }
        Self(sender)
    }

    /// `None`: it could not be asked together with others.
    pub async fn ask(&self, asked: Asked) -> Option<Decision> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Waiting { asked, answer }).await.ok()?;
        answered.await.ok()
    }
}

async fn clerk(pool: Pool, queue: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    let mut waiting = Vec::with_capacity(QUESTIONS_MOST);
    while queue.lock().await.recv_many(&mut waiting, QUESTIONS_MOST).await > 0 {
        // Some have gone meanwhile.
        waiting.retain(|waiting| !waiting.answer.is_closed());
        let asked: Vec<_> = waiting.iter().map(|waiting| waiting.asked.clone()).collect();
        // Where that fails nobody is answered, and each asks alone: one question's fault, if it is one, is its own.
        let decisions = answers(&asked, None, Tables::Newest(&pool)).await.unwrap_or_default();
        for (waiting, decision) in waiting.drain(..).zip(decisions) {
            // Or has gone since.
            let _ = waiting.answer.send(decision);
        }
        waiting.clear();
    }
}
