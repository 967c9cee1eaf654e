//! Drugs from the maker to the patient, by the library and by the program; what is false, copied, recalled or out of order; and a gateway that
//! lies about custody and recalls.

use alloy::primitives::{Address, B256};
use medlock_abi::terms::{decommission, recall, role, shipment};
use medlock_client::{
    Client, Error,
    drugs::{
        Batch, Day, Gtin, Lot, Manifest, Package, Serial, Ticket,
        plan::Run,
        verdict::{Asker, Finding, Level},
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
        held.iter().map(|unit| (unit.unit, unit.to)).collect::<Vec<_>>(),
        [(10, 20)]
    );
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
    let outcome = pharmacy
        .inspect(&trade.ticket(12), Some(&relabelled), Asker::Partner)
        .await;
    assert!(outcome.is_err() || outcome.is_ok_and(|verdict| verdict.level == Level::False));

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
    assert_eq!(verify("S9").0, 1, "there is no ticket");
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
    let history = patient.ok(&["supply", "history", "--tickets", &tickets, "--scan", &scan("S3")]);
    assert_eq!(history["transfers"].as_array().unwrap().len(), 2);
}
