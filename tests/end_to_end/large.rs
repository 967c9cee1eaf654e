//! Files that are too long for memory.

use std::{
    collections::HashSet,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::http::Method;
use medlock_client::{
    Client, Error, Metadata, NewFile,
    identity::{self, rng},
};
use medlock_dag::{RAW, car};
use medlock_tests::{
    World, patient_request,
    proxy::{Asked, Fate, Proxy},
};
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
        content: path.into(),
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

    // Of a large file, a part.
    let (first, last) = (5 * MIB + 7, 6 * MIB + 9);
    let part = format!("{first}-{last}");
    let part = ["--version", "1", "--bytes", &part];
    let (code, _, text) = medlock(&[&show[..], &part].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(std::fs::read(back).unwrap() == std::fs::read(scan).unwrap()[first..=last]);
    let beyond = ["--version", "2", "--bytes", "9437183-9437184"];
    let (code, _, text) = medlock(&[&show[..], &beyond].concat());
    assert!(code == Some(1) && text.contains("range"), "{code:?} {text}");
    ok(&[&show[..], &["--version", "1"]].concat());

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

fn is_upload(asked: &Asked) -> bool {
    asked.is(Method::POST, "/v1/blocks")
}

/// The gateway's answers are lost once it has taken so many parts of an upload.
fn break_off_after(proxy: &Proxy, most: usize) {
    let mut parts = 0;
    proxy.rule(move |asked| {
        parts += usize::from(is_upload(asked));
        match parts > most {
            true => Fate::Answer("text/html", b"bad gateway".to_vec()),
            false => Fate::Forward,
        }
    });
}

/// The patient's client, as another process would have it, that notes uploads in `dir`.
async fn noting(world: &World, patient: &Client, dir: &Path) -> Client {
    let client = world.dev.client(patient.identity().clone()).await.unwrap();
    client.noting_uploads_in(dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_broken_off_goes_on_where_it_was() {
    let proxy = Proxy::start().await;
    let world = World::behind(&proxy).await;
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("uploads");
    let (patient, chart) = world.patient().await;
    let path = noise(folder.path(), "scan", 40 * MIB);
    let uploaded = || -> Vec<usize> {
        let seen = proxy.seen();
        seen.iter()
            .filter(|asked| is_upload(asked))
            .map(|asked| asked.body.len())
            .collect()
    };
    // After two parts the gateway's answers are lost, and then the process is.
    break_off_after(&proxy, 2);
    let open = noting(&world, &patient, &notes).await.chart(chart).await.unwrap();
    open.add_file(new_file(&path), |_| ())
        .await
        .expect_err("it is broken off");
    drop(open);
    assert_eq!(uploaded().len(), 3);

    proxy.honest();
    let open = noting(&world, &patient, &notes).await.chart(chart).await.unwrap();
    let (record, stored) = open.add_file(new_file(&path), |_| ()).await.unwrap();
    assert!(stored.is_some());
    // Three parts of 8 MiB were left of somewhat over five, and the envelope.
    let sent: usize = uploaded().iter().sum();
    assert!((24 * MIB..32 * MIB).contains(&sent), "{sent}");
    assert!(read(&patient, chart, record).await == std::fs::read(&path).unwrap());
    assert_eq!(
        std::fs::read_dir(&notes).unwrap().count(),
        0,
        "nothing is left to go on with"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_is_never_sealed_with_the_keys_of_one_that_was_uploaded() {
    let proxy = Proxy::start().await;
    let world = World::behind(&proxy).await;
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("uploads");
    let (patient, chart) = world.patient().await;
    let path = noise(folder.path(), "scan", 20 * MIB);
    let client = noting(&world, &patient, &notes).await;
    let open = client.chart(chart).await.unwrap();
    let (record, _) = open.add_file(new_file(&path), |_| ()).await.unwrap();
    let before = open.read(record, None, patient_request()).await.unwrap();

    // An amendment is broken off after its first part, and its file is changed, in one byte alone.
    let amendment = noise(folder.path(), "amendment", 20 * MIB);
    break_off_after(&proxy, 1);
    let amend = async || {
        open.amend_file(&before, Metadata::default(), &amendment.as_path().into(), |_| ())
            .await
    };
    amend().await.expect_err("it is broken off");
    let sent = |proxy: &Proxy| -> HashSet<Vec<u8>> {
        let seen = proxy.seen();
        let uploads = seen.iter().filter(|asked| is_upload(asked));
        let blocks = uploads.flat_map(|asked| car::read(&asked.body).unwrap().1);
        blocks
            .filter(|block| block.cid.codec() == RAW)
            .map(|block| block.bytes)
            .collect()
    };
    let first = sent(&proxy);
    let mut content = std::fs::read(&amendment).unwrap();
    content[9 * MIB] ^= 1;
    std::fs::write(&amendment, &content).unwrap();
    proxy.honest();
    amend().await.unwrap();
    let second = sent(&proxy);
    assert!(
        first.len() > 30 && second.len() > 60,
        "{} {}",
        first.len(),
        second.len()
    );
    // Under the same keys all blocks but one or two would be the same.
    assert!(first.is_disjoint(&second));
    assert!(read(&patient, chart, record).await == content);
}
