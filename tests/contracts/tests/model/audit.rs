//! Anchors of read receipts, and proofs that a gateway has said two things.
use std::collections::{BTreeMap, BTreeSet};

use alloy::{
    primitives::{Address, B256, keccak256},
    sol_types::SolStruct,
};
use medlock_abi::{audit::IAudit::*, signed, terms::role};
use medlock_anvil::CHAIN_ID;

use super::{Contract, Model, Refusal, acts, require, root_by_path, signer_of, views};

#[derive(Default)]
pub struct Audit {
    /// Of each gateway, in their order.
    pub anchors: BTreeMap<Address, Vec<Anchor>>,
    /// Pairs of statements that were proved against a gateway, the smaller hash first.
    pub proofs: BTreeMap<Address, BTreeSet<(B256, B256)>>,
}

acts! { Audit;
    anchorCall => anchor,
    proveEquivocationCall => prove_equivocation,
    proveDeviationCall => prove_deviation,
}

views! { Audit;
    registryCall => |_, model| model.addresses.registry,
    headOfCall => |call, model| {
        let anchors = model.audit.of(call.gateway);
        headOfReturn {
            anchors: anchors.len() as u64,
            receipts: anchors.iter().map(|anchor| u64::from(anchor.count)).sum(),
            last: model.audit.last(call.gateway),
        }
    },
    anchorOfCall => |call, model| model.audit.at(call.gateway, call.index).map(Anchor::eip712_hash_struct).unwrap_or_default(),
    verifyCall => |call, model| {
        let (statement, index) = (&call.statement, call.leafIndex);
        let leaf = keccak256([&[0][..], call.leaf.as_slice()].concat());
        model.audit.at(statement.gateway, statement.index) == Some(statement)
            && index < statement.count
            && root_by_path(leaf, index, statement.count, &call.proof) == Some(statement.root)
    },
    equivocationsOfCall => |call, model| model.audit.proofs.get(&call.gateway).map_or(0, BTreeSet::len) as u32,
}

impl Audit {
    pub fn of(&self, gateway: Address) -> &[Anchor] {
        self.anchors.get(&gateway).map_or(&[], Vec::as_slice)
    }

    fn at(&self, gateway: Address, index: u64) -> Option<&Anchor> {
        self.of(gateway).get(usize::try_from(index).ok()?)
    }

    /// Zero where there is none.
    pub fn last(&self, gateway: Address) -> B256 {
        self.of(gateway)
            .last()
            .map(Anchor::eip712_hash_struct)
            .unwrap_or_default()
    }

    fn is_proved(&self, gateway: Address, first: B256, second: B256) -> bool {
        let pair = (first.min(second), first.max(second));
        self.proofs.get(&gateway).is_some_and(|pairs| pairs.contains(&pair))
    }
}

impl Model {
    fn is_signed(&self, statement: &Anchor, signature: &[u8]) -> bool {
        let digest = statement.eip712_signing_hash(&signed::domain(CHAIN_ID, self.addresses.audit));
        signer_of(digest, signature) == Some(statement.gateway)
    }

    fn mark(&mut self, gateway: Address, index: u64, first: B256, second: B256, by: Address) {
        let pairs = self.audit.proofs.entry(gateway).or_default();
        pairs.insert((first.min(second), first.max(second)));
        let event = EquivocationProved {
            gateway,
            index,
            first,
            second,
            by,
        };
        self.tell(Contract::Audit, event);
    }
}

fn anchor(call: &anchorCall, model: &mut Model, caller: Address) -> Result<u64, Refusal> {
    require!(!call.root.is_zero(), ZeroRoot {});
    require!(call.count != 0, EmptyAnchor {});
    require!(
        model.registry.has_roles(caller, role::GATEWAY, model.now),
        NotGateway { caller }
    );
    let (given, current) = (call.previous, model.audit.last(caller));
    require!(given == current, PreviousAnchor { given, current });
    let anchors = model.audit.anchors.entry(caller).or_default();
    let index = anchors.len() as u64;
    let statement = Anchor {
        gateway: caller,
        index,
        previous: given,
        root: call.root,
        count: call.count,
    };
    let event = Anchored {
        gateway: caller,
        index,
        anchor: statement.eip712_hash_struct(),
        previous: given,
        root: call.root,
        count: call.count,
    };
    anchors.push(statement);
    model.tell(Contract::Audit, event);
    Ok(index)
}

fn prove_equivocation(call: &proveEquivocationCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let (first, second) = (&call.first, &call.second);
    let (gateway, index) = (first.gateway, first.index);
    require!(gateway == second.gateway && index == second.index, NotComparable {});
    let hashes = (first.eip712_hash_struct(), second.eip712_hash_struct());
    require!(
        first != second && !model.audit.is_proved(gateway, hashes.0, hashes.1),
        SameAnchor {}
    );
    let are_signed = model.is_signed(first, &call.firstSignature) && model.is_signed(second, &call.secondSignature);
    require!(are_signed, BadSignature { gateway });
    model.mark(gateway, index, hashes.0, hashes.1, caller);
    Ok(())
}

fn prove_deviation(call: &proveDeviationCall, model: &mut Model, caller: Address) -> Result<(), Refusal> {
    let statement = &call.statement;
    let (gateway, index) = (statement.gateway, statement.index);
    let anchored = model.audit.at(gateway, index).ok_or(UnknownAnchor { gateway, index })?;
    let hashes = (statement.eip712_hash_struct(), anchored.eip712_hash_struct());
    require!(
        anchored != statement && !model.audit.is_proved(gateway, hashes.0, hashes.1),
        SameAnchor {}
    );
    require!(model.is_signed(statement, &call.signature), BadSignature { gateway });
    model.mark(gateway, index, hashes.0, hashes.1, caller);
    Ok(())
}
