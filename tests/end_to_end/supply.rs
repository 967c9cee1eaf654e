//! Drugs from the maker to the patient, by the library and by the program; what is false, copied, recalled or out of order; and a gateway that
//! lies about custody and recalls.

use alloy::primitives::{Address, B256};
use medlock_abi::terms::{decommission, recall, role, shipment};
use medlock_client::{
    Client, Dispensing, Endpoints, Error, HandOut, HandedOut,
    drugs::{
        Batch, Day, Gtin, Lot, Manifest, Package, Serial, Ticket,
        plan::Run,
        verdict::{Asker, Finding, Level, Maker},
    },
    now,
};
use medlock_tests::{
    World, patient_request,
    proxy::{Fate, Proxy},
    treatment,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::program::Person;

type Change = fn(&mut Value);

/// A shipping event as GS1 EPCIS 2.0 has it.
const SHIPPING: &str = r#"{
    "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
    "schemaVersion": "2.0", "creationDate": "2026-05-02T22:30:00+00:00",
    "epcisBody": { "eventList": [{
        "type": "ObjectEvent", "eventTime": "2026-05-03T00:30:00+02:00", "eventTimeZoneOffset": "+02:00",
        "action": "OBSERVE", "bizStep": "shipping", "disposition": "in_transit",
        "epcList": ["https://id.gs1.org/01/09506000134352/10/L1/21/S4"],
        "sourceList": [{
            "type": "possessing_party", "source": "did:pkh:eip155:412346:0xA1A1a1a1A1A1A1A1A1a1a1a1a1a1A1A1a1A1a1a1"
        }],
        "destinationList": [{
            "type": "possessing_party", "destination": "did:pkh:eip155:412346:0xc3c3C3C3C3C3C3C3C3C3C3C3C3c3C3C3C3C3C3C3"
        }]
    }] }
}"#;
const DAY_S: u64 = 24 * 60 * 60;

/// A maker with a registered batch of a hundred packages, a distributor, a pharmacy.
struct Trade {
    world: World,
    maker: Client,
    distributor: Client,
    pharmacy: Client,
    manifest: Manifest,
}

impl Trade {
    async fn start() -> Self {
        Self::of(World::start().await).await
    }

    async fn of(world: World) -> Self {
        let maker = world.party(role::MAKER).await;
        let distributor = world.party(role::DISTRIBUTOR).await;
        let pharmacy = world.party(role::PHARMACY | role::PROVIDER).await;
        let manifest = manifest(&maker, "L2026", 365);
        maker.register_batch(&manifest, B256::ZERO).await.unwrap();
        Self {
            world,
            maker,
            distributor,
            pharmacy,
            manifest,
        }
    }

    fn batch(&self) -> B256 {
        self.manifest.batch().id()
    }

    fn run(&self, from: u32, to: u32) -> Run {
        Run {
            batch: self.batch(),
            from,
            to,
        }
    }

    fn ticket(&self, index: u32) -> Ticket {
        self.manifest.ticket(index).unwrap()
    }

    /// What is printed on a package.
    fn printed(&self, index: u32) -> Package {
        let Batch { gtin, lot, .. } = *self.manifest.batch();
        Package {
            gtin,
            lot,
            expiry: self.manifest.batch().last_day(),
            serial: self.manifest.serials()[index as usize],
        }
    }

    /// Sold on from one to the next.
    async fn pass(&self, from: &Client, to: &Client, first: u32, end: u32) -> u64 {
        let shipped = from
            .ship(to.address(), shipment::SALE, &[self.run(first, end)], B256::ZERO)
            .await
            .unwrap();
        let number = shipped.shipments[0].parse().unwrap();
        to.accept_shipment(number, B256::ZERO).await.unwrap();
        number
    }

    /// Ten packages at the pharmacy.
    async fn delivered(&self) {
        self.pass(&self.maker, &self.distributor, 0, 50).await;
        self.pass(&self.distributor, &self.pharmacy, 10, 20).await;
    }

    async fn level(&self, index: u32, asker: Asker) -> (Level, Vec<Finding>) {
        let verdict = self
            .pharmacy
            .inspect(&self.ticket(index), Some(&self.printed(index)), asker)
            .await
            .unwrap();
        (verdict.level, verdict.findings)
    }
}

fn manifest(maker: &Client, lot: &str, days: u64) -> Manifest {
    let gtin: Gtin = "09506000134352".parse().unwrap();
    let batch = Batch {
        maker: maker.address(),
        gtin,
        lot: lot.parse::<Lot>().unwrap(),
        expiry: Day::of_time(now() + days * DAY_S).ends_at(),
    };
    let serials = (0..100).map(|number| format!("{lot}-{number:03}").parse::<Serial>().unwrap());
    Manifest::new(batch, maker.gtin_salt(gtin).unwrap(), serials.collect()).unwrap()
}

fn refused<T>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(error @ (Error::Contract { .. } | Error::Unsuitable(_))) => error.to_string(),
        Err(error) => panic!("not a refusal: {error:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_goes_from_its_maker_to_a_patient_who_learns_of_the_recall() {
    let trade = Trade::start().await;
    let (maker, distributor, pharmacy) = (&trade.maker, &trade.distributor, &trade.pharmacy);
    trade.delivered().await;
    let held = pharmacy.held_units().await.unwrap();
    assert_eq!(
        held.iter()
            .map(|held| (held.unit.unit, held.unit.to))
            .collect::<Vec<_>>(),
        [(10, 20)]
    );
    assert!(!held[0].expired && held[0].recalls.is_empty());
    let sent = distributor.shipments(true, false).await.unwrap();
    assert_eq!(
        (sent.len(), sent[0].state.as_str(), sent[0].receiver),
        (1, "accepted", pharmacy.address())
    );
    assert!(distributor.shipments(true, true).await.unwrap().is_empty());

    // Genuine, and everybody who has had it is known.
    assert_eq!(trade.level(12, Asker::Partner).await, (Level::Ok, vec![]));
    let history = pharmacy.custody(*trade.manifest.batch(), 12).await.unwrap();
    let holders: Vec<_> = history.steps().iter().map(|step| step.holder).collect();
    assert_eq!(holders, [maker.address(), distributor.address(), pharmacy.address()]);

    let (patient, chart) = trade.world.patient().await;
    patient.grant(chart, pharmacy.address(), treatment()).await.unwrap();
    pharmacy.dispense(&trade.ticket(12), B256::ZERO).await.unwrap();
    let open = pharmacy.chart(chart).await.unwrap();
    assert!(open.add_package(&trade.ticket(12)).await.unwrap().is_some());
    assert!(
        open.add_package(&trade.ticket(12)).await.unwrap().is_none(),
        "it is there"
    );
    let own = Asker::Patient {
        pharmacy: Some(pharmacy.address()),
    };
    assert!(
        matches!(&trade.level(12, own).await, (Level::Ok, found) if matches!(found[..], [Finding::Dispensed { .. }]))
    );
    // A copy of it is found out at its second use, by whoever is to sell it or was given it elsewhere.
    refused(pharmacy.dispense(&trade.ticket(12), B256::ZERO).await);
    for asker in [
        Asker::Partner,
        Asker::Patient {
            pharmacy: Some(Address::repeat_byte(1)),
        },
    ] {
        let (level, found) = trade.level(12, asker).await;
        assert_eq!(level, Level::False);
        assert!(matches!(found[..], [Finding::SerialTwice { .. }]), "{found:?}");
    }

    // The recall reaches who holds some, and the chart of who was given one; nobody was told who that is.
    assert!(
        patient
            .recalled_packages(chart, patient_request())
            .await
            .unwrap()
            .is_empty()
    );
    let why = (recall::CLASS_I, recall::CONTAMINATED);
    maker
        .recall_packages(trade.batch(), (0, 15), why, B256::ZERO)
        .await
        .unwrap();
    let recalled = patient.recalled_packages(chart, patient_request()).await.unwrap();
    assert_eq!(
        recalled
            .iter()
            .map(|package| (package.index, package.class))
            .collect::<Vec<_>>(),
        [(12, recall::CLASS_I)]
    );
    assert!(
        matches!(&trade.level(13, Asker::Partner).await, (Level::Stop, found) if matches!(found[..], [Finding::Recalled { .. }]))
    );
    assert_eq!(trade.level(16, Asker::Partner).await, (Level::Ok, vec![]));
    refused(pharmacy.dispense(&trade.ticket(13), B256::ZERO).await);
    let told = pharmacy.recalls().await.unwrap();
    assert_eq!(
        (told.len(), told[0].class.as_str(), told[0].from, told[0].to),
        (1, "class-i", 0, 15)
    );
    // Whoever holds some of them reads it beside what they hold.
    let held = pharmacy.held_units().await.unwrap();
    assert_eq!(
        (held.len(), held[0].recalls.len(), held[0].recalls[0].class.as_str()),
        (1, 1, "class-i")
    );
    // What is recalled goes back, and out of the supply.
    let back = pharmacy
        .ship(
            distributor.address(),
            shipment::RETURN,
            &[trade.run(13, 15)],
            B256::ZERO,
        )
        .await
        .unwrap();
    distributor
        .accept_shipment(back.shipments[0].parse().unwrap(), B256::ZERO)
        .await
        .unwrap();
    distributor
        .decommission(trade.batch(), 13, decommission::DESTROYED, B256::ZERO)
        .await
        .unwrap();
    let (level, found) = trade.level(13, Asker::Partner).await;
    assert_eq!(level, Level::Stop);
    assert!(
        found
            .iter()
            .any(|finding| matches!(finding, Finding::Decommissioned { .. })),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_false_or_out_of_order_is_refused_with_words() {
    let trade = Trade::start().await;
    let (maker, distributor, pharmacy) = (&trade.maker, &trade.distributor, &trade.pharmacy);
    trade.delivered().await;
    // Never made: another serial under a true opening, a proof of another package, a batch that nobody registered.
    let forged = Ticket {
        serial: "L2026-999".parse().unwrap(),
        ..trade.ticket(12)
    };
    let moved = Ticket {
        index: 13,
        ..trade.ticket(12)
    };
    let nobodys = manifest(maker, "L2027", 365).ticket(12).unwrap();
    for ticket in [&forged, &moved, &nobodys] {
        let verdict = pharmacy.inspect(ticket, None, Asker::Partner).await.unwrap();
        assert_eq!(
            (verdict.level, &verdict.findings[..]),
            (Level::False, &[Finding::NeverMade][..])
        );
        refused(pharmacy.dispense(ticket, B256::ZERO).await);
    }
    // A true ticket beside another box, and a box whose expiry was printed anew.
    refused(
        pharmacy
            .inspect(&trade.ticket(12), Some(&trade.printed(13)), Asker::Partner)
            .await,
    );
    let relabelled = Package {
        expiry: Day::new(2099, 1, 1).unwrap(),
        ..trade.printed(12)
    };
    let verdict = pharmacy
        .inspect(&trade.ticket(12), Some(&relabelled), Asker::Partner)
        .await
        .unwrap();
    let finding = Finding::Relabelled {
        printed: relabelled.expiry,
        registered: trade.manifest.batch().last_day(),
    };
    assert_eq!((verdict.level, verdict.findings), (Level::False, vec![finding]));

    // Whose it is not, what is gone, what is under way, and to whom it does not go.
    refused(
        maker
            .ship(pharmacy.address(), shipment::SALE, &[trade.run(10, 12)], B256::ZERO)
            .await,
    );
    refused(
        pharmacy
            .ship(maker.address(), shipment::SALE, &[trade.run(15, 16)], B256::ZERO)
            .await,
    );
    let patient = trade.world.newcomer().await;
    refused(
        distributor
            .ship(patient.address(), shipment::RETURN, &[trade.run(30, 31)], B256::ZERO)
            .await,
    );
    let offered = distributor
        .ship(pharmacy.address(), shipment::SALE, &[trade.run(30, 40)], B256::ZERO)
        .await
        .unwrap();
    let number = offered.shipments[0].parse().unwrap();
    refused(
        distributor
            .ship(pharmacy.address(), shipment::SALE, &[trade.run(35, 36)], B256::ZERO)
            .await,
    );
    assert!(
        matches!(&trade.level(35, Asker::Partner).await, (Level::Stop, found) if matches!(found[..], [Finding::InTransit]))
    );
    refused(maker.accept_shipment(number, B256::ZERO).await);
    refused(pharmacy.withdraw_shipment(number, B256::ZERO).await);
    pharmacy.refuse_shipment(number, B256::ZERO).await.unwrap();
    // An acceptance that comes again, or too late.
    refused(pharmacy.accept_shipment(number, B256::ZERO).await);
    let again = distributor
        .ship(pharmacy.address(), shipment::SALE, &[trade.run(30, 40)], B256::ZERO)
        .await
        .unwrap();
    let number = again.shipments[0].parse().unwrap();
    pharmacy.accept_shipment(number, B256::ZERO).await.unwrap();
    refused(pharmacy.accept_shipment(number, B256::ZERO).await);
    // Who may not recall, register, dispense.
    refused(
        pharmacy
            .recall_packages(trade.batch(), (0, 1), (recall::CLASS_I, recall::OTHER), B256::ZERO)
            .await,
    );
    refused(
        pharmacy
            .register_batch(&manifest(pharmacy, "L1", 365), B256::ZERO)
            .await,
    );
    refused(maker.register_batch(&trade.manifest, B256::ZERO).await);
    refused(distributor.dispense(&trade.ticket(25), B256::ZERO).await);
    // A regulator may.
    let regulator = trade.world.party(role::REGULATOR).await;
    regulator
        .recall_packages(trade.batch(), (0, 1), (recall::CLASS_II, recall::OTHER), B256::ZERO)
        .await
        .unwrap();
    // Nobody without funds needs any.
    let relayed = trade.pharmacy.clone().via_relay();
    relayed.dispense(&trade.ticket(15), B256::ZERO).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispensing_that_was_cut_off_is_finished_and_nothing_is_done_twice() {
    let trade = Trade::start().await;
    let (maker, pharmacy) = (&trade.maker, &trade.pharmacy);
    trade.delivered().await;
    let (patient, chart) = trade.world.patient().await;
    let (other, others) = trade.world.patient().await;
    for (owner, chart) in [(&patient, chart), (&other, others)] {
        owner.grant(chart, pharmacy.address(), treatment()).await.unwrap();
    }
    let into = |chart| HandOut {
        chart: Some(chart),
        ..HandOut::default()
    };
    let hand_out = async |index: u32, chart| {
        let list = trade.ticket(index).to_json();
        pharmacy.hand_out(&list, &trade.printed(index), into(chart)).await
    };
    // A chart that is closed to us is told of before anything is dispensed.
    let (_, closed) = trade.world.patient().await;
    assert!(hand_out(12, closed).await.is_err());
    assert_eq!(trade.level(12, Asker::Partner).await.0, Level::Ok);

    // Cut off between the chain and the chart; the second time with a recall in between.
    let why = (recall::CLASS_I, recall::CONTAMINATED);
    for index in [12, 13] {
        pharmacy.dispense(&trade.ticket(index), B256::ZERO).await.unwrap();
        if index == 13 {
            maker
                .recall_packages(trade.batch(), (12, 14), why, B256::ZERO)
                .await
                .unwrap();
        }
        let done = hand_out(index, chart).await.unwrap();
        assert!(
            matches!(
                done,
                Dispensing::Done(HandedOut {
                    mined: None,
                    record: Some(_)
                })
            ),
            "{done:?}"
        );
    }
    let recalled = patient.recalled_packages(chart, patient_request()).await.unwrap();
    let reached: Vec<_> = recalled.iter().map(|package| package.index).collect();
    assert_eq!(reached, [12, 13]);

    // Again, or into somebody else's chart, or at another pharmacy: a copy.
    let second = trade.world.party(role::PHARMACY | role::PROVIDER).await;
    other.grant(others, second.address(), treatment()).await.unwrap();
    let list = trade.ticket(12).to_json();
    let outcomes = [
        hand_out(12, chart).await.unwrap(),
        hand_out(12, others).await.unwrap(),
        second.hand_out(&list, &trade.printed(12), into(others)).await.unwrap(),
    ];
    for outcome in outcomes {
        let Dispensing::Refused(verdict) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(verdict.level, Level::False);
        assert!(matches!(verdict.findings[0], Finding::SerialTwice { .. }));
    }
    let told = async |client: &Client, chart| {
        let open = client.chart(chart).await.unwrap();
        open.packages(patient_request()).await.unwrap().len()
    };
    assert_eq!((told(&patient, chart).await, told(&other, others).await), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn to_whom_a_package_was_dispensed_the_patients_chart_says() {
    let trade = Trade::start().await;
    trade.delivered().await;
    let (patient, chart) = trade.world.patient().await;
    let (other, others) = trade.world.patient().await;
    patient
        .grant(chart, trade.pharmacy.address(), treatment())
        .await
        .unwrap();
    let (list, printed) = (trade.ticket(12).to_json(), trade.printed(12));
    let wish = HandOut {
        chart: Some(chart),
        ..HandOut::default()
    };
    let done = trade.pharmacy.hand_out(&list, &printed, wish).await.unwrap();
    assert!(
        matches!(
            done,
            Dispensing::Done(HandedOut {
                mined: Some(_),
                record: Some(_)
            })
        ),
        "{done:?}"
    );
    let own = async |client: &Client, chart| {
        client
            .inspect_own(&list, Some(&printed), chart, patient_request())
            .await
            .unwrap()
    };
    let verdict = own(&patient, chart).await;
    assert_eq!(verdict.level, Level::Ok);
    assert!(matches!(verdict.findings[..], [Finding::Dispensed { .. }]));
    let verdict = own(&other, others).await;
    assert_eq!(verdict.level, Level::Warning);
    assert!(matches!(verdict.findings[..], [Finding::NotInChart { .. }]));
    // What they write there themselves is no record of the pharmacy's.
    let open = other.chart(others).await.unwrap();
    open.add_package(&trade.ticket(12)).await.unwrap();
    assert_eq!(own(&other, others).await.level, Level::Warning);
    let (level, found) = trade.level(12, Asker::Patient { pharmacy: None }).await;
    assert_eq!(level, Level::Warning);
    assert!(matches!(found[..], [Finding::ToWhomUnknown { .. }]), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_made_a_package_is_told_and_a_lot_of_two_makers_is_warned_of() {
    let trade = Trade::start().await;
    let (maker, pharmacy) = (&trade.maker, &trade.pharmacy);
    trade.delivered().await;
    let inspect = async |ticket: &Ticket| {
        let printed = trade.printed(ticket.index);
        pharmacy.inspect(ticket, Some(&printed), Asker::Partner).await.unwrap()
    };
    let made = Maker {
        account: maker.address(),
        current: true,
    };
    assert_eq!(inspect(&trade.ticket(12)).await.maker, Some(made));

    let impostor = trade.world.party(role::MAKER).await;
    let copied = manifest(&impostor, "L2026", 365);
    impostor.register_batch(&copied, B256::ZERO).await.unwrap();
    let copy = copied.ticket(12).unwrap();
    for (ticket, with_its_maker) in [(&trade.ticket(12), Level::Ok), (&copy, Level::False)] {
        let verdict = inspect(ticket).await;
        assert_eq!(
            (verdict.level, &verdict.findings[..]),
            (Level::Warning, &[Finding::Contested { makers: 1 }][..])
        );
        assert_eq!(verdict.expecting(Some(maker.address())).level, with_its_maker);
    }
    // It is dispensed for who knows whose it is to be.
    let (list, printed) = (trade.ticket(12).to_json(), trade.printed(12));
    let hand_out = async |maker| {
        let wish = HandOut {
            maker,
            ..HandOut::default()
        };
        pharmacy.hand_out(&list, &printed, wish).await.unwrap()
    };
    for maker in [None, Some(impostor.address())] {
        let outcome = hand_out(maker).await;
        assert!(matches!(outcome, Dispensing::Refused(_)), "{outcome:?}");
    }
    let outcome = hand_out(Some(maker.address())).await;
    assert!(matches!(outcome, Dispensing::Done(_)), "{outcome:?}");

    // Once the impostor is found out, the lot is its maker's alone again.
    let owner = trade.world.dev.owner().unwrap();
    let owner = trade.world.dev.client(owner).await.unwrap();
    owner.revoke_credential(impostor.address()).await.unwrap();
    assert_eq!(inspect(&trade.ticket(13)).await.findings, []);
    let verdict = inspect(&copy).await;
    let maker = impostor.address();
    assert_eq!(
        verdict.findings,
        [Finding::Contested { makers: 1 }, Finding::MakerNotCurrent { maker }]
    );
    assert_eq!(verdict.maker.map(|maker| maker.current), Some(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_does_not_learn_by_recalls_which_packages_a_chart_has() {
    let trade = Trade::start().await;
    trade.delivered().await;
    let (patient, chart) = trade.world.patient().await;
    let open = patient.chart(chart).await.unwrap();
    open.add_package(&trade.ticket(12)).await.unwrap();
    let why = (recall::CLASS_I, recall::CONTAMINATED);
    trade
        .maker
        .recall_packages(trade.batch(), (0, 15), why, B256::ZERO)
        .await
        .unwrap();
    let dev = &trade.world.dev;
    let node = Proxy::before(&dev.endpoints.rpc).await;
    let endpoints = Endpoints {
        rpc: node.url(),
        gateway: dev.endpoints.gateway.clone(),
    };
    let identity = patient.identity().clone();
    let asking = Client::connect(&endpoints, dev.deployment.clone(), identity)
        .await
        .unwrap();
    node.honest();
    let found = asking.recalled_packages(chart, patient_request()).await.unwrap();
    assert_eq!(found.len(), 1);
    let batch = alloy::hex::encode(trade.batch());
    let seen = node.seen();
    assert!(!seen.is_empty());
    for asked in seen {
        let body = String::from_utf8_lossy(&asked.body).to_lowercase();
        assert!(!body.contains(&batch), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_gateway_invents_no_custody_and_hides_no_recall() {
    let gateway = Proxy::start().await;
    let trade = Trade::of(World::behind(&gateway).await).await;
    trade.delivered().await;
    let batch = *trade.manifest.batch();
    trade.pharmacy.custody(batch, 12).await.unwrap();
    let changes: [(&str, Change); 5] = [
        ("a holder", |custody| {
            custody["steps"][1]["holder"] = json!(Address::repeat_byte(1))
        }),
        ("a shipment", |custody| custody["steps"][0]["shipment"] = json!("999")),
        ("a step left out", |custody| {
            custody["steps"].as_array_mut().unwrap().remove(1);
        }),
        ("before it was offered", |custody| custody["steps"][0]["at"] = json!(1)),
        ("before its past", |custody| custody["steps"][1]["at"] = json!(u32::MAX)),
    ];
    for (what, change) in changes {
        gateway.rule(move |asked| match asked.is(Method::GET, "/custody/12") {
            true => Fate::json(change),
            false => Fate::Forward,
        });
        let outcome = trade.pharmacy.custody(batch, 12).await;
        assert!(
            matches!(outcome, Err(Error::Tampered { .. })),
            "{what}: {:?}",
            outcome.err()
        );
    }
    gateway.honest();
    let (patient, chart) = trade.world.patient().await;
    patient
        .chart(chart)
        .await
        .unwrap()
        .add_package(&trade.ticket(12))
        .await
        .unwrap();
    let why = (recall::CLASS_II, recall::DEFECTIVE);
    trade
        .maker
        .recall_packages(trade.batch(), (12, 13), why, B256::ZERO)
        .await
        .unwrap();
    gateway.rule(|asked| match asked.is(Method::GET, "/v1/supply/recalls") {
        true => Fate::json(|recalls| *recalls = json!({ "recalls": [] })),
        false => Fate::Forward,
    });
    let found = patient.recalled_packages(chart, patient_request()).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_ships_verifies_and_dispenses() {
    let world = World::start().await;
    let patient = Person::new(&world, "patient").await;
    let maker = Person::new(&world, "maker").await;
    world.credential(maker.account().parse().unwrap(), role::MAKER).await;
    let pharmacy = Person::new(&world, "pharmacy").await;
    world
        .credential(pharmacy.account().parse().unwrap(), role::PHARMACY | role::PROVIDER)
        .await;
    maker.ok(&["keys", "publish"]);
    pharmacy.ok(&["keys", "publish"]);
    let accounts = [patient.account(), maker.account(), pharmacy.account()];
    assert_eq!(
        maker.ok(&["party", "show", &accounts[1]])["credential"]["roles"],
        json!(["maker"])
    );
    let file = |name: &str| world.home().join(name).to_str().unwrap().to_owned();
    std::fs::write(file("serials.txt"), "S1\nS2\nS3\nS4\n").unwrap();
    let register = |gtin: &str, serials: &str| {
        let (serials, tickets) = (file(serials), file("tickets.jsonl"));
        let args = [
            "supply",
            "register",
            "--gtin",
            gtin,
            "--lot",
            "L1",
            "--expiry",
            "2030-06-30",
            "--serials",
            &serials,
            "--tickets",
            &tickets,
        ];
        maker.tried(&args)
    };
    let (code, _, said) = register("09506000134353", "serials.txt");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("last digit"), "{said}");
    std::fs::write(file("twice.txt"), "S1\nS1\n").unwrap();
    assert_eq!(register("09506000134352", "twice.txt").0, 1);
    let (code, made, said) = register("09506000134352", "serials.txt");
    assert_eq!(code, 0, "{said}");
    let batch = made["batch"].as_str().unwrap().to_owned();
    let shipped = maker.ok(&["supply", "ship", &accounts[2], "--packages", &format!("{batch}:0-2")]);
    let shipment = shipped["shipments"][0].as_str().unwrap();
    assert_eq!(pharmacy.ok(&["supply", "shipments", "--open"])[0]["shipment"], shipment);
    pharmacy.ok(&["supply", "accept", shipment]);
    assert_eq!(pharmacy.ok(&["supply", "held"])[0]["to"], 3);
    let tickets = file("tickets.jsonl");
    let scan = |serial: &str| format!("(01)09506000134352(17)300630(10)L1(21){serial}");
    let verify = |serial: &str| pharmacy.tried(&["supply", "verify", "--tickets", &tickets, "--scan", &scan(serial)]);
    let (code, verdict, said) = verify("S2");
    assert_eq!((code, &verdict["level"]), (0, &json!("ok")), "{said}");
    assert_eq!(verdict["maker"]["current"], json!(true));
    // The maker's whole file proves that it never made another serial; a part of it, or none, proves nothing.
    let (code, verdict, said) = verify("S9");
    assert_eq!(
        (code, &verdict["findings"][0]["finding"]),
        (7, &json!("never-made")),
        "{said}"
    );
    let (some, all) = (file("some.jsonl"), std::fs::read_to_string(&tickets).unwrap());
    std::fs::write(&some, all.lines().take(3).collect::<Vec<_>>().join("\n")).unwrap();
    let partly = ["supply", "verify", "--scan", &scan("S9"), "--tickets", &some];
    for args in [&partly[..], &partly[..4]] {
        let (code, verdict, said) = pharmacy.tried(args);
        assert_eq!((code, &verdict["level"]), (1, &json!("unchecked")), "{said}");
    }
    // A lot that nobody registered, an expiry that was printed anew, another maker's package.
    let of_s2 = |scan: &str, more: &[&str]| {
        let args = ["supply", "verify", "--tickets", &tickets, "--scan", scan];
        pharmacy.tried(&[&args[..], more].concat())
    };
    let printed = scan("S2");
    let (code, verdict, said) = of_s2(&printed.replace("(10)L1", "(10)L9"), &[]);
    assert_eq!(
        (code, &verdict["findings"][0]["finding"]),
        (7, &json!("never-made")),
        "{said}"
    );
    let (code, verdict, said) = of_s2(&printed.replace("(17)300630", "(17)310630"), &[]);
    assert_eq!(
        (code, &verdict["findings"][0]["finding"]),
        (7, &json!("relabelled")),
        "{said}"
    );
    assert_eq!(of_s2(&printed, &["--maker", &accounts[1]]).0, 0);
    let (code, verdict, said) = of_s2(&printed, &["--maker", &accounts[2]]);
    assert_eq!(
        (code, &verdict["findings"][0]["finding"]),
        (7, &json!("other-maker")),
        "{said}"
    );
    let chart = patient.ok(&["chart", "open"])["chart"].as_str().unwrap().to_owned();
    let given = [
        "--compartments",
        "all",
        "--purposes",
        "TREAT",
        "--actions",
        "read,write",
    ];
    patient.ok(&[&["grant", "give", &chart, &accounts[2]], &given[..]].concat());
    let dispense = [
        "supply",
        "dispense",
        "--tickets",
        &tickets,
        "--scan",
        &scan("S2"),
        "--chart",
        &chart,
    ];
    pharmacy.ok(&dispense);
    let (code, verdict, _) = pharmacy.tried(&dispense);
    assert_eq!((code, &verdict["level"]), (7, &json!("false")));
    let own = [
        "supply",
        "verify",
        "--tickets",
        &tickets,
        "--scan",
        &scan("S2"),
        "--chart",
        &chart,
    ];
    assert_eq!(patient.ok(&own)["findings"][0]["finding"], "dispensed");
    assert_eq!(patient.tried(&["supply", "recalls", &chart]).0, 0);
    let recalled = [
        "supply",
        "recall",
        &batch,
        "--packages",
        "0-1",
        "--class",
        "class-i",
        "--reason",
        "contaminated",
    ];
    maker.ok(&recalled);
    assert_eq!(pharmacy.ok(&["supply", "held"])[0]["recalls"][0]["class"], "class-i");
    let (code, found, _) = patient.tried(&["supply", "recalls", &chart]);
    assert_eq!((code, found.as_array().unwrap().len()), (7, 1));
    assert_eq!(patient.ok(&["supply", "recalls"])[0]["reason"], "contaminated");
    // A document of GS1's form is named by its salted digest; another text is none.
    let (epcis, none) = (file("epcis.json"), file("none.json"));
    std::fs::write(&epcis, SHIPPING).unwrap();
    std::fs::write(&none, "{}").unwrap();
    let more = format!("{batch}:3-3");
    let ship = ["supply", "ship", &accounts[2], "--packages", &more, "--document"];
    assert_eq!(maker.tried(&[&ship[..], &[&none]].concat()).0, 1);
    let shipped = maker.ok(&[&ship[..], &[&epcis]].concat());
    let digest = maker.ok(&[
        "supply",
        "document",
        &epcis,
        "--salt",
        shipped["salt"].as_str().unwrap(),
    ]);
    assert_eq!(
        pharmacy.ok(&["supply", "shipments", "--open"])[0]["document"],
        digest["digest"]
    );
    // Whoever has both compares them; what tells of other packages is not named at all.
    let (number, salt) = (&shipped["shipments"][0], &shipped["salt"]);
    let compare = |salt: &str| {
        let number = number.as_str().unwrap();
        pharmacy.tried(&["supply", "document", &epcis, "--salt", salt, "--shipment", number])
    };
    let (code, compared, said) = compare(salt.as_str().unwrap());
    assert_eq!((code, &compared["differs"]), (0, &json!([])), "{said}");
    assert_eq!(compare(&batch).0, 5, "another salt");
    let (code, _, said) = maker.tried(&[&recalled[..], &["--document", &epcis]].concat());
    assert_eq!(code, 1);
    assert!(said.contains("tells of 1 packages"), "{said}");
    let history = patient.ok(&["supply", "history", "--tickets", &tickets, "--scan", &scan("S3")]);
    assert_eq!(history["transfers"].as_array().unwrap().len(), 2);
}
