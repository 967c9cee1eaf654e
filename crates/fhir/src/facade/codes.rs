//! Purposes, actions and compartments as codes, and back. Every bit has a code of its own, so that no right is lost or made up.

use medlock_abi::terms::{COMPARTMENTS, action, purpose};
use serde_json::Value;

use super::element::{coding, concept};
use super::facts::decimal;
use super::system;

/// A code that a bit stands for.
struct Code {
    system: &'static str,
    code: &'static str,
    display: &'static str,
}

/// As HL7 displays them (v3-ActReason).
fn purpose_display(code: &str) -> &'static str {
    match code {
        "TREAT" => "treatment",
        "ETREAT" => "Emergency Treatment",
        "HPAYMT" => "healthcare payment",
        "HOPERAT" => "healthcare operations",
        "HRESCH" => "healthcare research",
        "PATRQT" => "patient requested",
        "PUBHLTH" => "public health",
        _ => "break the glass",
    }
}

/// The purpose of who has broken the glass: beside ETREAT, never in a grant.
pub(super) const BREAK_THE_GLASS: &str = "BTG";

/// Read is `access`, share is `disclose`. Write is no consentaction: `correct` is "access and correct", and a grant to write is no
/// grant to read.
const ACTIONS: [(u8, Code); 3] = [
    (
        action::READ,
        Code {
            system: system::CONSENT_ACTION,
            code: "access",
            display: "Access",
        },
    ),
    (
        action::WRITE,
        Code {
            system: system::DATA_OPERATION,
            code: "UPDATE",
            display: "revise",
        },
    ),
    (
        action::SHARE,
        Code {
            system: system::CONSENT_ACTION,
            code: "disclose",
            display: "Disclose",
        },
    ),
];

/// In a rule's `securityLabel`: it holds for no record.
pub(super) const NO_COMPARTMENT: &str = "none";

/// Codings, in bit order.
pub(super) fn purposes(bits: u32) -> Vec<Value> {
    let known = purpose::ALL.iter().filter(|(_, bit)| bits & bit != 0);
    let mut codings: Vec<_> = known.map(|(code, _)| purpose(code)).collect();
    let unknown = bits & !purpose::ALL.iter().fold(0, |all, (_, bit)| all | bit);
    codings.extend(numbers(unknown.into()).map(|number| coding(system::PURPOSE_BIT, &number, None)));
    codings
}

pub(super) fn purpose(code: &str) -> Value {
    coding(system::ACT_REASON, code, Some(purpose_display(code)))
}

/// The bit of a purpose's code.
pub(super) fn purpose_bit(system: &str, code: &str) -> Option<u32> {
    let known = |code: &str| purpose::ALL.iter().find(|(name, _)| *name == code).map(|(_, bit)| *bit);
    match system {
        system::ACT_REASON => known(code),
        system::PURPOSE_BIT => unknown_bit(code, u32::BITS)
            .and_then(|bit| u32::try_from(bit).ok())
            .filter(|bit| !purpose::ALL.iter().any(|(_, known)| known == bit)),
        _ => None,
    }
}

/// CodeableConcepts, in bit order.
pub(super) fn actions(bits: u8) -> Vec<Value> {
    let known = ACTIONS.iter().filter(|(bit, _)| bits & bit != 0);
    let mut concepts: Vec<_> = known
        .map(|(_, code)| concept(coding(code.system, code.code, Some(code.display))))
        .collect();
    let unknown = bits & !ACTIONS.iter().fold(0, |all, (bit, _)| all | bit);
    concepts.extend(numbers(unknown.into()).map(|number| concept(coding(system::ACTION_BIT, &number, None))));
    concepts
}

/// The bit of an action's code.
pub(super) fn action_bit(system: &str, code: &str) -> Option<u8> {
    if system == system::ACTION_BIT {
        return unknown_bit(code, u8::BITS)
            .and_then(|bit| u8::try_from(bit).ok())
            .filter(|bit| !ACTIONS.iter().any(|(known, _)| known == bit));
    }
    let known = ACTIONS
        .iter()
        .find(|(_, known)| known.system == system && known.code == code);
    known.map(|(bit, _)| *bit)
}

/// Codings, in bit order.
pub(super) fn compartments(bits: u64) -> Vec<Value> {
    numbers(bits)
        .map(|number| coding(system::COMPARTMENT, &number, None))
        .collect()
}

/// The bit of a compartment's code.
pub(super) fn compartment_bit(system: &str, code: &str) -> Option<u64> {
    let number = unknown_bit(code, COMPARTMENTS.into());
    number.filter(|_| system == system::COMPARTMENT)
}

/// The numbers of the bits that are set, as text.
fn numbers(bits: u64) -> impl Iterator<Item = String> {
    (0..u64::BITS)
        .filter(move |n| bits >> n & 1 == 1)
        .map(|n| n.to_string())
}

/// The bit of a number below `bits`.
fn unknown_bit(code: &str, bits: u32) -> Option<u64> {
    decimal::<u32>(code)
        .filter(|number| *number < bits)
        .map(|number| 1 << number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(codings: &[Value]) -> Vec<(&str, &str)> {
        codings
            .iter()
            .map(|value| value.get("coding").map_or(value, |list| &list[0]))
            .map(|coding| (coding["system"].as_str().unwrap(), coding["code"].as_str().unwrap()))
            .collect()
    }

    #[test]
    fn each_bit_has_one_code_that_leads_back_to_it() {
        for number in 0..64 {
            let bit = 1_u64 << number;
            let labels = compartments(bit);
            let [(system, code)] = codes(&labels)[..] else { panic!() };
            assert_eq!(compartment_bit(system, code), Some(bit));
            if let Ok(bit) = u32::try_from(bit) {
                let purposes = purposes(bit);
                let [(system, code)] = codes(&purposes)[..] else {
                    panic!()
                };
                assert_eq!(purpose_bit(system, code), Some(bit));
            }
            if let Ok(bit) = u8::try_from(bit) {
                let actions = actions(bit);
                let [(system, code)] = codes(&actions)[..] else {
                    panic!()
                };
                assert_eq!(action_bit(system, code), Some(bit));
            }
        }
    }

    #[test]
    fn the_contracts_purposes_and_actions_are_hl7s() {
        let purposes = purposes(u32::MAX);
        let named: Vec<_> = codes(&purposes)
            .into_iter()
            .filter(|(system, _)| *system == system::ACT_REASON)
            .collect();
        assert_eq!(named.len(), purpose::ALL.len());
        assert_eq!(
            codes(&actions(action::READ | action::WRITE | action::SHARE)),
            [
                (system::CONSENT_ACTION, "access"),
                (system::DATA_OPERATION, "UPDATE"),
                (system::CONSENT_ACTION, "disclose")
            ]
        );
        assert_eq!(ACTIONS.len(), action::ALL.len());
    }

    #[test]
    fn a_code_of_another_system_or_another_spelling_is_no_bit() {
        assert_eq!(purpose_bit(system::ACT_REASON, "treat"), None);
        assert_eq!(purpose_bit(system::ACT_REASON, BREAK_THE_GLASS), None);
        assert_eq!(purpose_bit(system::LOINC, "TREAT"), None);
        assert_eq!(purpose_bit(system::PURPOSE_BIT, "0"), None, "TREAT has a code");
        assert_eq!(purpose_bit(system::PURPOSE_BIT, "32"), None);
        assert_eq!(action_bit(system::CONSENT_ACTION, "correct"), None);
        assert_eq!(action_bit(system::ACTION_BIT, "1"), None);
        assert_eq!(action_bit(system::ACTION_BIT, "8"), None);
        assert_eq!(compartment_bit(system::COMPARTMENT, "64"), None);
        assert_eq!(compartment_bit(system::COMPARTMENT, "03"), None);
        assert_eq!(compartment_bit(system::COMPARTMENT, NO_COMPARTMENT), None);
        assert_eq!(compartment_bit(system::LOINC, "3"), None);
    }
}
