//! A batch as large as they get.
use std::time::{Duration, Instant};

use medlock_drugs::{Manifest, Serial, ticket::verify_ticket};

use crate::{batch, salt};

const PACKAGES: u32 = 1_000_000;
/// Seven seconds of one core optimised, 13 not; beside other work several times that. What is not linear takes hours.
const BUILD_MOST: Duration = Duration::from_secs(300);
const PROOF_MOST: Duration = Duration::from_millis(1);

#[test]
fn a_million_serials_are_built_in_seconds_and_proved_at_once() {
    // Not in their order, as makers' serials are random.
    let number = |index: u32| u64::from(index) * 0x9e37_79b9 % 4_294_967_296;
    let serials: Vec<Serial> = (0..PACKAGES)
        .map(|index| format!("{:014}", number(index)).parse().unwrap())
        .collect();
    let started = Instant::now();
    let manifest = Manifest::new(batch(), salt(), serials).unwrap();
    let built = started.elapsed();
    assert!(built < BUILD_MOST, "building took {built:?}");

    let chosen: Vec<u32> = (0..1000).map(|number| number * 999 + 1).collect();
    let started = Instant::now();
    for index in &chosen {
        assert!(manifest.proof(*index).is_some());
    }
    let each = started.elapsed() / chosen.len() as u32;
    assert!(each < PROOF_MOST, "a proof took {each:?}");
    println!("built in {built:?}, a proof in {each:?}");

    for index in chosen.into_iter().step_by(100).chain([0, PACKAGES - 1]) {
        let ticket = manifest.ticket(index).unwrap();
        assert_eq!(manifest.find(&ticket.serial), Some(index));
        assert_eq!(
            verify_ticket(&ticket, manifest.root(), manifest.count(), batch().expiry),
            Ok(())
        );
    }
}
