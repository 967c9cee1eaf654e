//! A contract's error, by its name in the ABI. Pure.
use alloy::sol_types::SolError as _;
use alloy::sol_types::SolInterface;
use medlock_abi::{
    claims::IClaims::IClaimsErrors,
    exceptions::IExceptions::IExceptionsErrors,
    records::IRecords::IRecordsErrors,
    registry::IRegistry::IRegistryErrors,
    relay::IRelay::{self, IRelayErrors},
    supply::ISupply::ISupplyErrors,
    trials::ITrials::ITrialsErrors,
};
use medlock_api::RelayState;

/// Of an error that is none of our contracts'.
const UNKNOWN: &str = "unknown";

/// Its name and its arguments. What several contracts declare alike has one name.
pub fn read(revert: &[u8]) -> (&'static str, Option<String>) {
    let Some(selector) = revert.first_chunk::<4>().copied() else {
        return (UNKNOWN, None);
    };
    macro_rules! first_of {
        ($($interface:ident)+) => {{
            $(if let (Some(name), Ok(error)) = ($interface::name_by_selector(selector), $interface::abi_decode_validate(revert)) {
                return (name, Some(format!("{error:?}")));
            })+
            (UNKNOWN, None)
        }};
    }
    first_of!(IRelayErrors IRecordsErrors IExceptionsErrors IRegistryErrors IClaimsErrors ISupplyErrors ITrialsErrors)
}

/// Where an operation stands that was refused with this error.
pub fn state(revert: &[u8]) -> RelayState {
    match revert.first_chunk::<4>() {
        Some(&IRelay::SignatureExpired::SELECTOR) => RelayState::Expired,
        Some(&IRelay::SignatureCancelled::SELECTOR) => RelayState::Cancelled,
        _ => RelayState::Failed,
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, U256};
    use medlock_abi::{
        claims::IClaims, exceptions::IExceptions, records::IRecords, registry::IRegistry, supply::ISupply,
        trials::ITrials,
    };

    use super::*;

    #[test]
    fn errors_of_every_contract_that_an_operation_meets_have_their_names() {
        let caller = Address::repeat_byte(1);
        let cases = [
            (IRelay::BadSignature { signer: caller }.abi_encode(), "BadSignature"),
            (
                IRecords::GrantSerial { given: 0, current: 1 }.abi_encode(),
                "GrantSerial",
            ),
            (
                IExceptions::NotDelegate { delegate: caller }.abi_encode(),
                "NotDelegate",
            ),
            (IRegistry::NotIssuer { caller }.abi_encode(), "NotIssuer"),
            (IClaims::NotInsurer { insurer: caller }.abi_encode(), "NotInsurer"),
            (ISupply::MalformedGtin { gtin: 1 }.abi_encode(), "MalformedGtin"),
            (
                ITrials::NotParticipant { participant: caller }.abi_encode(),
                "NotParticipant",
            ),
        ];
        for (revert, expected) in cases {
            let (name, detail) = read(&revert);
            assert_eq!(name, expected);
            assert!(detail.unwrap().contains(expected));
            assert_eq!(state(&revert), RelayState::Failed);
            // Cut short it is nobody's.
            assert_eq!(read(&revert[..revert.len() - 1]), (UNKNOWN, None));
        }
        assert_eq!(read(&[]), (UNKNOWN, None));
        assert_eq!(read(&[1, 2, 3, 4]), (UNKNOWN, None));
    }

    #[test]
    fn what_expired_or_was_cancelled_did_not_fail() {
        let expired = IRelay::SignatureExpired {
            deadline: U256::from(1),
            now: U256::from(2),
        };
        assert_eq!(state(&expired.abi_encode()), RelayState::Expired);
        let cancelled = IRelay::SignatureCancelled {
            nonce: U256::from(1),
            current: U256::from(2),
        };
        assert_eq!(state(&cancelled.abi_encode()), RelayState::Cancelled);
        assert_eq!(state(&[]), RelayState::Failed);
    }
}
