//! Ids, digests and words: as the contract has them.

use alloy_primitives::{Address, B256, U256, keccak256};
use medlock_research::consent::participant_key_info;
use medlock_research::data::{Link, chain, chain_all};
use medlock_research::participants::{NUMBER_MOST, ParticipantsError, numbers, united, words};
use medlock_research::trial::{RegistrationError, file_digest, normalised_registration, registration_digest, trial_id};

use crate::support::SPONSOR;

#[test]
fn a_registration_number_has_one_spelling() {
    assert_eq!(registration_digest("NCT01234567"), Ok(keccak256("NCT01234567")));
    for same in [" nct01234567\n", "Nct01234567"] {
        assert_eq!(registration_digest(same), registration_digest("NCT01234567"), "{same}");
    }
    for other in [
        "2011-001234-56",
        "CTRI/2010/091/000123",
        "RBR-6g9f4j",
        "U1111-1111-1111",
    ] {
        let one = normalised_registration(other).unwrap();
        assert_eq!(normalised_registration(&one), Ok(one.clone()));
    }
    assert_eq!(normalised_registration("  "), Err(RegistrationError::Length));
    assert_eq!(normalised_registration(&"1".repeat(65)), Err(RegistrationError::Length));
    // A dash that is no hyphen, an inner space, a letter that only looks like one.
    for bad in [
        "2011\u{2013}001234\u{2013}56",
        "NCT 01234567",
        "\u{0391}CTRN1",
        "NCT0\0",
    ] {
        assert_eq!(
            normalised_registration(bad),
            Err(RegistrationError::Character),
            "{bad:?}"
        );
    }
}

#[test]
fn a_trials_id_is_of_sponsor_and_registration_a_word_each() {
    let registration = keccak256("NCT01234567");
    let mut words = [0; 64];
    words[12..32].copy_from_slice(SPONSOR.as_slice());
    words[32..].copy_from_slice(registration.as_slice());
    assert_eq!(trial_id(SPONSOR, registration), keccak256(words));
    assert_ne!(trial_id(Address::ZERO, registration), trial_id(SPONSOR, registration));
}

#[test]
fn a_files_digest_is_what_sha256sum_prints() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex_of(file_digest(b"abc")), abc);
}

#[test]
fn each_trial_has_key_info_of_its_own() {
    let [one, other] = [1, 2].map(|byte| participant_key_info(B256::repeat_byte(byte)));
    assert_ne!(one, other);
    assert!(one.starts_with(b"medlock/v1/trial/participant"));
    assert_eq!(one.len(), "medlock/v1/trial/participant".len() + 32);
}

#[test]
fn bits_are_numbers_as_the_contract_counts_them() {
    assert_eq!(words([1, 2]), Ok(vec![U256::from(6)]));
    let far = words([256, 3, 511, 3]).unwrap();
    assert_eq!(far, [U256::from(8), U256::from(1) | U256::from(1) << 255]);
    assert_eq!(numbers(&far), Ok(vec![3, 256, 511]));
    assert_eq!(words([NUMBER_MOST]).unwrap().len(), 128);
    assert_eq!(numbers(&words([NUMBER_MOST]).unwrap()), Ok(vec![32_767]));
    // As the contract takes them: nothing behind the last is nothing.
    assert_eq!(numbers(&[U256::from(6), U256::ZERO]), Ok(vec![1, 2]));
}

#[test]
fn refuses_numbers_that_no_batch_can_name() {
    assert_eq!(words([1, 0]), Err(ParticipantsError::Zero));
    assert_eq!(words([32_768]), Err(ParticipantsError::TooHigh { number: 32_768 }));
    assert_eq!(words([u32::MAX]), Err(ParticipantsError::TooHigh { number: u32::MAX }));
    assert_eq!(words([]), Err(ParticipantsError::Nobody));
    assert_eq!(numbers(&[]), Err(ParticipantsError::Nobody));
    assert_eq!(numbers(&[U256::ZERO; 3]), Err(ParticipantsError::Nobody));
    assert_eq!(numbers(&[U256::from(3)]), Err(ParticipantsError::Zero));
    assert_eq!(
        numbers(&[U256::from(2); 129]),
        Err(ParticipantsError::TooManyWords { given: 129 })
    );
}

#[test]
fn data_is_a_hash_over_words() {
    let link = Link {
        site: SPONSOR,
        sequence: 7,
        root: B256::repeat_byte(9),
    };
    let mut input = [0; 128];
    input[44..64].copy_from_slice(SPONSOR.as_slice());
    input[95] = 7;
    input[96..].fill(9);
    assert_eq!(chain(B256::ZERO, link), keccak256(input));
    assert_eq!(chain_all([]), B256::ZERO);
    let second = Link { sequence: 8, ..link };
    assert_eq!(chain_all([link, second]), chain(chain(B256::ZERO, link), second));
    assert_ne!(chain_all([link, second]), chain_all([second, link]));
}

fn hex_of(word: B256) -> String {
    word.to_string().trim_start_matches("0x").to_owned()
}

#[test]
fn words_unite_to_those_that_name_whoever_is_named() {
    let [few, many] = [&[1, 2][..], &[2, 300]].map(|given| words(given.iter().copied()).unwrap());
    for order in [[&few, &many], [&many, &few]] {
        assert_eq!(numbers(&united(order.map(Vec::as_slice))), Ok(vec![1, 2, 300]));
    }
    assert_eq!(united([]), Vec::<U256>::new());
}
