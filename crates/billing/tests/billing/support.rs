//! One claim, its parties, and what is decided of it.
use alloy_primitives::{Address, B256};
use medlock_abi::claims::IClaims::{Adjudicated, ClaimSubmitted, Link};
use medlock_billing::{
    Amount, ClaimDocument, Currency, Decision, FingerprintKey, Salt, Verdict,
    amount::Decimal,
    claim_id,
    fhir::{
        CareTeamMember, ChainState, Claim, ClaimResponse, Coding, Explanation, Identifier, Insurance, Item, Kind,
        Period, RecordRef, Reference, Serviced, Status, Use, system,
    },
    time::DateTime,
};
use serde_json::Value;

pub const CHAIN_ID: u64 = 421_614;
pub const CHART: B256 = B256::repeat_byte(0xc1);
pub const RECORD: B256 = B256::repeat_byte(0xe1);
pub const POINTER: B256 = B256::repeat_byte(0x81);
pub const CLINIC: Address = Address::repeat_byte(0x11);
pub const NURSE: Address = Address::repeat_byte(0x12);
pub const INSURER: Address = Address::repeat_byte(0x21);
/// The digest of the envelope that the claim is sealed in.
pub const ENVELOPE: B256 = B256::repeat_byte(0xd1);
/// 2026-05-04T10:00:00Z.
pub const NOW: u64 = 1_777_888_800;

pub fn euro(minor: u64) -> Amount {
    Amount::new(Currency::from_numeric(978).unwrap(), minor)
}

pub fn dollar(minor: u64) -> Amount {
    Amount::new(Currency::from_numeric(840).unwrap(), minor)
}

pub fn time(text: &str) -> DateTime {
    DateTime::parse(text).unwrap()
}

pub fn key() -> FingerprintKey {
    FingerprintKey::from_slice(&[0x4b; 32]).unwrap()
}

pub fn salt(byte: u8) -> Salt {
    Salt::from_bytes([byte; 32])
}

/// Two items, 123.45 euros in all.
pub fn claim() -> Claim {
    let coverage = Identifier {
        system: Some("urn:policies".to_owned()),
        value: "P-1".to_owned(),
    };
    Claim {
        status: Status::Active,
        kind: Kind::Professional,
        purpose: Use::Claim,
        patient: Reference::chart(CHART),
        created: time("2026-05-04T10:00:00Z"),
        insurer: Reference::account("Organization", CHAIN_ID, INSURER),
        provider: Reference::account("Organization", CHAIN_ID, CLINIC),
        priority: Coding::new(system::PRIORITY, "normal"),
        care_team: Vec::new(),
        insurance: vec![Insurance {
            sequence: 1,
            focal: true,
            coverage: Reference::logical("Coverage", coverage),
        }],
        items: vec![
            Item {
                sequence: 1,
                care_team: Vec::new(),
                codes: vec![
                    Coding::new("http://loinc.org", "718-7"),
                    Coding::new("urn:tariff", "15.0010"),
                ],
                serviced: Some(Serviced::Date(time("2026-05-03"))),
                quantity: Some(Decimal::parse("2.0").unwrap()),
                unit_price: Some(euro(5000)),
                factor: None,
                net: euro(10_000),
                encounter: Some(Reference::literal("Encounter/7")),
            },
            Item {
                sequence: 2,
                care_team: Vec::new(),
                codes: vec![Coding::new("urn:tariff", "39.0190")],
                serviced: Some(Serviced::Period(Period {
                    start: Some(time("2026-05-03T10:00:00+02:00")),
                    end: Some(time("2026-05-03T10:20:00+02:00")),
                })),
                quantity: None,
                unit_price: None,
                factor: None,
                net: euro(2345),
                encounter: Some(Reference::literal("Encounter/7")),
            },
        ],
        total: euro(12_345),
        records: vec![RecordRef {
            chart: CHART,
            record_id: RECORD,
        }],
    }
}

/// The same by a surgeon, and its second item by an assistant; a head of department supervises both.
pub fn claim_of_a_team() -> Claim {
    let member = |sequence, licence: &str, role: &str| CareTeamMember {
        sequence,
        provider: Reference::logical("Practitioner", this_licence(licence)),
        role: Some(role.to_owned()),
    };
    let mut claim = claim();
    claim.care_team = vec![
        member(1, "surgeon", "primary"),
        member(2, "assistant", "assist"),
        member(3, "head", "supervisor"),
    ];
    claim.items[0].care_team = vec![1, 3];
    claim.items[1].care_team = vec![2, 3];
    claim
}

pub fn this_licence(value: &str) -> Identifier {
    Identifier {
        system: Some("urn:licences".to_owned()),
        value: value.to_owned(),
    }
}

/// How a claim of this id stands.
pub fn chain_state(id: B256, state: u8, reason_code: u16) -> ChainState {
    ChainState {
        claim: id,
        state,
        reason_code,
        changed_at: NOW,
        paid_at: Some(NOW),
    }
}

/// One of each way to be undecided, decided, paid and over.
pub fn explanations(id: B256) -> Vec<Explanation> {
    use medlock_abi::terms::{claim_reason::NOT_COVERED, claim_state};
    let claim = claim_of_a_team();
    let [whole, part, nothing] =
        verdicts().map(|verdict| ClaimResponse::decided(&claim, Reference::claim(id), &verdict, time("2026-05-20")));
    [
        (claim_state::RECEIVED, None, 0),
        (claim_state::PAID, Some(&whole), 0),
        (claim_state::PARTLY_APPROVED, Some(&part), 6),
        (claim_state::APPEALED, Some(&nothing), NOT_COVERED),
        (claim_state::REVERSED, Some(&whole), 11),
    ]
    .map(|(state, response, reason)| Explanation::of(&claim, response, &chain_state(id, state, reason)))
    .into()
}

pub fn document_of(claim: &Claim) -> ClaimDocument {
    let link = Link {
        recordId: RECORD,
        pointer: POINTER,
    };
    ClaimDocument::new(claim.write().unwrap().into_bytes(), CLINIC, vec![link], salt(0x5a))
        .ok()
        .unwrap()
}

/// As the contract tells of it.
pub fn submitted(document: &ClaimDocument) -> ClaimSubmitted {
    let new = document.submission(CHART, INSURER, ENVELOPE, &key()).unwrap();
    ClaimSubmitted {
        claim: claim_id(CLINIC, &new),
        chart: new.chart,
        insurer: new.insurer,
        provider: CLINIC,
        by: NURSE,
        document: new.document,
        fingerprint: new.fingerprint,
        currency: new.currency,
        billed: new.billed,
        links: new.links,
        currencyVersion: 1,
        shared: false,
        previous: B256::ZERO,
        deadline: NOW + 1,
    }
}

pub fn decision(verdict: Verdict) -> Decision {
    let claim = claim();
    let id = submitted(&document_of(&claim)).claim;
    let response = ClaimResponse::decided(&claim, Reference::claim(id), &verdict, time("2026-05-20"));
    Decision {
        claim: id,
        verdict,
        response: response.write().unwrap().into_bytes(),
    }
}

/// As the contract tells of it.
pub fn adjudicated(decision: &Decision) -> Adjudicated {
    Adjudicated {
        claim: decision.claim,
        serial: 2,
        by: INSURER,
        state: decision.verdict.state(),
        amount: decision.verdict.commitment(decision.claim),
        reasonCode: decision.verdict.reason().unwrap_or(0),
        document: B256::repeat_byte(0xd2),
        deadline: 0,
    }
}

/// One of each kind.
pub fn verdicts() -> [Verdict; 3] {
    use medlock_abi::terms::claim_reason::{ABOVE_LIMIT, NOT_COVERED};
    [
        Verdict::Approved {
            amount: euro(12_345),
            salt: salt(0x5b),
        },
        Verdict::PartlyApproved {
            amount: euro(10_000),
            salt: salt(0x5c),
            reason: ABOVE_LIMIT,
        },
        Verdict::Denied { reason: NOT_COVERED },
    ]
}

/// With `value` at the JSON pointer; null removes what is there, `-` adds to a list. Of numbers that stand in `json`, those with a
/// fraction become other texts of the same value.
pub fn with(json: &str, pointer: &str, value: Value) -> String {
    medlock_mutate::with(serde_json::from_str(json).unwrap(), pointer, value).to_string()
}
