//! Who speaks for whom: each method of the ledgers that changes something is its actor's own call, or what the actor has signed for our relay.
use std::collections::BTreeSet;

use alloy::{
    primitives::{Address, B256, U256},
    sol_types::{SolCall, SolError},
};
use medlock_abi::{
    claims::IClaims::{self, Link, NewClaim},
    relay::IRelay,
    supply::ISupply::{self, Item},
    terms::{amendment, claim_reason, claim_state, decommission, recall, role, shipment},
    trials::ITrials,
};
use medlock_contract_tests::{Contracts, root};
use serde_json::Value;

use super::{NOTE, SUBMITTER, Stage, Way, party, sign_for};
use crate::init_codes;

/// One call of each method that changes something: name, ledger, calldata. Sound in form, in the name of `actor`.
fn steps(world: &Contracts, actor: Address) -> Vec<(&'static str, Address, Vec<u8>)> {
    fn step<C: SolCall>(ledger: Address, call: C) -> (&'static str, Address, Vec<u8>) {
        (C::SIGNATURE.split('(').next().unwrap(), ledger, call.abi_encode())
    }
    let (claims, supply, trials) = (world.claims, world.supply, world.trials);
    let (claim, batch, trial, document) = (NOTE, NOTE, NOTE, NOTE);
    let new = NewClaim {
        chart: NOTE,
        insurer: SUBMITTER,
        document,
        fingerprint: NOTE,
        currency: 978,
        billed: NOTE,
        links: vec![Link {
            recordId: NOTE,
            pointer: NOTE,
        }],
    };
    let decision = IClaims::adjudicateCall {
        actor,
        claim,
        serial: 1,
        state: claim_state::DENIED,
        amount: B256::ZERO,
        reasonCode: claim_reason::OTHER,
        document,
    };
    let payment = IClaims::payInTokenCall {
        actor,
        claim,
        serial: 1,
        amount: U256::ONE,
        salt: NOTE,
    };
    let currency = IClaims::setCurrencyCall {
        actor,
        insurer: actor,
        currency: 978,
        version: 1,
        accepted: true,
        token: Address::ZERO,
        scale: 0,
    };
    let registration = ISupply::registerBatchCall {
        actor,
        gtin: 9_501_101_530_003,
        lot: NOTE,
        expiry: crate::NOW + 1,
        root: NOTE,
        count: 1,
        document,
    };
    let offer = ISupply::offerCall {
        actor,
        to: SUBMITTER,
        kind: shipment::SALE,
        items: vec![Item {
            batch,
            unit: 0,
            last: 1,
        }],
        document,
    };
    let recalling = ISupply::recallCall {
        actor,
        batch,
        number: 0,
        from: 0,
        to: 1,
        class: recall::CLASS_I,
        reasonCode: recall::OTHER,
        document,
    };
    let dispensing = ISupply::dispenseCall {
        actor,
        batch,
        unit: 0,
        index: 0,
        serial: NOTE,
        proof: vec![],
        document,
    };
    let gone = ISupply::decommissionCall {
        actor,
        batch,
        unit: 0,
        last: 1,
        reasonCode: decommission::OTHER,
        document,
    };
    let registered = ITrials::registerTrialCall {
        actor,
        registration: NOTE,
        protocol: NOTE,
        plan: NOTE,
        form: NOTE,
        document,
    };
    let amend = ITrials::amendTrialCall {
        actor,
        trial,
        version: 2,
        protocol: NOTE,
        plan: NOTE,
        form: NOTE,
        reasonCode: amendment::OTHER,
        reconsent: false,
        document,
    };
    let site = ITrials::setSiteCall {
        actor,
        trial,
        site: SUBMITTER,
        serial: 0,
        active: true,
    };
    let consent = ITrials::consentCall {
        actor,
        trial,
        site: SUBMITTER,
        version: 1,
        document,
    };
    let data = ITrials::anchorBatchCall {
        actor,
        trial,
        sequence: 1,
        from: 1,
        to: 2,
        root: NOTE,
        count: 1,
        participants: vec![U256::ONE],
        document,
    };
    let results = ITrials::anchorResultsCall {
        actor,
        trial,
        version: 1,
        number: 0,
        results: NOTE,
        document,
    };
    let organisation = Address::ZERO;
    let serial = 1;
    vec![
        step(
            claims,
            IClaims::submitClaimsCall {
                actor,
                organisation,
                claims: vec![new],
            },
        ),
        step(claims, IClaims::beginReviewCall { actor, claim, serial }),
        step(
            claims,
            IClaims::requestInformationCall {
                actor,
                claim,
                serial,
                document,
            },
        ),
        step(
            claims,
            IClaims::provideInformationCall {
                actor,
                claim,
                serial,
                document,
            },
        ),
        step(claims, decision),
        step(
            claims,
            IClaims::appealCall {
                actor,
                claim,
                serial,
                document,
            },
        ),
        step(claims, IClaims::closeOverdueCall { actor, claim, serial }),
        step(claims, IClaims::acceptPartCall { actor, claim, serial }),
        step(
            claims,
            IClaims::recordPaymentCall {
                actor,
                claim,
                serial,
                remittance: NOTE,
            },
        ),
        step(claims, payment),
        step(
            claims,
            IClaims::reverseClaimCall {
                actor,
                claim,
                serial,
                reasonCode: claim_reason::OTHER,
            },
        ),
        step(claims, IClaims::withdrawCall { actor, claim, serial }),
        step(
            claims,
            IClaims::setInsurerCall {
                actor,
                insurer: actor,
                serial: 0,
                shared: true,
            },
        ),
        step(claims, currency),
        step(supply, registration),
        step(
            supply,
            ISupply::splitCall {
                actor,
                batch,
                unit: 0,
                cuts: vec![1],
            },
        ),
        step(supply, offer),
        step(
            supply,
            ISupply::acceptCall {
                actor,
                shipment: 1,
                document,
            },
        ),
        step(
            supply,
            ISupply::refuseCall {
                actor,
                shipment: 1,
                document,
            },
        ),
        step(
            supply,
            ISupply::withdrawCall {
                actor,
                shipment: 1,
                document,
            },
        ),
        step(supply, recalling),
        step(supply, dispensing),
        step(supply, gone),
        step(trials, registered),
        step(trials, amend),
        step(trials, site),
        step(trials, consent),
        step(
            trials,
            ITrials::enrolCall {
                actor,
                trial,
                participant: SUBMITTER,
            },
        ),
        step(trials, ITrials::withdrawConsentCall { actor, trial }),
        step(trials, data),
        step(
            trials,
            ITrials::lockDataCall {
                actor,
                trial,
                batches: 0,
            },
        ),
        step(trials, results),
        step(trials, ITrials::closeTrialCall { actor, trial }),
    ]
}

/// A party that has every role, so that nothing but who speaks stands in the way; and the stage.
fn stage() -> Stage {
    let mut stage = Stage::new(Way::Own, |world| world.claims);
    let every = role::ALL.iter().fold(0, |all, (_, bit)| all | bit);
    stage.credential(party(1).address(), every);
    stage
}

#[test]
fn every_method_that_changes_something_takes_the_actor_first_and_is_tried_here() {
    let stage = stage();
    let tried: BTreeSet<_> = steps(&stage.world, party(1).address())
        .into_iter()
        .map(|(name, ledger, _)| (ledger, name.to_owned()))
        .collect();
    let interfaces = [
        ("IClaims", stage.world.claims),
        ("ISupply", stage.world.supply),
        ("ITrials", stage.world.trials),
    ];
    let mut methods = BTreeSet::new();
    for (interface, ledger) in interfaces {
        let path = root().join(format!("contracts/abi/generated/{interface}.json"));
        let abi: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for item in abi.as_array().unwrap() {
            if item["type"] != "function" || item["stateMutability"] == "view" {
                continue;
            }
            let first = &item["inputs"][0];
            assert_eq!(
                (&first["name"], &first["type"]),
                (&"actor".into(), &"address".into()),
                "{item}"
            );
            methods.insert((ledger, item["name"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(methods, tried);
}

/// A stranger, a neighbour of ours, and a relay that is ours byte for byte but stands elsewhere: with a signature for it that is good.
#[test]
fn nobody_acts_in_anothers_name_nor_does_a_relay_that_somebody_else_has_deployed() {
    let mut stage = stage();
    let owner = party(1);
    let actor = owner.address();
    let [_, _, _, init_code, ..] = init_codes().clone();
    // It is active as it stands: a chain activates code, not contracts.
    let foreign = stage.world.bare.create(Address::repeat_byte(0x06), init_code).unwrap();
    assert_ne!(foreign, stage.world.relay);
    let found = stage.world.ask(foreign, IRelay::neighboursCall {});
    let ours = (stage.world.claims, stage.world.supply, stage.world.trials);
    assert_eq!((found.claims, found.supply, found.trials), ours);

    let before = stage.words();
    // One error, the same in each interface.
    let not_actor = |caller| IClaims::NotActor { caller, actor }.abi_encode();
    for (name, ledger, call) in steps(&stage.world, actor) {
        let done = stage.world.send_raw(SUBMITTER, ledger, call.clone());
        assert_eq!(done.output.unwrap_err(), not_actor(SUBMITTER), "{name}");
        for caller in [stage.world.registry, stage.world.records, ledger] {
            let done = stage.world.call_raw(caller, ledger, call.clone());
            assert_eq!(done.output.unwrap_err(), not_actor(caller), "{name} by {caller}");
        }
        let operation = IRelay::LedgerCall {
            ledger,
            ..stage.operation(actor, call)
        };
        let signature = sign_for(foreign, &owner, &operation);
        let call = IRelay::callLedgerCall { operation, signature };
        let done = stage.world.send(SUBMITTER, foreign, call.clone());
        assert_eq!(done.output.unwrap_err(), not_actor(foreign), "{name} by another relay");
        // What was signed for that one is nothing to ours.
        let done = stage.world.send(SUBMITTER, stage.world.relay, call);
        let bad = IRelay::BadSignature { signer: actor }.abi_encode();
        assert_eq!(done.output.unwrap_err(), bad, "{name}");
    }
    assert_eq!(stage.words(), before);
}

/// Signed by who submits it, well: so the signature is not what stands in the way.
#[test]
fn a_signed_call_in_anothers_name_or_to_another_contract_is_not_passed_on() {
    let mut stage = stage();
    let (mallory, victim) = (party(2), party(1).address());
    let relay = stage.world.relay;
    for (_, ledger, call) in steps(&stage.world, victim) {
        let operation = IRelay::LedgerCall {
            ledger,
            ..stage.operation(mallory.address(), call)
        };
        let signed = stage.sign_operation(&mallory, operation);
        stage.refused_at(SUBMITTER, relay, signed, IRelay::NotLedgerCall { ledger });
    }
    // Their own name, and the relay's own neighbours, which believe it too.
    let (_, _, call) = steps(&stage.world, mallory.address()).swap_remove(0);
    let others = [
        stage.world.registry,
        stage.world.records,
        stage.world.exceptions,
        stage.world.audit,
        relay,
        mallory.address(),
        Address::ZERO,
    ];
    for ledger in others {
        let operation = IRelay::LedgerCall {
            ledger,
            ..stage.operation(mallory.address(), call.clone())
        };
        let signed = stage.sign_operation(&mallory, operation);
        stage.refused_at(SUBMITTER, relay, signed, IRelay::NotLedgerCall { ledger });
    }
    // The signer with dirt above the address is another word.
    let mut dirty = call;
    dirty[4] = 1;
    let signed = stage.sign_operation(&mallory, stage.operation(mallory.address(), dirty));
    let ledger = stage.ledger;
    stage.refused_at(SUBMITTER, relay, signed, IRelay::NotLedgerCall { ledger });
}

#[test]
fn a_signed_call_is_passed_on_whole_and_what_is_cut_is_refused() {
    let mut stage = stage();
    let signer = party(1);
    let (relay, ledger) = (stage.world.relay, stage.ledger);
    let (_, _, good) = steps(&stage.world, signer.address()).swap_remove(0);
    // Without all of the actor it is in nobody's name; after it the ledger refuses what is no call.
    for cut in [0, 1, 4, 35] {
        let signed = stage.sign_operation(&signer, stage.operation(signer.address(), good[..cut].to_vec()));
        stage.refused_at(SUBMITTER, relay, signed, IRelay::NotLedgerCall { ledger });
    }
    for cut in [36, 68, 100, good.len() - 32, good.len() - 1] {
        let signed = stage.sign_operation(&signer, stage.operation(signer.address(), good[..cut].to_vec()));
        stage.refused_in_silence(SUBMITTER, relay, signed.abi_encode());
    }
    // A method that is none, and one of another ledger.
    let mut unknown = good.clone();
    unknown[..4].copy_from_slice(&[9; 4]);
    let foreign = ISupply::acceptCall {
        actor: signer.address(),
        shipment: 1,
        document: NOTE,
    };
    for call in [unknown, foreign.abi_encode()] {
        let signed = stage.sign_operation(&signer, stage.operation(signer.address(), call));
        stage.refused_in_silence(SUBMITTER, relay, signed.abi_encode());
    }
    // Whoever submits cuts it, or lies about lengths: of the operation, the call and the signature.
    let signed = stage
        .sign_operation(&signer, stage.operation(signer.address(), good))
        .abi_encode();
    // The signature's last byte has 31 of padding behind it, which nobody misses.
    for cut in [4, 36, 100, 300, signed.len() - 64, signed.len() - 32] {
        stage.refused_in_silence(SUBMITTER, relay, signed[..cut].to_vec());
    }
    let signature_length = U256::from_be_slice(&signed[36..68]).to::<usize>() / 32;
    for word in [0, 1, 4, 7, signature_length] {
        for lie in [
            U256::MAX,
            U256::ONE << 255,
            U256::from(1u64 << 32),
            U256::from(signed.len()),
        ] {
            let mut lying = signed.clone();
            lying[4 + word * 32..][..32].copy_from_slice(&lie.to_be_bytes::<32>());
            stage.refused_in_silence(SUBMITTER, relay, lying);
        }
    }
}

#[test]
fn a_signed_call_that_is_changed_redirected_late_or_cancelled_does_not_run() {
    let mut stage = stage();
    let signer = party(1);
    let relay = stage.world.relay;
    let actor = signer.address();
    let set = IClaims::setInsurerCall {
        actor,
        insurer: actor,
        serial: 0,
        shared: true,
    };
    let now = stage.now();
    let operation = IRelay::LedgerCall {
        deadline: U256::from(now),
        ..stage.operation(actor, set.abi_encode())
    };
    let good = stage.sign_operation(&signer, operation);
    let bad = || IRelay::BadSignature { signer: actor };
    let other = IClaims::setInsurerCall { shared: false, ..set };
    let edits: [&dyn Fn(&mut IRelay::LedgerCall); 4] = [
        &|operation| operation.call = other.abi_encode().into(),
        &|operation| operation.ledger = stage.world.supply,
        &|operation| operation.deadline = U256::MAX,
        &|operation| operation.call = [&operation.call[..], &[0; 32]].concat().into(),
    ];
    let changed = edits.map(|edit| {
        let mut changed = good.clone();
        edit(&mut changed.operation);
        changed
    });
    for changed in changed {
        stage.refused_at(SUBMITTER, relay, changed, bad());
    }
    // Somebody else's name on it: the call is in the first one's.
    let mut stolen = good.clone();
    stolen.operation.signer = SUBMITTER;
    let ledger = stage.ledger;
    stage.refused_at(SUBMITTER, relay, stolen, IRelay::NotLedgerCall { ledger });
    stage.pass(1);
    let expired = IRelay::SignatureExpired {
        deadline: U256::from(now),
        now: U256::from(now + 1),
    };
    stage.refused_at(SUBMITTER, relay, good, expired);
    let kept = stage.sign(&signer, set);
    stage.world.must(actor, relay, IRelay::cancelAllCall {});
    let cancelled = IRelay::SignatureCancelled {
        nonce: U256::ZERO,
        current: U256::ONE,
    };
    stage.refused_at(SUBMITTER, relay, kept, cancelled);
}

/// A view takes something else first, which may look like the signer: it is asked, and nothing comes of it.
#[test]
fn a_signed_question_changes_nothing() {
    let mut stage = stage();
    let signer = party(1);
    let before = stage.words();
    let question = IClaims::claimOfCall {
        claim: signer.address().into_word(),
    };
    let signed = stage.sign(&signer, question);
    let done = stage.world.must(SUBMITTER, stage.world.relay, signed);
    assert!(done.logs.is_empty() && done.output.unwrap().is_empty());
    assert_eq!(stage.words(), before);
}
