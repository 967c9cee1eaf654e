//! Tests only: the methods that the contracts export are those that `medlock-abi` declares, with the
//! same arguments, results and mutability. Events and errors need no such test: the contracts have no
//! others than that crate's types.
//!
//! A crate of its own, because the SDK's export feature must not reach the contracts as they are built.
#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use alloy_json_abi::{JsonAbi, Param, StateMutability};
use medlock_abi::{
    audit::IAudit, claims::IClaims, exceptions::IExceptions, records::IRecords, registry::IRegistry, relay::IRelay,
    supply::ISupply, trials::ITrials,
};
use medlock_audit::Audit;
use medlock_claims::Claims;
use medlock_exceptions::Exceptions;
use medlock_records::Records;
use medlock_registry::Registry;
use medlock_relay::Relay;
use medlock_supply::Supply;
use medlock_trials::Trials;
use stylus_sdk::abi::{AbiType, GenerateAbi};

macro_rules! exports_what_its_interface_declares {
    ($($test:ident: $contract:ty, $interface:ident;)*) => {$(
        #[test]
        fn $test() {
            let declared = declared(&$interface::abi::contract());
            assert!(!declared.is_empty());
            assert_eq!(exported::<$contract>(), declared);
        }
    )*};
}

exports_what_its_interface_declares! {
    registry_exports_what_its_interface_declares: Registry, IRegistry;
    records_exports_what_its_interface_declares: Records, IRecords;
    exceptions_exports_what_its_interface_declares: Exceptions, IExceptions;
    relay_exports_what_its_interface_declares: Relay, IRelay;
    audit_exports_what_its_interface_declares: Audit, IAudit;
    claims_exports_what_its_interface_declares: Claims, IClaims;
    supply_exports_what_its_interface_declares: Supply, ISupply;
    trials_exports_what_its_interface_declares: Trials, ITrials;
}

/// `name(types) view returns (types)`, structs as tuples.
type Methods = BTreeSet<String>;

fn declared(abi: &JsonAbi) -> Methods {
    abi.functions()
        .map(|function| {
            let types = |params: &[Param]| {
                let types: Vec<_> = params.iter().map(Param::selector_type).collect();
                types.join(",")
            };
            method(
                &function.name,
                &types(&function.inputs),
                function.state_mutability == StateMutability::View,
                &types(&function.outputs),
            )
        })
        .collect()
}

/// Reads the interface that the SDK prints, one method a line.
fn exported<C: GenerateAbi>() -> Methods {
    struct Print<C>(std::marker::PhantomData<C>);
    impl<C: GenerateAbi> fmt::Display for Print<C> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            C::fmt_abi(f)
        }
    }
    let structs = structs();
    let types = |list: &str| {
        let types: Vec<_> = list
            .split(", ")
            .map(|parameter| {
                let name = parameter.split(' ').next().unwrap();
                let element = name.trim_end_matches("[]");
                let tuple = structs.get(element).copied().unwrap_or(element);
                format!("{tuple}{}", &name[element.len()..])
            })
            .collect();
        types.join(",")
    };
    Print::<C>(std::marker::PhantomData)
        .to_string()
        .lines()
        .filter_map(|line| line.trim().strip_prefix("function "))
        .map(|line| {
            let (head, results) = line
                .trim_end_matches(';')
                .split_once(" returns ")
                .unwrap_or((line.trim_end_matches(';'), "()"));
            let (name, rest) = head.split_once('(').unwrap();
            let (arguments, qualifiers) = rest.split_once(')').unwrap();
            let results = results.trim_start_matches('(').trim_end_matches(')');
            method(name, &types(arguments), qualifiers.ends_with(" view"), &types(results))
        })
        .collect()
}

fn method(name: &str, arguments: &str, view: bool, results: &str) -> String {
    let view = if view { " view" } else { "" };
    format!("{name}({arguments}){view} returns ({results})")
}

/// Struct name to the tuple that the SDK's router hashes into selectors.
fn structs() -> BTreeMap<&'static str, &'static str> {
    fn entry<T: AbiType>() -> (&'static str, &'static str) {
        // Constants of the trait; `as_str` wants them to live somewhere.
        (const { &T::ABI }.as_str(), const { &T::SELECTOR_ABI }.as_str())
    }
    BTreeMap::from([
        entry::<IRecords::NewRecord>(),
        entry::<IRecords::GrantTerms>(),
        entry::<IRecords::Question>(),
        entry::<IRecords::Keyring>(),
        entry::<IRelay::OpenChart>(),
        entry::<IRelay::SetDirectory>(),
        entry::<IRelay::Grant>(),
        entry::<IRelay::Resealed>(),
        entry::<IRelay::Revoke>(),
        entry::<IRelay::RevokeAll>(),
        entry::<IRelay::AddRecords>(),
        entry::<IRelay::AmendRecord>(),
        entry::<IRelay::EnterInError>(),
        entry::<IRelay::ShredRecord>(),
        entry::<IRelay::SetEmergencyAccess>(),
        entry::<IRelay::BreakGlass>(),
        entry::<IRelay::CloseEmergency>(),
        entry::<IRelay::SetMember>(),
        entry::<IRelay::RemoveMember>(),
        entry::<IRelay::SetDelegate>(),
        entry::<IRelay::PublishKey>(),
        entry::<IRelay::LedgerCall>(),
        entry::<IRelay::CancelAll>(),
        entry::<IAudit::Anchor>(),
        entry::<IClaims::Link>(),
        entry::<IClaims::NewClaim>(),
        entry::<ISupply::Item>(),
    ])
}
