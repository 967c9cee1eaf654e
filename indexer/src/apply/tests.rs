//! What each event of the ledgers changes, one by one; of the other contracts the random histories tell (`store/tests.rs`).
use super::*;
use alloy::primitives::{Address, B256, Bytes, U256};
use medlock_abi::{claims::IClaims, supply::ISupply, terms::claim_state as state, trials::ITrials};

fn id(n: u8) -> B256 {
    B256::repeat_byte(n)
}

fn who(n: u8) -> Address {
    Address::repeat_byte(n)
}

fn changed(event: impl Into<Event>) -> Vec<Change> {
    apply(&event.into(), 1).unwrap()
}

impl From<IClaims::IClaimsEvents> for Event {
    fn from(event: IClaims::IClaimsEvents) -> Self {
        Self::Claims(event)
    }
}
impl From<ISupply::ISupplyEvents> for Event {
    fn from(event: ISupply::ISupplyEvents) -> Self {
        Self::Supply(event)
    }
}
impl From<ITrials::ITrialsEvents> for Event {
    fn from(event: ITrials::ITrialsEvents) -> Self {
        Self::Trials(event)
    }
}

/// The row of a step of claim 1 with serial 4, by account 2, that tells nothing else but these.
fn step(state: u8, document: B256, amount: B256, reason_code: u16, deadline: i64) -> Change {
    change!(Follow ClaimStep:
        id(1), 4u8, state, who(2), document, amount, reason_code, deadline, Address::ZERO, U256::ZERO)
}

#[test]
fn a_submission_begins_the_claim_its_links_in_order_and_its_first_step() {
    let link = |record, pointer| IClaims::Link {
        recordId: id(record),
        pointer: id(pointer),
    };
    let submitted = IClaims::ClaimSubmitted {
        claim: id(1),
        chart: id(2),
        insurer: who(3),
        provider: who(4),
        by: who(5),
        document: id(6),
        fingerprint: id(7),
        currency: 978,
        billed: id(8),
        // One record twice: the contract does not refuse that.
        links: vec![link(9, 10), link(9, 10), link(11, 12)],
        currencyVersion: 3,
        shared: true,
        previous: id(13),
        deadline: 99,
    };
    assert_eq!(
        changed(IClaims::IClaimsEvents::ClaimSubmitted(submitted)),
        [
            change!(Begin Claim:
                id(1), id(2), who(4), who(3), who(5), id(6), id(7), 978u16, id(8), 3u32, true, id(13)),
            change!(Begin ClaimLink: id(1), 0u8, id(9), id(10)),
            change!(Begin ClaimLink: id(1), 1u8, id(9), id(10)),
            change!(Begin ClaimLink: id(1), 2u8, id(11), id(12)),
            change!(Begin ClaimStep:
                id(1), 1u8, state::RECEIVED, who(5), id(6), B256::ZERO, 0u16, 99i64, Address::ZERO, U256::ZERO),
        ]
    );
}

#[test]
fn each_step_of_a_claim_follows_the_one_before_with_what_its_event_tells() {
    use IClaims::IClaimsEvents as E;
    let (claim, serial, by, document, deadline) = (id(1), 4, who(2), id(3), 77);
    let none = B256::ZERO;
    let steps = [
        (
            E::ReviewBegun(IClaims::ReviewBegun { claim, serial, by }),
            step(state::IN_REVIEW, none, none, 0, 0),
        ),
        (
            E::InformationRequested(IClaims::InformationRequested {
                claim,
                serial,
                by,
                document,
                deadline,
            }),
            step(state::INFORMATION_REQUESTED, document, none, 0, 77),
        ),
        (
            E::InformationProvided(IClaims::InformationProvided {
                claim,
                serial,
                by,
                document,
                deadline,
            }),
            step(state::IN_REVIEW, document, none, 0, 77),
        ),
        (
            E::Adjudicated(IClaims::Adjudicated {
                claim,
                serial,
                by,
                state: state::PARTLY_APPROVED,
                amount: id(9),
                reasonCode: 6,
                document,
                deadline,
            }),
            step(state::PARTLY_APPROVED, document, id(9), 6, 77),
        ),
        (
            E::Appealed(IClaims::Appealed {
                claim,
                serial,
                by,
                document,
                deadline,
            }),
            step(state::APPEALED, document, none, 0, 77),
        ),
        (
            E::PartAccepted(IClaims::PartAccepted {
                claim,
                serial,
                by,
                deadline,
            }),
            step(state::APPROVED, none, none, 0, 77),
        ),
        (
            E::Paid(IClaims::Paid {
                claim,
                serial,
                by,
                remittance: document,
            }),
            step(state::PAID, document, none, 0, 0),
        ),
        (
            E::PaidInToken(IClaims::PaidInToken {
                claim,
                serial,
                by,
                token: who(8),
                value: U256::MAX,
            }),
            change!(Follow ClaimStep:
                claim, serial, state::PAID, by, none, none, 0u16, 0i64, who(8), U256::MAX),
        ),
        (
            E::Reversed(IClaims::Reversed {
                claim,
                serial,
                by,
                reasonCode: 11,
            }),
            step(state::REVERSED, none, none, 11, 0),
        ),
        (
            E::Withdrawn(IClaims::Withdrawn { claim, serial, by }),
            step(state::WITHDRAWN, none, none, 0, 0),
        ),
    ];
    for (event, expected) in steps {
        assert_eq!(changed(event), [expected]);
    }
}

#[test]
fn an_insurers_setting_is_replaced_and_versions_of_a_currency_stay() {
    use IClaims::IClaimsEvents as E;
    let set = IClaims::InsurerSet {
        insurer: who(1),
        serial: 2,
        shared: false,
        by: who(3),
    };
    assert_eq!(
        changed(E::InsurerSet(set)),
        [change!(Replace InsurerSetting: who(1), 2u32, false)]
    );
    let set = IClaims::CurrencySet {
        insurer: who(1),
        currency: 978,
        version: 2,
        accepted: true,
        token: who(4),
        scale: 16,
        by: who(3),
    };
    assert_eq!(
        changed(E::CurrencySet(set)),
        [change!(Begin CurrencySetting: who(1), 978u16, 2u32, true, who(4), 16u8)]
    );
}

#[test]
fn a_batch_of_drugs_begins_with_one_unit_and_a_split_begins_one_at_each_cut() {
    use ISupply::ISupplyEvents as E;
    let registered = ISupply::BatchRegistered {
        batch: id(1),
        maker: who(2),
        gtin: 4_006_381_333_931,
        lot: id(3),
        expiry: 88,
        root: id(4),
        count: u32::MAX,
        step: 5,
        document: id(6),
    };
    assert_eq!(
        changed(E::BatchRegistered(registered)),
        [
            change!(Begin DrugBatch:
                id(1), who(2), 4_006_381_333_931i64, id(3), 88i64, id(4), u32::MAX, 5i64, id(6)),
            change!(Begin Unit: id(1), 0u32, 0u32),
        ]
    );
    let split = ISupply::UnitSplit {
        batch: id(1),
        unit: 10,
        cuts: vec![11, 20],
    };
    assert_eq!(
        changed(E::UnitSplit(split)),
        [
            change!(Begin Unit: id(1), 11u32, 10u32),
            change!(Begin Unit: id(1), 20u32, 10u32)
        ]
    );
}

#[test]
fn a_shipment_is_current_until_it_is_closed() {
    use ISupply::ISupplyEvents as E;
    let offered = ISupply::ShipmentOffered {
        shipment: 7,
        from: who(1),
        to: who(2),
        kind: 1,
        document: id(3),
    };
    assert_eq!(
        changed(E::ShipmentOffered(offered)),
        [change!(Begin Shipment: 7i64, who(1), who(2), 1u8, id(3))]
    );
    let offered = ISupply::UnitOffered {
        shipment: 7,
        batch: id(4),
        unit: 5,
        held: 2,
        step: 8,
        previous: 1,
    };
    assert_eq!(
        changed(E::UnitOffered(offered)),
        [change!(Begin UnitOffer: id(4), 5u32, 8i64, 7i64, 2i64, 1i64)]
    );
    let closed = ISupply::ShipmentClosed {
        shipment: 7,
        by: who(2),
        state: 2,
        document: id(6),
    };
    assert_eq!(
        changed(E::ShipmentClosed(closed)),
        [
            change!(End Shipment: 7i64),
            change!(Begin ShipmentClosing: 7i64, 2u8, who(2), id(6))
        ]
    );
}

#[test]
fn recalls_dispensings_and_decommissionings_are_for_good() {
    use ISupply::ISupplyEvents as E;
    let issued = ISupply::RecallIssued {
        batch: id(1),
        by: who(2),
        number: 3,
        from: 4,
        to: 5,
        class: 1,
        reasonCode: 6,
        document: id(7),
    };
    assert_eq!(
        changed(E::RecallIssued(issued)),
        [change!(Begin Recall: id(1), 3u8, 4u32, 5u32, 1u8, 6u8, who(2), id(7))]
    );
    let dispensed = ISupply::Dispensed {
        batch: id(1),
        serial: id(2),
        by: who(3),
        unit: 4,
        index: 5,
        document: id(6),
    };
    assert_eq!(
        changed(E::Dispensed(dispensed)),
        [change!(Begin Dispensing: id(1), id(2), 4u32, 5u32, who(3), id(6))]
    );
    let gone = ISupply::Decommissioned {
        batch: id(1),
        unit: 4,
        by: who(3),
        reasonCode: 2,
        document: id(6),
    };
    assert_eq!(
        changed(E::Decommissioned(gone)),
        [change!(Begin Decommissioning: id(1), 4u32, 2u8, who(3), id(6))]
    );
    for table in [Table::Recall, Table::Dispensing, Table::Decommissioning] {
        assert!(!table.ends());
    }
}

#[test]
fn a_trial_begins_with_its_first_version_and_amendments_add_others() {
    use ITrials::ITrialsEvents as E;
    let registered = ITrials::TrialRegistered {
        trial: id(1),
        sponsor: who(2),
        registration: id(3),
        protocol: id(4),
        plan: id(5),
        form: id(6),
        document: id(7),
    };
    assert_eq!(
        changed(E::TrialRegistered(registered)),
        [
            change!(Begin Trial: id(1), who(2), id(3), id(7)),
            change!(Begin TrialVersion: id(1), 1u8, id(4), id(5), id(6), 0u8, false, id(7)),
        ]
    );
    let amended = ITrials::TrialAmended {
        trial: id(1),
        version: 2,
        protocol: id(4),
        plan: id(5),
        form: id(6),
        reasonCode: 3,
        reconsent: true,
        document: id(7),
    };
    assert_eq!(
        changed(E::TrialAmended(amended)),
        [change!(Begin TrialVersion: id(1), 2u8, id(4), id(5), id(6), 3u8, true, id(7))]
    );
}

#[test]
fn sites_and_consents_are_replaced_and_enrolments_and_withdrawals_stay() {
    use ITrials::ITrialsEvents as E;
    let (trial, site, participant, number) = (id(1), who(2), who(3), 9);
    let set = ITrials::SiteSet {
        trial,
        site,
        serial: 4,
        active: true,
    };
    assert_eq!(
        changed(E::SiteSet(set)),
        [change!(Replace Site: trial, site, 4u32, true)]
    );
    let consented = ITrials::Consented {
        trial,
        participant,
        site,
        version: 5,
        document: id(6),
    };
    assert_eq!(
        changed(E::Consented(consented)),
        [change!(Replace Consent: trial, participant, site, 5u8, id(6))]
    );
    let enrolled = ITrials::Enrolled {
        trial,
        participant,
        site,
        number,
    };
    assert_eq!(
        changed(E::Enrolled(enrolled)),
        [change!(Begin Enrolment: trial, participant, site, 9u32)]
    );
    let withdrew = ITrials::ParticipantWithdrew {
        trial,
        participant,
        site,
        number,
    };
    assert_eq!(
        changed(E::ParticipantWithdrew(withdrew)),
        [change!(Begin Withdrawal: trial, participant, site, 9u32)]
    );
}

#[test]
fn a_batch_of_data_keeps_its_participants_words_and_lock_results_and_end_stand_once() {
    use ITrials::ITrialsEvents as E;
    let anchored = ITrials::BatchAnchored {
        trial: id(1),
        site: who(2),
        sequence: 3,
        from: 4,
        to: 5,
        root: id(6),
        count: 7,
        participants: vec![U256::from(2), U256::from(1) << 255],
        flags: 5,
        version: 2,
        data: id(8),
        document: id(9),
    };
    let mut words = [0; 64];
    (words[31], words[32]) = (2, 0x80);
    let expected = change!(Begin DataBatch:
        id(1), who(2), 3u32, 4i64, 5i64, id(6), 7u32, Bytes::copy_from_slice(&words), 5u8, 2u8, id(8), id(9));
    assert_eq!(changed(E::BatchAnchored(anchored)), [expected]);
    let locked = ITrials::DataLocked {
        trial: id(1),
        batches: 2,
        data: id(3),
    };
    assert_eq!(
        changed(E::DataLocked(locked)),
        [change!(Begin DataLock: id(1), 2u32, id(3))]
    );
    let anchored = ITrials::ResultsAnchored {
        trial: id(1),
        number: 0,
        version: 2,
        plan: id(3),
        data: id(4),
        results: id(5),
        document: id(6),
    };
    assert_eq!(
        changed(E::ResultsAnchored(anchored)),
        [change!(Begin TrialResult: id(1), 0u8, 2u8, id(3), id(4), id(5), id(6))]
    );
    assert_eq!(
        changed(E::TrialClosed(ITrials::TrialClosed { trial: id(1) })),
        [change!(Begin TrialClosing: id(1))]
    );
}

#[test]
fn a_number_that_no_column_holds_is_refused() {
    let offered = ISupply::UnitOffered {
        shipment: 7,
        batch: id(4),
        unit: 5,
        held: 2,
        step: u64::MAX,
        previous: 1,
    };
    assert!(apply(&Event::Supply(ISupply::ISupplyEvents::UnitOffered(offered)), 1).is_err());
}
