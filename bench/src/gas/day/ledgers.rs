//! The ledgers' share of the day: claims on a chart, drugs on their way, a trial under way.
//!
//! Each ledger has been in use before: a currency is accepted, shipments have been numbered, a site has enrolled somebody and sent data.

use alloy::primitives::{Address, B256, U256, keccak256};
use anyhow::{Context, ensure};
use medlock_abi::{
    claims::IClaims::{self, Link, NewClaim},
    records::IRecords::{self, GrantTerms},
    registry::IRegistry,
    supply::ISupply::{self, Item},
    terms::{action, claim, claim_state, package, purpose, role, shipment},
    trials::ITrials,
};

use super::{Consumer, DIRECTORY_VERSION, Day, NOW, YEAR_S, hash, keccak, record};

/// Euro, by ISO 4217.
const EURO: u16 = 978;
/// GS1's own example.
const GTIN: u64 = 9_501_101_530_003;
/// Packages of a batch.
const SERIALS: u32 = 1_000;
/// Measurements in a batch of a trial's data.
const MEASUREMENTS: u32 = 1_000;

impl Day<'_> {
    /// An insurer's, who takes euros and may read the chart for payment.
    pub(super) fn claims(&mut self) -> anyhow::Result<()> {
        let chart = self.chart("claims");
        let (claims, clinic, insurer) = (
            self.contracts.claims,
            self.people.clinic,
            self.with_role("insurer", role::INSURER),
        );
        let patient = self.people.patient.address;
        let grant = IRecords::grantCall {
            actor: patient,
            chart,
            directoryVersion: DIRECTORY_VERSION,
            grantee: insurer,
            serial: 0,
            terms: GrantTerms {
                compartments: u64::MAX,
                purposes: purpose::HPAYMT,
                actions: action::READ,
                notBefore: 0,
                expiry: NOW + YEAR_S,
            },
            keyring: hash("keyring"),
        };
        self.contracts.must(patient, self.contracts.records, grant);
        let currency = IClaims::setCurrencyCall {
            actor: insurer,
            insurer,
            currency: EURO,
            version: 1,
            accepted: true,
            token: Address::ZERO,
            scale: 0,
        };
        self.contracts.must(insurer, claims, currency);

        let new = |number: usize| {
            let first = record(0);
            NewClaim {
                chart,
                insurer,
                document: hash(&format!("claim {number}")),
                fingerprint: hash(&format!("service {number}")),
                currency: EURO,
                billed: hash(&format!("billed {number}")),
                links: vec![Link {
                    recordId: first.recordId,
                    pointer: first.pointer,
                }],
            }
        };
        let submission = |claims| IClaims::submitClaimsCall {
            actor: clinic,
            organisation: Address::ZERO,
            claims,
        };
        self.record("submit_claim", 1, clinic, claims, submission(vec![new(0)]), 1)?;
        let most = claim::BATCH_MOST;
        let many = submission((1..=most).map(new).collect());
        self.record("submit_16_claims_each", most as u64, clinic, claims, many, most)?;

        // The twin does not answer `claimIdOf`; its event tells as well.
        let submitted = self.done.iter().find(|operation| operation.name == "submit_claim");
        let topics = submitted
            .and_then(|operation| operation.logs.first())
            .map(|log| log.topics());
        let claim = *topics.and_then(|topics| topics.get(1)).context("a claim's id")?;
        let decision = IClaims::adjudicateCall {
            actor: insurer,
            claim,
            serial: 1,
            state: claim_state::APPROVED,
            amount: hash("amount"),
            reasonCode: 0,
            document: hash("decision"),
        };
        self.record("adjudicate", 1, insurer, claims, decision, 1)?;
        let payment = IClaims::recordPaymentCall {
            actor: insurer,
            claim,
            serial: 2,
            remittance: hash("remittance"),
        };
        self.record("record_payment", 1, insurer, claims, payment, 1)
    }

    /// From a maker to a pharmacy, who dispenses one package; another is scanned.
    pub(super) fn supply(&mut self) -> anyhow::Result<()> {
        let supply = self.contracts.supply;
        let maker = self.with_role("maker", role::MAKER);
        let pharmacy = self.with_role("pharmacy", role::PHARMACY);
        let leaves: Vec<_> = (0..SERIALS)
            .map(|index| medlock_merkle::leaf(keccak, serial(index)))
            .collect();
        let root = medlock_merkle::root(keccak, &leaves).context("a tree of no leaves")?;
        let proof = |index: u32| medlock_merkle::proof(keccak, &leaves, index as usize).context("no such leaf");
        let registration = |lot: &str| ISupply::registerBatchCall {
            actor: maker,
            gtin: GTIN,
            lot: hash(lot),
            expiry: NOW + YEAR_S,
            root,
            count: SERIALS,
            document: hash("document"),
        };
        self.contracts.must(maker, supply, registration("lot before"));
        self.record("register_drug_batch", 1, maker, supply, registration("lot"), 1)?;
        let batch = keccak256([maker.into_word(), U256::from(GTIN).into(), hash("lot")].concat());
        let offer = ISupply::offerCall {
            actor: maker,
            to: pharmacy,
            kind: shipment::SALE,
            items: vec![Item {
                batch,
                unit: 0,
                last: 2,
            }],
            document: hash("document"),
        };
        self.record("offer_shipment", 1, maker, supply, offer, 2)?;
        let acceptance = ISupply::acceptCall {
            actor: pharmacy,
            shipment: 3,
            document: hash("document"),
        };
        self.record("accept_shipment", 1, pharmacy, supply, acceptance, 1)?;
        let dispensing = ISupply::dispenseCall {
            actor: pharmacy,
            batch,
            unit: 0,
            index: 600,
            serial: serial(600),
            proof: proof(600)?,
            document: hash("document"),
        };
        self.record("dispense", 1, pharmacy, supply, dispensing, 1)?;

        let scan = Consumer::verifyPackageCall {
            supply,
            batch,
            unit: 0,
            index: 601,
            serial: serial(601),
            proof: proof(601)?,
        };
        let answer = self.contracts.ask(self.consumer, scan.clone());
        ensure!(
            (answer.status, answer.party) == (package::MADE, pharmacy),
            "a package of the batch is taken for another"
        );
        self.asked("verify_package_1000", answer.used, scan)
    }

    /// A site that has one participant already, and has sent data.
    pub(super) fn trials(&mut self) -> anyhow::Result<()> {
        let trials = self.contracts.trials;
        let sponsor = self.with_role("sponsor", role::SPONSOR);
        let site = self.with_role("site", role::SITE);
        let registration = hash("registration");
        let trial = keccak256([sponsor.into_word(), registration].concat());
        let registered = ITrials::registerTrialCall {
            actor: sponsor,
            registration,
            protocol: hash("protocol"),
            plan: hash("plan"),
            form: hash("form"),
            document: hash("document"),
        };
        self.contracts.must(sponsor, trials, registered);
        let named = ITrials::setSiteCall {
            actor: sponsor,
            trial,
            site,
            serial: 0,
            active: true,
        };
        self.contracts.must(sponsor, trials, named);
        let consent = |actor| ITrials::consentCall {
            actor,
            trial,
            site,
            version: 1,
            document: hash("document"),
        };
        let enrolment = |participant| ITrials::enrolCall {
            actor: site,
            trial,
            participant,
        };
        let (first, second) = (someone("first participant"), someone("second participant"));
        self.contracts.must(first, trials, consent(first));
        self.contracts.must(site, trials, enrolment(first));
        self.record("consent_to_trial", 1, second, trials, consent(second), 1)?;
        self.record("enrol", 1, site, trials, enrolment(second), 1)?;

        // The day goes on, so that a period is over.
        let later = NOW + 60 * 60;
        self.contracts.bare.set_timestamp(later);
        let data = |sequence: u32| ITrials::anchorBatchCall {
            actor: site,
            trial,
            sequence,
            from: NOW,
            to: later,
            root: hash(&format!("data {sequence}")),
            count: MEASUREMENTS,
            participants: vec![U256::from(0b110)],
            document: hash("document"),
        };
        self.contracts.must(site, trials, data(1));
        self.record("anchor_trial_data", 1, site, trials, data(2), 1)
    }

    /// Somebody with a credential for these roles.
    fn with_role(&mut self, name: &str, roles: u64) -> Address {
        let party = someone(name);
        let call = IRegistry::issueCredentialCall {
            party,
            roles,
            expiry: NOW + YEAR_S,
            document: hash("document"),
        };
        self.contracts.must(self.people.issuer, self.contracts.registry, call);
        party
    }
}

/// An account without a key, as nobody signs here.
fn someone(name: &str) -> Address {
    Address::from_word(hash(name))
}

fn serial(index: u32) -> B256 {
    hash(&format!("serial {index}"))
}
