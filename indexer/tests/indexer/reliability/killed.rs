//! SIGKILL at any moment.
use super::{Took, discard, has_head, history::History, is_exact, process::Process, times};
use crate::support::{chain::Chain, databases::Kind};
use std::{cell::Cell, time::Duration};

/// After so many kills the tables are compared.
const KILLS_A_LOOK: usize = 10;
/// A process that was let to begin with its work is killed so long after that at the latest.
const AT_WORK_MOST: Duration = Duration::from_millis(300);

#[tokio::test]
async fn kills_at_any_moment_lose_and_repeat_nothing_in_sqlite() {
    survives_kills(Kind::Sqlite).await;
}

#[tokio::test]
async fn kills_at_any_moment_lose_and_repeat_nothing_in_postgres() {
    survives_kills(Kind::Postgres).await;
}

async fn survives_kills(kind: Kind) {
    let kills = times(20, 1_000);
    let mut history = History::on(Chain::start().await, 100).await;
    let folder = tempfile::tempdir().unwrap();
    let (mut database, mut took) = (kind.fresh(folder.path(), "0"), Took::default());
    for kill in 1..=kills {
        // From nothing again, now and then.
        if history.dice.one_in(10) {
            discard(&database);
            database = kind.fresh(folder.path(), &kill.to_string());
        }
        let mut process = Process::start(&history.chain, &history.chain.url, &database);
        // Chosen beforehand, or only the fast ones would be counted.
        let while_it_starts = history.dice.one_in(4);
        let moment = history.dice.part_of(AT_WORK_MOST);
        let killed = Cell::new(false);
        let kill_it = async {
            if !while_it_starts {
                took.0.push(process.at_work().await);
            }
            // Not a wait for anything: the moment is what is tried.
            tokio::time::sleep(moment).await;
            process.kill().await;
            killed.set(true);
        };
        let stir = async {
            while !killed.get() {
                history.stir().await;
            }
        };
        tokio::join!(kill_it, stir);
        if kill % KILLS_A_LOOK == 0 || kill == kills {
            let mut process = Process::start(&history.chain, &history.chain.url, &database);
            process.at_work().await;
            has_head(&history.chain, &database).await;
            process.stop().await;
            is_exact(&history.chain, &database).await;
        }
    }
    took.show(&format!("{kind:?}: back at work after a kill"));
}
