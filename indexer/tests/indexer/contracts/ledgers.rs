//! The three ledgers, run: after every transaction nothing that the index has heard of differs from the contracts' storage, and later nothing
//! differs at any of those blocks, in either database.
use super::World;
use crate::support::{SOON, databases::KINDS, dump::dump, event::id, latest};
use alloy::{
    primitives::{Address, B256, U256, keccak256},
    sol_types::SolCall,
};
use medlock_abi::{
    claims::IClaims::{self, NewClaim},
    records::IRecords::{self, GrantTerms, NewRecord},
    registry::IRegistry,
    supply::ISupply::{self, Item},
    terms::{
        CODEC_DAG_CBOR, action, amendment, batch as flag, claim, claim_reason, claim_state as state, decommission,
        participant, purpose, recall, role, shipment, trial,
    },
    trials::ITrials,
};
use medlock_indexer::{ClaimsOf, Config, Database, Endpoints, Head, Page, ShipmentsOf, When, spawn, verify};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

const CHART: u64 = 1;
const EURO: u16 = 978;
const GTIN: u64 = 4_006_381_333_931;
/// A power of two, so that the tree is whole.
const PACKAGES: u32 = 8;

#[tokio::test]
async fn the_index_of_the_ledgers_differs_from_the_contracts_at_no_block() {
    let world = World::start().await;
    let mut blocks = Vec::new();
    world.parties(&mut blocks).await;
    let claims = world.claims(&mut blocks).await;
    world.claims_are_found(&claims).await;
    let batch = world.drugs(&mut blocks).await;
    world.drugs_are_found(batch).await;
    let trial = world.trial(&mut blocks).await;
    world.trial_is_found(trial).await;
    world.nothing_differs_in_either_database(&blocks).await;
    world.what_is_falsified_is_named().await;
}

impl World {
    /// Sends `call`, waits until its block is indexed, and compares all that the index has heard of.
    async fn act<C: SolCall>(&self, blocks: &mut Vec<Head>, from: Address, to: Address, call: C) {
        self.pass(1).await;
        let head = self.indexed(from, to, call).await;
        let database = Database::Sqlite(self.folder.path().join("index.db"));
        let differences = self.differences(&database, Some(head.number)).await;
        assert_eq!(differences, [] as [String; 0], "after {}", C::SIGNATURE);
        blocks.push(head);
    }

    async fn differences(&self, database: &Database, block: Option<u64>) -> Vec<String> {
        let endpoints = Endpoints::from(self._anvil.url());
        let mut differences = Vec::new();
        let verified = verify(database, &endpoints, self.deployment, block, |d| {
            differences.push(d.to_string());
        });
        verified.await.unwrap();
        differences
    }

    /// The clinic makes drugs too; the second party distributes, the stranger is a pharmacy, the guardian plans a trial and the carer runs its site.
    async fn parties(&self, blocks: &mut Vec<Head>) {
        let registry = self.deployment.registry;
        let (owner, issuer) = (self.owner, self.issuer);
        let call = IRegistry::setIssuerCall { issuer, active: true };
        self.act(blocks, owner, registry, call).await;
        for (party, roles) in [
            (self.clinic, role::ORGANISATION | role::PROVIDER | role::MAKER),
            (self.insurer, role::ORGANISATION | role::INSURER),
            (self.second, role::DISTRIBUTOR),
            (self.stranger, role::PHARMACY),
            (self.guardian, role::SPONSOR | role::REGULATOR),
            (self.carer, role::SITE),
        ] {
            let call = IRegistry::issueCredentialCall {
                party,
                roles,
                expiry: 0,
                document: id(1),
            };
            self.act(blocks, issuer, registry, call).await;
        }
    }

    /// One claim through all that can become of it; one denied by silence; one withdrawn; the shared registry.
    async fn claims(&self, blocks: &mut Vec<Head>) -> [B256; 3] {
        let (records, claims) = (self.deployment.records, self.deployment.claims);
        let (patient, clinic, insurer, chart) = (self.patient, self.clinic, self.insurer, id(CHART));
        let call = IRecords::openChartCall {
            actor: patient,
            chart,
            directory: id(2),
        };
        self.act(blocks, patient, records, call).await;
        let call = IRecords::addRecordsCall {
            actor: patient,
            chart,
            organisation: Address::ZERO,
            directoryVersion: 1,
            records: vec![NewRecord {
                recordId: id(10),
                compartment: 3,
                codec: CODEC_DAG_CBOR,
                pointer: id(11),
            }],
        };
        self.act(blocks, patient, records, call).await;
        let call = IRecords::grantCall {
            actor: patient,
            chart,
            directoryVersion: 1,
            grantee: insurer,
            serial: 0,
            terms: GrantTerms {
                compartments: 1 << 3,
                purposes: purpose::HPAYMT,
                actions: action::READ,
                notBefore: 0,
                expiry: 0,
            },
            keyring: id(12),
        };
        self.act(blocks, patient, records, call).await;
        for version in [1, 2] {
            let call = IClaims::setCurrencyCall {
                actor: insurer,
                insurer,
                currency: EURO,
                version,
                accepted: true,
                // Any contract.
                token: if version == 1 { Address::ZERO } else { records },
                scale: if version == 1 { 0 } else { 16 },
            };
            self.act(blocks, insurer, claims, call).await;
        }

        let first = new_claim(insurer, 20);
        let [one, two, three] =
            [&first, &new_claim(insurer, 30), &new_claim(insurer, 40)].map(|claim| claim_id(clinic, claim));
        let submit = |new: Vec<NewClaim>| IClaims::submitClaimsCall {
            actor: clinic,
            organisation: Address::ZERO,
            claims: new,
        };
        let both = submit(vec![first.clone(), new_claim(insurer, 30)]);
        self.act(blocks, clinic, claims, both).await;
        let call = IClaims::beginReviewCall {
            actor: insurer,
            claim: one,
            serial: 1,
        };
        self.act(blocks, insurer, claims, call).await;
        let call = IClaims::requestInformationCall {
            actor: insurer,
            claim: one,
            serial: 2,
            document: id(51),
        };
        self.act(blocks, insurer, claims, call).await;
        let call = IClaims::provideInformationCall {
            actor: clinic,
            claim: one,
            serial: 3,
            document: id(52),
        };
        self.act(blocks, clinic, claims, call).await;
        for (serial, amount, document) in [(4, 61, 53), (6, 62, 55)] {
            let call = IClaims::adjudicateCall {
                actor: insurer,
                claim: one,
                serial,
                state: state::PARTLY_APPROVED,
                amount: id(amount),
                reasonCode: claim_reason::ABOVE_LIMIT,
                document: id(document),
            };
            self.act(blocks, insurer, claims, call).await;
            if serial == 4 {
                let call = IClaims::appealCall {
                    actor: clinic,
                    claim: one,
                    serial: 5,
                    document: id(54),
                };
                self.act(blocks, clinic, claims, call).await;
            }
        }
        let call = IClaims::acceptPartCall {
            actor: clinic,
            claim: one,
            serial: 7,
        };
        self.act(blocks, clinic, claims, call).await;
        let call = IClaims::recordPaymentCall {
            actor: insurer,
            claim: one,
            serial: 8,
            remittance: id(56),
        };
        self.act(blocks, insurer, claims, call).await;
        let call = IClaims::reverseClaimCall {
            actor: insurer,
            claim: one,
            serial: 9,
            reasonCode: claim_reason::PAID_IN_ERROR,
        };
        self.act(blocks, insurer, claims, call).await;

        // The insurer says nothing, then begins to look at it, and says nothing still.
        let call = IClaims::beginReviewCall {
            actor: insurer,
            claim: two,
            serial: 1,
        };
        self.act(blocks, insurer, claims, call).await;
        self.pass(claim::DECISION_S).await;
        let call = IClaims::closeOverdueCall {
            actor: clinic,
            claim: two,
            serial: 2,
        };
        self.act(blocks, clinic, claims, call).await;

        let call = IClaims::setInsurerCall {
            actor: insurer,
            insurer,
            serial: 0,
            shared: true,
        };
        self.act(blocks, insurer, claims, call).await;
        self.act(blocks, clinic, claims, submit(vec![new_claim(insurer, 40)]))
            .await;
        let call = IClaims::withdrawCall {
            actor: clinic,
            claim: three,
            serial: 1,
        };
        self.act(blocks, clinic, claims, call).await;
        [one, two, three]
    }

    async fn claims_are_found(&self, [one, two, three]: &[B256; 3]) {
        let mut view = latest(&self.handle.index()).await;
        let of = ClaimsOf::Provider(self.clinic);
        let listed = view.claims(of, None, Page::default()).await.unwrap();
        let states: Vec<_> = listed.iter().map(|claim| (claim.claim, claim.state)).collect();
        assert_eq!(
            states,
            [
                (*one, state::REVERSED),
                (*two, state::DENIED),
                (*three, state::WITHDRAWN)
            ]
        );
        assert_eq!(
            listed.iter().map(|claim| claim.shared).collect::<Vec<_>>(),
            [false, false, true]
        );
        let denied = view.claims(of, Some(state::DENIED), Page::default()).await.unwrap();
        assert_eq!(denied.as_slice(), &listed[1..2]);
        assert_eq!(denied[0].reason_code, claim_reason::NO_ANSWER);

        let steps = view.claim_steps(*one).await.unwrap();
        let told: Vec<_> = steps
            .iter()
            .map(|step| (step.event.as_str(), step.acted_by, step.document))
            .collect();
        let (clinic, insurer, none) = (self.clinic, self.insurer, B256::ZERO);
        assert_eq!(
            told,
            [
                ("ClaimSubmitted", clinic, id(20)),
                ("ReviewBegun", insurer, none),
                ("InformationRequested", insurer, id(51)),
                ("InformationProvided", clinic, id(52)),
                ("Adjudicated", insurer, id(53)),
                ("Appealed", clinic, id(54)),
                ("Adjudicated", insurer, id(55)),
                ("PartAccepted", clinic, none),
                ("Paid", insurer, id(56)),
                ("Reversed", insurer, none),
            ]
        );
        let facts = view
            .claim_facts(ClaimsOf::Insurer(insurer), 0, Page::default())
            .await
            .unwrap();
        let record = view.record_version(id(CHART), id(10), 1).await.unwrap().unwrap();
        for fact in &facts {
            let links: Vec<_> = fact
                .links
                .iter()
                .map(|l| (l.record_id, l.pointer, l.written_at, l.created_at))
                .collect();
            let at = Some(record.created_at);
            assert_eq!(links, [(id(10), id(11), at, at)]);
        }
        assert_eq!(facts.into_iter().map(|fact| fact.claim).collect::<Vec<_>>(), listed);
    }

    /// A sale, another, a dispensing, a return; an offer that is refused and one that is taken back; a recall, and the rest destroyed.
    async fn drugs(&self, blocks: &mut Vec<Head>) -> B256 {
        let supply = self.deployment.supply;
        let (maker, trader, pharmacy) = (self.clinic, self.second, self.stranger);
        let registered = blocks[blocks.len() - 1].time;
        let call = ISupply::registerBatchCall {
            actor: maker,
            gtin: GTIN,
            lot: id(70),
            expiry: registered + 10 * claim::DECISION_S,
            root: tree(0, PACKAGES),
            count: PACKAGES,
            document: id(71),
        };
        self.act(blocks, maker, supply, call).await;
        let batch = keccak256([maker.into_word(), U256::from(GTIN).into(), id(70)].concat());
        self.split(blocks, maker, batch, 0, vec![4]).await;
        let one = self.offer(blocks, (maker, trader, shipment::SALE), batch, &[4]).await;
        self.close(blocks, trader, one, shipment::ACCEPTED).await;
        self.split(blocks, trader, batch, 4, vec![6, 7]).await;
        let refused = self
            .offer(blocks, (trader, pharmacy, shipment::SALE), batch, &[6])
            .await;
        self.close(blocks, pharmacy, refused, shipment::REFUSED).await;
        let two = self
            .offer(blocks, (trader, pharmacy, shipment::SALE), batch, &[6, 7])
            .await;
        self.close(blocks, pharmacy, two, shipment::ACCEPTED).await;
        let call = ISupply::dispenseCall {
            actor: pharmacy,
            batch,
            unit: 6,
            index: 6,
            serial: serial(6),
            proof: vec![tree(7, 1), tree(4, 2), tree(0, 4)],
            document: id(72),
        };
        self.act(blocks, pharmacy, supply, call).await;
        let back = self
            .offer(blocks, (pharmacy, maker, shipment::RETURN), batch, &[7])
            .await;
        self.close(blocks, maker, back, shipment::ACCEPTED).await;
        let taken = self.offer(blocks, (maker, trader, shipment::SALE), batch, &[0]).await;
        self.close(blocks, maker, taken, shipment::WITHDRAWN).await;
        self.offer(blocks, (maker, trader, shipment::SALE), batch, &[0]).await;
        for (number, (from, to)) in [(1, 3), (0, PACKAGES)].into_iter().enumerate() {
            let call = ISupply::recallCall {
                actor: self.guardian,
                batch,
                number: number as u8,
                from,
                to,
                class: recall::CLASS_I,
                reasonCode: recall::CONTAMINATED,
                document: id(73),
            };
            self.act(blocks, self.guardian, supply, call).await;
        }
        let last = self.unit_of(batch, 4).await.last;
        let call = ISupply::decommissionCall {
            actor: trader,
            batch,
            unit: 4,
            last,
            reasonCode: decommission::DESTROYED,
            document: id(74),
        };
        self.act(blocks, trader, supply, call).await;
        batch
    }

    async fn drugs_are_found(&self, batch: B256) {
        let mut view = latest(&self.handle.index()).await;
        let (maker, trader, pharmacy) = (self.clinic, self.second, self.stranger);
        let found = view.drug_batches_of_lot(GTIN, id(70), Page::default()).await.unwrap();
        assert_eq!(
            found.iter().map(|b| (b.batch, b.recalls)).collect::<Vec<_>>(),
            [(batch, 2)]
        );
        let units = view.units(batch, None, 0).await.unwrap();
        let held: Vec<_> = units.iter().map(|unit| (unit.unit, unit.to, unit.holder)).collect();
        assert_eq!(held, [(0, 4, maker), (4, 6, trader), (6, 7, pharmacy), (7, 8, maker)]);
        let (of_maker, more) = view.units_of(maker, None, 0).await.unwrap();
        assert_eq!((of_maker.len(), more), (2, None));
        assert_eq!(view.unit_with(batch, 5).await.unwrap().unwrap(), units[1]);
        let custody = view.custody(batch, units[2].step).await.unwrap();
        let custody: Vec<_> = custody.iter().map(|step| step.holder).collect();
        assert_eq!(custody, [pharmacy, trader, maker]);
        // As if it had never left.
        let custody = view.custody(batch, units[3].step).await.unwrap();
        let custody: Vec<_> = custody.iter().map(|step| (step.holder, step.kind)).collect();
        assert_eq!(custody, [(maker, shipment::RETURN)]);
        let open = view
            .shipments(ShipmentsOf::Receiver(trader), true, Page::default())
            .await
            .unwrap();
        assert_eq!(open.iter().map(|s| s.shipment).collect::<Vec<_>>(), [units[0].shipment]);
        let sent = view
            .shipments(ShipmentsOf::Sender(maker), false, Page::default())
            .await
            .unwrap();
        let sent: Vec<_> = sent.iter().map(medlock_indexer::Shipment::state).collect();
        assert_eq!(sent, [shipment::ACCEPTED, shipment::WITHDRAWN, shipment::OPEN]);
        let recalls = view.recalls(Page { after: None, limit: 1 }).await.unwrap();
        let after = Some(recalls[0].position);
        let later = view.recalls(Page { after, limit: 0 }).await.unwrap();
        assert_eq!(
            later.iter().map(|r| (r.number, r.from, r.to)).collect::<Vec<_>>(),
            [(1, 0, PACKAGES)]
        );
        let dispensed = view.dispensings(serial(6), Page::default()).await.unwrap();
        let dispensed: Vec<_> = dispensed
            .iter()
            .map(|d| (d.maker, d.gtin, d.package, d.dispensed_by))
            .collect();
        assert_eq!(dispensed, [(maker, GTIN, 6, pharmacy)]);
    }

    async fn split(&self, blocks: &mut Vec<Head>, actor: Address, batch: B256, unit: u32, cuts: Vec<u32>) {
        let call = ISupply::splitCall {
            actor,
            batch,
            unit,
            cuts,
        };
        self.act(blocks, actor, self.deployment.supply, call).await;
    }

    /// Gives the shipment's number.
    async fn offer(
        &self,
        blocks: &mut Vec<Head>,
        (actor, to, kind): (Address, Address, u8),
        batch: B256,
        units: &[u32],
    ) -> u64 {
        let mut items = Vec::new();
        for unit in units {
            let last = self.unit_of(batch, *unit).await.last;
            items.push(Item {
                batch,
                unit: *unit,
                last,
            });
        }
        let call = ISupply::offerCall {
            actor,
            to,
            kind,
            items,
            document: id(75),
        };
        self.act(blocks, actor, self.deployment.supply, call).await;
        self.unit_of(batch, units[0]).await.shipment
    }

    async fn close(&self, blocks: &mut Vec<Head>, actor: Address, shipment: u64, state: u8) {
        let (supply, document) = (self.deployment.supply, id(76));
        match state {
            shipment::ACCEPTED => {
                let call = ISupply::acceptCall {
                    actor,
                    shipment,
                    document,
                };
                self.act(blocks, actor, supply, call).await;
            }
            shipment::REFUSED => {
                let call = ISupply::refuseCall {
                    actor,
                    shipment,
                    document,
                };
                self.act(blocks, actor, supply, call).await;
            }
            _ => {
                let call = ISupply::withdrawCall {
                    actor,
                    shipment,
                    document,
                };
                self.act(blocks, actor, supply, call).await;
            }
        }
    }

    async fn unit_of(&self, batch: B256, unit: u32) -> ISupply::unitOfReturn {
        let head = self.handle.index().head().await.unwrap();
        let call = ISupply::unitOfCall { batch, unit };
        self.view(self.deployment.supply, head, call).await
    }

    /// Two participants, one enrolled; a re-consent; batches out of order; a withdrawal; lock, results with a correction, end.
    async fn trial(&self, blocks: &mut Vec<Head>) -> B256 {
        let trials = self.deployment.trials;
        let (sponsor, site, taker, other) = (self.guardian, self.carer, self.heir, self.patient);
        let call = ITrials::registerTrialCall {
            actor: sponsor,
            registration: id(80),
            protocol: id(81),
            plan: id(82),
            form: id(83),
            document: B256::ZERO,
        };
        self.act(blocks, sponsor, trials, call).await;
        let started = blocks[blocks.len() - 1].time;
        let trial = keccak256([sponsor.into_word(), id(80)].concat());
        let call = ITrials::setSiteCall {
            actor: sponsor,
            trial,
            site,
            serial: 0,
            active: true,
        };
        self.act(blocks, sponsor, trials, call).await;
        let consents = |actor, version| ITrials::consentCall {
            actor,
            trial,
            site,
            version,
            document: id(84),
        };
        self.act(blocks, taker, trials, consents(taker, 1)).await;
        self.act(blocks, other, trials, consents(other, 1)).await;
        let call = ITrials::enrolCall {
            actor: site,
            trial,
            participant: taker,
        };
        self.act(blocks, site, trials, call).await;
        let call = ITrials::amendTrialCall {
            actor: sponsor,
            trial,
            version: 2,
            protocol: id(85),
            plan: id(86),
            form: id(87),
            reasonCode: amendment::OUTCOMES,
            reconsent: true,
            document: id(88),
        };
        self.act(blocks, sponsor, trials, call).await;
        self.act(blocks, taker, trials, consents(taker, 2)).await;
        for sequence in [3, 1] {
            let call = ITrials::anchorBatchCall {
                actor: site,
                trial,
                sequence,
                from: started,
                to: started + 1,
                root: id(90 + u64::from(sequence)),
                count: 2,
                participants: vec![U256::from(1) << 1],
                document: B256::ZERO,
            };
            self.act(blocks, site, trials, call).await;
        }
        for actor in [taker, other] {
            let call = ITrials::withdrawConsentCall { actor, trial };
            self.act(blocks, actor, trials, call).await;
        }
        let call = ITrials::setSiteCall {
            actor: sponsor,
            trial,
            site,
            serial: 1,
            active: false,
        };
        self.act(blocks, sponsor, trials, call).await;
        let call = ITrials::lockDataCall {
            actor: sponsor,
            trial,
            batches: 2,
        };
        self.act(blocks, sponsor, trials, call).await;
        for number in [0, 1] {
            let call = ITrials::anchorResultsCall {
                actor: sponsor,
                trial,
                version: 2,
                number,
                results: id(95 + u64::from(number)),
                document: B256::ZERO,
            };
            self.act(blocks, sponsor, trials, call).await;
        }
        let call = ITrials::closeTrialCall { actor: sponsor, trial };
        self.act(blocks, sponsor, trials, call).await;
        trial
    }

    async fn trial_is_found(&self, trial: B256) {
        let mut view = latest(&self.handle.index()).await;
        let found = view.trial(trial).await.unwrap().unwrap();
        assert_eq!(
            (found.state, found.enrolled, found.withdrawn, found.consent_version),
            (trial::CLOSED, 1, 1, 2)
        );
        let versions = view.trial_versions(trial).await.unwrap();
        let versions: Vec<_> = versions.iter().map(|v| (v.plan, v.enrolled_before)).collect();
        assert_eq!(versions, [(id(82), 0), (id(86), 1)]);
        let batches = view.data_batches(trial, Page::default()).await.unwrap();
        let flags: Vec<_> = batches.iter().map(|b| (b.sequence, b.flags)).collect();
        assert_eq!(flags, [(3, flag::GAP), (1, flag::OUT_OF_ORDER)]);
        assert_eq!(batches[1].participants, [U256::from(2)]);
        assert_eq!(batches[1].data, found.data);
        let results = view.trial_results(trial).await.unwrap();
        let results: Vec<_> = results.iter().map(|r| (r.results, r.plan, r.data)).collect();
        assert_eq!(results, [(id(95), id(86), found.data), (id(96), id(86), found.data)]);
        for (account, number) in [(self.heir, 1), (self.patient, 0)] {
            let [held] = view.participations(account, Page::default()).await.unwrap()[..] else {
                panic!("one participation of {account}");
            };
            assert_eq!((held.status, held.number), (participant::WITHDRAWN, number));
        }
    }

    async fn nothing_differs_in_either_database(&self, blocks: &[Head]) {
        let mut dumps = vec![dump(&self.folder.path().join("index.db").display().to_string()).await];
        for kind in KINDS {
            let name = kind.fresh(self.folder.path(), "ledgers");
            let config = Config {
                endpoints: self._anvil.url().into(),
                deployment: self.deployment,
                database: name.parse().unwrap(),
                poll_ms: 20,
            };
            let handle = spawn(config).await.unwrap();
            let newest = blocks[blocks.len() - 1];
            handle.wait_for_block(newest.number, SOON).await.unwrap();
            for block in blocks.iter().step_by(4) {
                let differences = self.differences(&name.parse().unwrap(), Some(block.number)).await;
                assert_eq!(differences, [] as [String; 0], "at block {}", block.number);
                // A time leads to the same block.
                let view = handle.index().view(When::Time(block.time)).await.unwrap();
                assert_eq!(view.block().number, block.number);
            }
            handle.shutdown().await.unwrap();
            dumps.push(dump(&name).await);
        }
        assert!(dumps.windows(2).all(|pair| pair[0] == pair[1]));
    }

    async fn what_is_falsified_is_named(&self) {
        let file = self.folder.path().join("index.db");
        let options = SqliteConnectOptions::new().filename(&file);
        let mut db = SqliteConnection::connect_with(&options).await.unwrap();
        let falsified = [
            ("UPDATE claim SET currency = 5", "claim (claim 0x", "currency is 5"),
            (
                "UPDATE claim_step SET state = 9 WHERE valid_to = 9223372036854775807",
                "claim (claim 0x",
                "claim_step.state is 9",
            ),
            (
                "UPDATE insurer_setting SET serial = 6",
                "insurer_setting (insurer 0x",
                "serial is 6",
            ),
            (
                "UPDATE currency_setting SET scale = 7",
                "currency_setting (insurer 0x",
                "scale is 7",
            ),
            (
                "UPDATE drug_batch SET packages = 9",
                "drug_batch (batch 0x",
                "packages is 9",
            ),
            (
                "UPDATE unit SET unit = 3 WHERE unit = 4",
                "unit (batch 0x",
                "to is 3 in the index",
            ),
            (
                "UPDATE unit_offer SET previous = 55",
                "unit_offer (batch 0x",
                "previous is 55",
            ),
            (
                "UPDATE shipment_closing SET state = 3",
                "shipment (shipment ",
                "shipment_closing.state is 3",
            ),
            ("UPDATE recall SET class = 3", "recall (batch 0x", "class is 3"),
            (
                "UPDATE dispensing SET package = 77",
                "dispensing (batch 0x",
                "package is 77",
            ),
            (
                "DELETE FROM trial_closing",
                "trial (trial 0x",
                "state is 2 in the index",
            ),
            (
                "UPDATE trial_version SET reason_code = 2",
                "trial_version (trial 0x",
                "reason_code is 2",
            ),
            (
                "UPDATE site SET active = 1 WHERE valid_to = 9223372036854775807",
                "site (trial 0x",
                "active is true",
            ),
            (
                "UPDATE enrolment SET number = 44",
                "consent (trial 0x",
                "enrolment.number is 44",
            ),
            ("UPDATE data_batch SET flags = 0", "data_batch (trial 0x", "flags is 0"),
            (
                "UPDATE trial_result SET results = zeroblob(32)",
                "trial (trial 0x",
                "trial_result.results is 0x0000",
            ),
        ];
        for (sql, ..) in falsified {
            let touched = sqlx::query(sql).execute(&mut db).await.unwrap().rows_affected();
            assert!(touched > 0, "{sql}");
        }
        let differences = self.differences(&Database::Sqlite(file), None).await;
        for (sql, thing, value) in falsified {
            let mut named = differences.iter();
            assert!(
                named.any(|line| line.starts_with(thing) && line.contains(value)),
                "{sql}: {differences:#?}"
            );
        }
    }
}

/// For a service of its own; rests on record 10.
fn new_claim(insurer: Address, n: u64) -> NewClaim {
    NewClaim {
        chart: id(CHART),
        insurer,
        document: id(n),
        fingerprint: id(n + 1),
        currency: EURO,
        billed: id(n + 2),
        links: vec![IClaims::Link {
            recordId: id(10),
            pointer: id(11),
        }],
    }
}

/// As `claimIdOf` says.
fn claim_id(provider: Address, claim: &NewClaim) -> B256 {
    let links: Vec<_> = claim
        .links
        .iter()
        .flat_map(|link| [link.recordId, link.pointer])
        .collect();
    let words = [
        provider.into_word(),
        claim.chart,
        claim.insurer.into_word(),
        claim.document,
        claim.fingerprint,
        U256::from(claim.currency).into(),
        claim.billed,
        keccak256(links.concat()),
    ];
    keccak256(words.concat())
}

fn serial(package: u32) -> B256 {
    id(100 + u64::from(package))
}

/// The root over `count` packages from `from` on, a power of two of them (RFC 9162 with keccak256).
fn tree(from: u32, count: u32) -> B256 {
    match count / 2 {
        0 => keccak256([&[0][..], serial(from).as_slice()].concat()),
        half => keccak256(
            [
                &[1][..],
                tree(from, half).as_slice(),
                tree(from + half, half).as_slice(),
            ]
            .concat(),
        ),
    }
}
