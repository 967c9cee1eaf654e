//! Files that are too long for memory.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use medlock_client::{
    Client, Error, Metadata, NewFile,
    identity::{self, rng},
};
use medlock_tests::{World, patient_request};
use medlock_vault::{Secrets, Suite, rand_core::Rng};
use serde_json::Value;
use tokio::{runtime::Handle, task::block_in_place};

const MIB: usize = 1 << 20;

/// A file that does not compress.
fn noise(folder: &Path, name: &str, bytes: usize) -> PathBuf {
    let mut content = vec![0; bytes];
    rng().fill_bytes(&mut content);
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn new_file(path: &Path) -> NewFile {
    NewFile {
        path: path.to_owned(),
        compartment: 5,
        metadata: Metadata {
            media_type: "application/dicom".into(),
            ..Metadata::default()
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_in_and_comes_back_through_the_program() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("patient.key");
    let secrets = Secrets::generate(&mut rng(), Suite::X25519);
    identity::create(&key, &secrets, "correct horse").unwrap();
    world.fund(secrets.account.address().unwrap()).await;
    let medlock = |args: &[&str]| {
        let output = world.medlock(Some(&key), &[args, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.code(),
            serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default(),
            text,
        )
    };
    let ok = |args: &[&str]| {
        let (code, value, text) = medlock(args);
        assert_eq!(code, Some(0), "{args:?}: {text}");
        value
    };
    let chart = ok(&["chart", "open"])["chart"].as_str().unwrap().to_owned();
    // Whole chunks of vault, file and upload, and one byte more.
    let scan = noise(folder.path(), "scan.dcm", 32 * MIB + 1);
    let scan = scan.to_str().unwrap();
    let add = [
        "record",
        "add",
        &chart,
        scan,
        "--compartment",
        "5",
        "--media-type",
        "application/dicom",
    ];
    let added = ok(&add);
    let record = added["record_id"].as_str().unwrap().to_owned();
    assert_eq!(added["stored"]["version"], 1);
    let again = ok(&add);
    assert_eq!(
        (&again["record_id"], &again["stored"]),
        (&added["record_id"], &Value::Null)
    );

    let back = folder.path().join("back.dcm");
    let back = back.to_str().unwrap();
    let show = ["record", "show", &chart, &record, "--purpose", "PATRQT", "--out", back];
    let shown = ok(&show);
    assert_eq!(shown["bytes"], 32 * MIB + 1);
    assert_eq!(shown["metadata"]["mediaType"], "application/dicom");
    assert!(std::fs::read(back).unwrap() == std::fs::read(scan).unwrap());

    let second = noise(folder.path(), "second.dcm", 9 * MIB);
    let second = second.to_str().unwrap();
    let amended = ok(&["record", "amend", &chart, &record, second, "--purpose", "PATRQT"]);
    assert_eq!(amended["version"], 2);
    ok(&show);
    assert!(std::fs::read(back).unwrap() == std::fs::read(second).unwrap());
    ok(&[&show[..], &["--version", "1"]].concat());
    assert!(std::fs::read(back).unwrap() == std::fs::read(scan).unwrap());

    // What fails leaves the file that was there, and nothing beside it.
    let before: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    let (code, _, _) = medlock(&[&show[..], &["--version", "3"]].concat());
    assert_ne!(code, Some(0));
    assert!(std::fs::read(back).unwrap() == std::fs::read(scan).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before.len());
    let (code, _, text) = medlock(&[
        "record",
        "add",
        &chart,
        folder.path().to_str().unwrap(),
        "--compartment",
        "5",
    ]);
    assert!(code == Some(1) && text.contains("cannot read"), "{code:?} {text}");
}

/// Collects what is written, for the caller to look at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn read(client: &Client, chart: alloy::primitives::B256, record: alloy::primitives::B256) -> Vec<u8> {
    let out = Shared::default();
    let open = client.chart(chart).await.unwrap();
    open.read_to(record, None, patient_request(), out.clone(), |_, _| ())
        .await
        .unwrap();
    std::mem::take(&mut *out.0.lock().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_rotated_during_the_upload_do_not_cost_another() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (patient, chart) = world.patient().await;
    let path = noise(folder.path(), "scan", 20 * MIB);
    let open = patient.chart(chart).await.unwrap();
    let rotated = std::cell::Cell::new(0);
    let uploaded = std::cell::Cell::new(0);
    let progress = |bytes| {
        uploaded.set(bytes);
        if rotated.replace(rotated.get() + 1) == 0 {
            block_in_place(|| Handle::current().block_on(patient.rotate(chart, None))).unwrap();
        }
    };
    let (record, stored) = open.add_file(new_file(&path), progress).await.unwrap();
    assert!(stored.is_some());
    assert!(uploaded.get() < 21 * MIB as u64, "{} bytes", uploaded.get());
    let sealed = open.fetch(record, None, patient_request()).await.unwrap();
    assert_eq!(sealed.envelope.epoch, 2);
    assert!(read(&patient, chart, record).await == std::fs::read(&path).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_read_is_not_added() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (patient, chart) = world.patient().await;
    let path = noise(folder.path(), "growing", 40 * MIB);
    let open = patient.chart(chart).await.unwrap();
    let append = |_| {
        let mut file = std::fs::File::options().append(true).open(&path).unwrap();
        file.write_all(b"more").unwrap();
    };
    let error = open.add_file(new_file(&path), append).await.err().unwrap();
    assert!(
        matches!(&error, Error::File(detail) if detail.contains("changed")),
        "{error}"
    );
    // As long as before, with other bytes at its end.
    let path = noise(folder.path(), "rewritten", 40 * MIB);
    let rewrite = |_| {
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(b"other", 39 * MIB as u64).unwrap();
    };
    let error = open.add_file(new_file(&path), rewrite).await.err().unwrap();
    assert!(
        matches!(&error, Error::File(detail) if detail.contains("changed")),
        "{error}"
    );
    assert!(patient.records(chart, None).await.unwrap().is_empty());
    // The next attempt is not in the way of the last one.
    let (record, stored) = open.add_file(new_file(&path), |_| ()).await.unwrap();
    assert!(stored.is_some());
    assert!(read(&patient, chart, record).await == std::fs::read(&path).unwrap());
}
