//! One honest trial: two versions, two sites, four batches, two results; as facts of the chain and as a published folder.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, keccak256};
use medlock_abi::terms::{amendment, batch as flag};
use medlock_research::batch::{Batch, Place, Row};
use medlock_research::chain::{ChainBatch, ChainLock, ChainResults, ChainSite, ChainTrial, ChainVersion};
use medlock_research::data::{Link, chain_all};
use medlock_research::folder::{BatchName, Folder, INDEX, Index, ResultsName, VersionFiles};
use medlock_research::results::{Kind, Plan, Planned, Reported, Results};
use medlock_research::trial::{Documents, file_digest, registration_digest, trial_id};
use medlock_research::{Report, verify};

pub const SPONSOR: Address = Address::repeat_byte(0x50);
pub const SITE: Address = Address::repeat_byte(0x51);
pub const OTHER_SITE: Address = Address::repeat_byte(0x52);
pub const REGISTRATION: &str = "NCT01234567";
pub const REGISTERED_AT: u64 = 1_777_800_000;
const DAY_S: u64 = 86_400;

pub type Files = BTreeMap<String, Vec<u8>>;

pub fn trial() -> B256 {
    trial_id(SPONSOR, registration_digest(REGISTRATION).unwrap())
}

/// Distinct, and the same in each run.
pub fn salt(batch: u32, row: u32) -> B256 {
    keccak256([batch.to_be_bytes(), row.to_be_bytes()].concat())
}

pub fn rows(batch: u32, participants: &[u32]) -> Vec<Row> {
    (0..)
        .zip(participants)
        .map(|(row, participant)| Row {
            participant: *participant,
            salt: salt(batch, row),
            payload: format!(r#"{{"visit":{batch},"systolic":{}}}"#, 120 + row).into_bytes(),
        })
        .collect()
}

pub fn place(site: Address, sequence: u32) -> Place {
    let from = REGISTERED_AT + u64::from(sequence) * DAY_S;
    Place {
        trial: trial(),
        site,
        sequence,
        from,
        to: from + DAY_S,
    }
}

pub fn planned(id: &str, title: &str, kind: Kind) -> Planned {
    Planned {
        id: id.to_owned(),
        title: title.to_owned(),
        kind,
    }
}

/// That of version 2 has an outcome more.
pub fn plan(version: u8) -> Plan {
    let mut outcomes = vec![
        planned("mortality-28", "Death of any cause within 28 days", Kind::Primary),
        planned("stay", "Days in hospital", Kind::Secondary),
    ];
    if version > 1 {
        outcomes.push(planned("pain", "Pain at day 7, 0 to 10", Kind::Secondary));
    }
    Plan {
        document: file_digest(&plan_text(version)),
        outcomes,
    }
}

fn plan_text(version: u8) -> Vec<u8> {
    format!("The analysis plan of version {version}, in full.").into_bytes()
}

pub fn reported(plan: &Plan) -> Vec<Reported> {
    let report = |outcome: &Planned| Reported {
        id: outcome.id.clone(),
        title: outcome.title.clone(),
        kind: outcome.kind,
        value: "risk ratio 0.91 (95 % CI 0.83 to 0.99), 412 analysed".to_owned(),
    };
    plan.outcomes.iter().map(report).collect()
}

/// A trial as it was anchored and published.
#[derive(Clone)]
pub struct Published {
    pub chain: ChainTrial,
    pub files: Files,
}

pub const BATCH_FILES: [&str; 4] = [
    "batches/a-1.jsonl",
    "batches/a-2.jsonl",
    "batches/b-1.jsonl",
    "batches/a-3.jsonl",
];

impl Published {
    /// With results that report what was planned.
    pub fn honest() -> Self {
        Self::with_outcomes(reported(&plan(2)))
    }

    /// Both results report these.
    pub fn with_outcomes(outcomes: Vec<Reported>) -> Self {
        let mut files = Files::new();
        let versions: Vec<_> = [1, 2].map(|version| add_version(&mut files, version)).into();
        let batches: Vec<_> = [
            (SITE, 1, &[1, 2, 3][..], 0),
            (SITE, 2, &[1, 3, 3], 0),
            (OTHER_SITE, 1, &[1, 300], 0),
            (SITE, 3, &[2], flag::LATE),
        ]
        .into_iter()
        .zip(BATCH_FILES)
        .zip(1..)
        .map(|(((site, sequence, participants, flags), file), number)| {
            let batch = Batch::new(place(site, sequence), rows(number, participants)).unwrap();
            files.insert(file.to_owned(), batch.to_lines().into_bytes());
            // In the order of the numbers.
            let late = if flags == 0 {
                u64::from(number) * DAY_S
            } else {
                flag::LATE_S + 1
            };
            chain_batch(&batch, flags, late)
        })
        .collect();
        let data = chain_all(batches.iter().map(link));
        let locked_at = REGISTERED_AT + 90 * DAY_S;
        let results = [0, 1].map(|number| {
            let results = Results {
                trial: trial(),
                version: 2,
                plan: versions[1].documents.plan,
                data,
                outcomes: outcomes.clone(),
            };
            // The second is a correction: it has other bytes.
            let text = results
                .to_json()
                .unwrap()
                .replace("412", ["412", "413"][usize::from(number)]);
            files.insert(format!("results-{number}.json"), text.clone().into_bytes());
            ChainResults {
                number,
                version: 2,
                plan: results.plan,
                data,
                results: file_digest(text.as_bytes()),
                at: locked_at + DAY_S,
            }
        });
        files.insert(INDEX.to_owned(), index().to_json().unwrap().into_bytes());
        let chain = ChainTrial {
            trial: trial(),
            sponsor: SPONSOR,
            registration: registration_digest(REGISTRATION).unwrap(),
            also_registered_by: Vec::new(),
            registered_at: REGISTERED_AT,
            versions,
            sites: [(SITE, 3), (OTHER_SITE, 300)].map(chain_site).into(),
            batches,
            lock: Some(ChainLock {
                batches: 4,
                data,
                at: locked_at,
            }),
            results: results.into(),
        };
        Self { chain, files }
    }

    pub fn verify(&self) -> Report {
        let read = |name: &str| self.files.get(name).cloned();
        verify(&self.chain, &Folder::new(self.files.keys().cloned(), &read))
    }

    /// The codes of all findings but those of an honest trial.
    pub fn codes(&self) -> Vec<&'static str> {
        let honest = Self::honest().verify().findings;
        let findings = self.verify().findings.into_iter().filter(|one| !honest.contains(one));
        findings.map(|finding| finding.code()).collect()
    }

    /// The file as text, changed.
    pub fn change(&mut self, file: &str, change: impl FnOnce(&str) -> String) {
        let bytes = self.files.get_mut(file).unwrap();
        let changed = change(std::str::from_utf8(bytes).unwrap());
        assert_ne!(changed.as_bytes(), bytes, "{file} was not changed");
        *bytes = changed.into_bytes();
    }

    pub fn change_index(&mut self, change: impl FnOnce(&mut Index)) {
        let mut index = index();
        change(&mut index);
        self.files
            .insert(INDEX.to_owned(), index.to_json().unwrap().into_bytes());
    }
}

pub fn index() -> Index {
    let versions = [1, 2].map(|version| VersionFiles {
        version,
        protocol: format!("protocol-{version}.pdf"),
        plan: format!("plan-{version}.json"),
        plan_document: Some(format!("plan-{version}.pdf")),
        form: format!("form-{version}.pdf"),
    });
    let places = [(SITE, 1), (SITE, 2), (OTHER_SITE, 1), (SITE, 3)];
    let batches = places.into_iter().zip(BATCH_FILES);
    let results = [0, 1].map(|number| ResultsName {
        number,
        file: format!("results-{number}.json"),
    });
    Index {
        trial: trial(),
        sponsor: SPONSOR,
        registration: REGISTRATION.to_owned(),
        versions: versions.into(),
        batches: batches
            .map(|((site, sequence), file)| BatchName {
                site,
                sequence,
                file: file.to_owned(),
            })
            .collect(),
        results: results.into(),
    }
}

fn add_version(files: &mut Files, version: u8) -> ChainVersion {
    let protocol = format!("The protocol of version {version}.").into_bytes();
    let form = format!("The consent form of version {version}.").into_bytes();
    let plan = plan(version).to_json().unwrap().into_bytes();
    let documents = Documents::of(&protocol, &plan, &form);
    files.insert(format!("protocol-{version}.pdf"), protocol);
    files.insert(format!("plan-{version}.json"), plan);
    files.insert(format!("plan-{version}.pdf"), plan_text(version));
    files.insert(format!("form-{version}.pdf"), form);
    let is_first = version == 1;
    ChainVersion {
        documents,
        at: if is_first { REGISTERED_AT } else { REGISTERED_AT + 100 },
        reason_code: if is_first { 0 } else { amendment::OUTCOMES },
        reconsent: false,
        enrolled_then: if is_first { 0 } else { 2 },
    }
}

pub fn chain_batch(batch: &Batch, flags: u8, late_s: u64) -> ChainBatch {
    let header = batch.header();
    ChainBatch {
        site: header.place.site,
        sequence: header.place.sequence,
        root: header.root,
        count: header.count,
        from: header.place.from,
        to: header.place.to,
        anchored_at: header.place.to + late_s,
        flags,
        version: 2,
        participants: batch.participants(),
    }
}

pub fn link(batch: &ChainBatch) -> Link {
    Link {
        site: batch.site,
        sequence: batch.sequence,
        root: batch.root,
    }
}

fn chain_site((site, enrolled): (Address, u32)) -> ChainSite {
    ChainSite {
        site,
        active: true,
        enrolled,
        withdrawn: 0,
    }
}
