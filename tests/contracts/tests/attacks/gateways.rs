//! A gateway that says two things is found out by its own signatures, and nobody else's can accuse it.
use alloy::{
    primitives::{Address, B256, Bytes},
    signers::local::PrivateKeySigner,
    sol_types::{SolError, SolEvent, SolStruct},
};
use medlock_abi::{
    audit::IAudit::{self, Anchor},
    registry::IRegistry,
    signed,
    terms::role,
};
use medlock_anvil::CHAIN_ID;
use medlock_contract_tests::{Done, OWNER};

use super::{STRANGER, Stage, mirrored, sign_hash};

#[test]
fn two_signed_statements_for_one_index_are_proved_once_and_for_good() {
    let mut stage = Stage::new();
    let (audit, gateway) = (stage.world.audit, stage.gateway());
    // Of an index that is not anchored, and perhaps never will be.
    let (first, second) = (statement(gateway, 5, 1), statement(gateway, 5, 2));
    let call = stage.equivocation(&first, &second);
    let done = stage.world.must(STRANGER, audit, call.clone());
    assert_proved(&done, &first, &second);
    assert_eq!(stage.equivocations(gateway), 1);
    let same = IAudit::SameAnchor {}.abi_encode();
    let swapped = stage.equivocation(&second, &first);
    assert_eq!(stage.refused(STRANGER, audit, call), same);
    assert_eq!(stage.refused(STRANGER, audit, swapped), same);
    // A third statement is another proof, also when the gateway is none any more.
    let call = IRegistry::revokeCredentialCall { party: gateway };
    stage.world.must(OWNER, stage.world.registry, call);
    let call = stage.equivocation(&first, &statement(gateway, 5, 3));
    stage.world.must(STRANGER, audit, call);
    assert_eq!(stage.equivocations(gateway), 2);
}

#[test]
fn a_signed_statement_that_is_not_what_was_anchored_is_proved_once_and_for_good() {
    let mut stage = Stage::new();
    let (audit, gateway) = (stage.world.audit, stage.gateway());
    let (anchored, stated) = (statement(gateway, 0, 1), statement(gateway, 0, 2));
    let proof = stage.deviation(&stated);
    let unknown = IAudit::UnknownAnchor { gateway, index: 0 };
    assert_eq!(stage.refused(STRANGER, audit, proof.clone()), unknown.abi_encode());
    stage.anchor(&anchored);
    let done = stage.world.must(STRANGER, audit, proof.clone());
    assert_proved(&done, &stated, &anchored);
    assert_eq!(stage.equivocations(gateway), 1);
    // The pair was proved, whichever way.
    let same = IAudit::SameAnchor {}.abi_encode();
    assert_eq!(stage.refused(STRANGER, audit, proof), same);
    let both = stage.equivocation(&anchored, &stated);
    assert_eq!(stage.refused(STRANGER, audit, both), same);
    assert_eq!(stage.equivocations(gateway), 1);
}

#[test]
fn nobody_accuses_a_gateway_that_said_one_thing() {
    let mut stage = Stage::new();
    let (audit, gateway) = (stage.world.audit, stage.gateway());
    let honest = statement(gateway, 0, 1);
    stage.anchor(&honest);
    let same = IAudit::SameAnchor {}.abi_encode();
    let proof = stage.deviation(&honest);
    assert_eq!(stage.refused(STRANGER, audit, proof), same);
    let proof = stage.equivocation(&honest, &honest);
    assert_eq!(stage.refused(STRANGER, audit, proof), same);
    // What comes after it, or what another says, does not contradict it.
    let not_comparable = IAudit::NotComparable {}.abi_encode();
    for other in [statement(gateway, 1, 2), statement(STRANGER, 0, 2)] {
        let proof = stage.equivocation(&honest, &other);
        assert_eq!(stage.refused(STRANGER, audit, proof), not_comparable);
    }

    // Somebody else's signature; the gateway's over something else, for something else, or in another form.
    let false_one = statement(gateway, 0, 2);
    let domains = [
        signed::domain(42_161, audit),
        signed::domain(CHAIN_ID, stage.world.records),
        signed::domain(CHAIN_ID, stage.world.relay),
    ];
    let own = stage.signed_by_gateway(&honest);
    let digest = |statement: &Anchor| statement.eip712_signing_hash(&signed::domain(CHAIN_ID, audit));
    let mut forged = vec![
        sign_hash(&stage.signer, digest(&false_one)),
        own.clone(),
        Bytes::new(),
        vec![0; 65].into(),
    ];
    forged.extend(domains.map(|domain| sign_hash(&key(), false_one.eip712_signing_hash(&domain))));
    let bad = IAudit::BadSignature { gateway }.abi_encode();
    for signature in forged {
        let proof = IAudit::proveDeviationCall {
            statement: false_one.clone(),
            signature: signature.clone(),
        };
        assert_eq!(stage.refused(STRANGER, audit, proof), bad);
        for is_first in [true, false] {
            let (statements, signatures) = if is_first {
                ([&false_one, &honest], [&signature, &own])
            } else {
                ([&honest, &false_one], [&own, &signature])
            };
            let proof = IAudit::proveEquivocationCall {
                first: statements[0].clone(),
                firstSignature: signatures[0].clone(),
                second: statements[1].clone(),
                secondSignature: signatures[1].clone(),
            };
            assert_eq!(stage.refused(STRANGER, audit, proof), bad);
        }
    }
    // The same signature in its other form is none, so there is one proof of one pair.
    let said = statement(gateway, 0, 3);
    let proof = IAudit::proveEquivocationCall {
        firstSignature: mirrored(&own).into(),
        ..stage.equivocation(&honest, &said)
    };
    assert_eq!(stage.refused(STRANGER, audit, proof), bad);
    assert_eq!(stage.equivocations(gateway), 0);
    let proof = stage.deviation(&said);
    stage.world.must(STRANGER, audit, proof);
    assert_eq!(stage.equivocations(gateway), 1);
}

impl Stage {
    /// One with a credential.
    fn gateway(&mut self) -> Address {
        let gateway = key().address();
        self.credential(gateway, role::GATEWAY);
        gateway
    }

    fn anchor(&mut self, statement: &Anchor) {
        let &Anchor {
            previous, root, count, ..
        } = statement;
        let call = IAudit::anchorCall { previous, root, count };
        self.world.must(statement.gateway, self.world.audit, call);
    }

    fn signed_by_gateway(&self, statement: &Anchor) -> Bytes {
        let domain = signed::domain(CHAIN_ID, self.world.audit);
        sign_hash(&key(), statement.eip712_signing_hash(&domain))
    }

    fn equivocation(&self, first: &Anchor, second: &Anchor) -> IAudit::proveEquivocationCall {
        IAudit::proveEquivocationCall {
            first: first.clone(),
            firstSignature: self.signed_by_gateway(first),
            second: second.clone(),
            secondSignature: self.signed_by_gateway(second),
        }
    }

    fn deviation(&self, statement: &Anchor) -> IAudit::proveDeviationCall {
        IAudit::proveDeviationCall {
            statement: statement.clone(),
            signature: self.signed_by_gateway(statement),
        }
    }

    fn equivocations(&self, gateway: Address) -> u32 {
        self.world
            .ask(self.world.audit, IAudit::equivocationsOfCall { gateway })
    }
}

/// The gateway's.
fn key() -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(9)).unwrap()
}

fn statement(gateway: Address, index: u64, root: u8) -> Anchor {
    Anchor {
        gateway,
        index,
        previous: B256::ZERO,
        root: B256::repeat_byte(root),
        count: 3,
    }
}

fn assert_proved(done: &Done, first: &Anchor, second: &Anchor) {
    let [log] = done.logs.as_slice() else {
        panic!("{:?}", done.logs);
    };
    let expected = IAudit::EquivocationProved {
        gateway: first.gateway,
        index: first.index,
        first: first.eip712_hash_struct(),
        second: second.eip712_hash_struct(),
        by: STRANGER,
    };
    assert_eq!(
        IAudit::EquivocationProved::decode_log_data(&log.data).unwrap(),
        expected
    );
}
