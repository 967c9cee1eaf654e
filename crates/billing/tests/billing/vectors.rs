//! `vectors/claims.json`, which a program of its own has made (Python's HMAC, and Keccak from FIPS 202).
use alloy_primitives::{Address, B256};
use medlock_abi::claims::IClaims::{Link, NewClaim};
use medlock_billing::{
    Amount, Currency, FingerprintKey, Salt, Service, claim_id, commit_approved, commit_billed, fingerprint,
    fingerprint::ServiceError,
};
use serde_json::Value;

fn vectors(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../vectors/claims.json")).unwrap();
    all[name].as_array().unwrap().clone()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap()
}

fn word(vector: &Value, name: &str) -> B256 {
    text(vector, name).parse().unwrap()
}

fn address(vector: &Value, name: &str) -> Address {
    text(vector, name).parse().unwrap()
}

fn currency(vector: &Value) -> u16 {
    vector["currency"].as_u64().unwrap().try_into().unwrap()
}

fn service(vector: &Value, provider: Address) -> Result<Service, ServiceError> {
    let [encounter, system, code, day] = ["encounter", "system", "code", "day"].map(|name| text(vector, name));
    Service::new(encounter, system, code, day, provider)
}

#[test]
fn fingerprints_are_those_of_the_vectors() {
    for vector in vectors("fingerprints") {
        let key = FingerprintKey::from_slice(&word(&vector, "key").0).unwrap();
        let service = service(&vector, address(&vector, "provider")).unwrap();
        assert_eq!(fingerprint(&key, &service), word(&vector, "fingerprint"), "{vector}");
    }
    for vector in vectors("keys") {
        let key = FingerprintKey::derive(&word(&vector, "root").0, word(&vector, "chart"));
        assert_eq!(*key.expose(), word(&vector, "key").0);
    }
}

#[test]
fn what_is_no_service_in_the_vectors_is_refused() {
    for vector in vectors("notServices") {
        let why = match service(&vector, Address::ZERO).unwrap_err() {
            ServiceError::Empty { .. } => "empty",
            ServiceError::TooLong { .. } => "too-long",
            ServiceError::Spelling { .. } => "spelling",
            ServiceError::NotADay => "not-a-day",
            ServiceError::Unnamed { .. } => "unnamed",
        };
        assert_eq!(why, text(&vector, "why"), "{vector}");
    }
}

#[test]
fn commitments_are_those_of_the_vectors() {
    for vector in vectors("commitments") {
        let currency = Currency::from_numeric(currency(&vector)).unwrap();
        let amount = Amount::new(currency, text(&vector, "minor").parse().unwrap());
        let (to, salt) = (word(&vector, "to"), Salt::from_bytes(word(&vector, "salt").0));
        let expected = word(&vector, "commitment");
        assert_eq!(commit_billed(to, amount, &salt), expected);
        assert_eq!(commit_approved(to, amount, &salt), expected);
    }
}

#[test]
fn claim_ids_are_those_of_the_vectors() {
    for vector in vectors("claimIds") {
        let links = vector["links"].as_array().unwrap().iter();
        let claim = NewClaim {
            chart: word(&vector, "chart"),
            insurer: address(&vector, "insurer"),
            document: word(&vector, "document"),
            fingerprint: word(&vector, "fingerprint"),
            currency: currency(&vector),
            billed: word(&vector, "billed"),
            links: links
                .map(|link| Link {
                    recordId: link[0].as_str().unwrap().parse().unwrap(),
                    pointer: link[1].as_str().unwrap().parse().unwrap(),
                })
                .collect(),
        };
        assert_eq!(claim_id(address(&vector, "provider"), &claim), word(&vector, "id"));
    }
}
