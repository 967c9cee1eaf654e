//! A disk that is full, and then is not. The file system is a small one of the test's own: this test program again, started
//! in a mount namespace to run one test alone.
use super::{Kind, caught_up, discard, dump, history::History, is_exact, start, times, until};
use crate::support::chain::Chain;
use std::{fs::File, io::Write as _, path::Path, process::Command};

/// That test's name, and the variable that tells it the kind of database.
const NAME: &str = "reliability::disk::goes_on_once_there_is_room";
const KIND: &str = "MEDLOCK_SMALL_DISK";
/// Runs "$@" with all its temporary files on a small disk. PostgreSQL refuses to run as root, and so as a namespace's.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size="$SIZE",mode=1777 tmpfs "$TMPDIR"
if [ "$REAL_ROOT" = 1 ]; then exec "$@"; else exec unshare --user --map-user=1000 --map-group=1000 "$@"; fi
"#;
/// Blocks that do not fit.
const BLOCKS_MOST: usize = 400;

#[test]
fn a_full_disk_is_waited_out_and_nothing_is_half_written_in_sqlite() {
    on_a_small_disk("sqlite", "24m");
}

#[test]
fn a_full_disk_is_waited_out_and_nothing_is_half_written_in_postgres() {
    on_a_small_disk("postgres", "240m");
}

fn on_a_small_disk(kind: &str, size: &str) {
    let folder = tempfile::tempdir().unwrap();
    let real_root = std::fs::metadata("/proc/self").is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0);
    let mut command = Command::new("unshare");
    if !real_root {
        command.arg("--map-root-user");
    }
    let output = command
        .args(["--mount", "sh", "-e", "-c", ON_A_SMALL_DISK, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
        .env("TMPDIR", folder.path())
        .env("SIZE", size)
        .env("REAL_ROOT", if real_root { "1" } else { "0" })
        .env(KIND, kind)
        .output()
        .expect("unshare, of util-linux");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Nothing to show by itself: it is started by the tests beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goes_on_once_there_is_room() {
    let kind = match std::env::var(KIND).as_deref() {
        Err(_) => return,
        Ok("sqlite") => Kind::Sqlite,
        Ok(_) => Kind::Postgres,
    };
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::on(Chain::start().await, 20).await;
    for round in 0..times(2, 30) {
        let database = kind.fresh(folder.path(), &round.to_string());
        let handle = start(&history.chain, &history.chain.url, &database).await;
        caught_up(&handle, &history.chain).await;
        let filler = folder.path().join("filler");
        fill(&filler);
        let (mut blocks, mut rows) = (0, Vec::new());
        while handle.progress().trouble.is_none() {
            blocks += 1;
            rows = dump(&database).await;
            assert!(blocks < BLOCKS_MOST, "the disk is never full");
            history.grow(1).await;
            // It keeps up until it cannot.
            let height = history.height();
            until("the block is indexed, or there is no room", async || {
                let progress = handle.progress();
                assert_eq!(progress.stopped, None);
                progress.trouble.is_some() || progress.indexed == height
            })
            .await;
        }
        let trouble = handle.progress().trouble.unwrap_or_default();
        println!("{kind:?}: full after {blocks} blocks: {trouble}");
        assert!(
            trouble.contains("full") || trouble.contains("No space left"),
            "{trouble}"
        );
        // Nothing of the block is there, or all of it, where another try found room.
        if dump(&database).await != rows {
            is_exact(&history.chain, &database).await;
        }
        history.reorg(2, 3).await;

        std::fs::remove_file(&filler).unwrap();
        caught_up(&handle, &history.chain).await;
        until("the trouble is over", async || handle.progress().trouble.is_none()).await;
        is_exact(&history.chain, &database).await;
        handle.shutdown().await.unwrap();
        discard(&database);
    }
}

/// To the last byte.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 20, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
