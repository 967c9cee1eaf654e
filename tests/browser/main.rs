//! The web application as people use it: a real Chromium clicks through the pages that a World's gateway serves (`dapp/test`).

use std::process::Command;

use medlock_tests::{Settings, World, medlock_binary, root};
use tokio::sync::Mutex;

fn chromium() -> String {
    let found = Command::new("sh")
        .args(["-c", "command -v chromium"])
        .output()
        .expect("sh");
    assert!(found.status.success(), "tools/setup-chromium.sh installs Chromium");
    String::from_utf8(found.stdout).expect("a path").trim().to_owned()
}

const CUSTODIANS: u8 = 3;
/// A browser wants both cores of a small machine, and people do not wait for ever.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Runs one of the browser's tests, which says what went wrong and what every page showed.
async fn passes(file: &str) {
    let _alone = ONE_AT_A_TIME.lock().await;
    // As `medlock dev` has them, which patients leave emergency keys with.
    let settings = Settings {
        custodians: CUSTODIANS,
        ..Settings::default()
    };
    let world = World::with(settings).await;
    let run = Command::new("node")
        .arg(root().join("dapp/test").join(file))
        .env("MEDLOCK_CHROMIUM", chromium())
        .env("MEDLOCK_PROGRAM", medlock_binary())
        .env("MEDLOCK_GATEWAY", world.dev.gateway_url())
        .env("MEDLOCK_RPC", world.dev.endpoints.rpc.as_str())
        .env("MEDLOCK_HOME", world.home())
        .env_remove("MEDLOCK_APP_DIST")
        .output()
        .expect("node is installed by tools/setup-node.sh");
    let told = [run.stdout, run.stderr].concat();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&told));
}

#[tokio::test(flavor = "multi_thread")]
async fn patient_clinic_and_insurer_get_through_the_whole_story_by_clicking() {
    passes("story.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_tell_every_fault_and_go_on() {
    passes("faults.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_signs_what_it_shows_and_its_users_no_is_heard() {
    passes("wallet.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_record_is_shown_for_people_and_a_card_of_them_is_printed() {
    passes("records.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_for_everybody() {
    passes("access.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clinic_bills_and_an_insurer_pays_and_the_patient_sees_it() {
    passes("claims.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_goes_from_its_maker_to_a_patient_and_is_recalled() {
    passes("supply.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_runs_from_its_registration_to_its_check() {
    passes("trials.mjs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_work_for_their_clinic_and_an_emergency_opens_what_was_allowed() {
    passes("work.mjs").await;
}
