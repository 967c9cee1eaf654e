//! Signed operations on the wire: `relay` takes them, anyone may submit them, and a gateway that relays pays for it.
//!
//! An operation travels as the calldata of its method (`IRelay`): the form that every ABI library writes.
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{Eip712Domain, SolCall, SolInterface, SolStruct, SolValue};
use medlock_abi::{
    relay::IRelay::{self, IRelayCalls},
    signed,
};
use serde::{Deserialize, Serialize};

/// Something that is signed (EIP-712): what a signer needs who shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub name: &'static str,
    /// `encodeType`: its members, and those of the structs in it.
    pub types: String,
    /// Its members by the ABI.
    pub encoded: Vec<u8>,
    /// `hashStruct`.
    pub hash: B256,
}

impl Statement {
    pub fn of<S: SolStruct + SolValue>(statement: &S) -> Self {
        Self {
            name: S::NAME,
            types: S::eip712_encode_type().into_owned(),
            encoded: statement.abi_encode(),
            hash: statement.eip712_hash_struct(),
        }
    }

    /// What is signed of it.
    pub fn signing_hash(&self, domain: &Eip712Domain) -> B256 {
        keccak256([&[0x19, 0x01], &domain.hash_struct()[..], &self.hash[..]].concat())
    }
}

/// Declares [`Operation`]: each signed type, with the variant of the method that takes it, and the method's call.
macro_rules! operations {
    ($($name:ident $method:ident $call:ident)*) => {
        /// What an account signs.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Operation { $($name(IRelay::$name)),* }

        $(impl From<IRelay::$name> for Operation {
            fn from(operation: IRelay::$name) -> Self {
                Self::$name(operation)
            }
        })*

        impl Operation {
            /// The operation and the signature in `call`. `None`: it is not the call of a method that takes one, or not written as
            /// [`Operation::call`] writes it.
            pub fn decode(call: &[u8]) -> Option<(Self, Bytes)> {
                let (operation, signature) = match IRelayCalls::abi_decode_validate(call).ok()? {
                    $(IRelayCalls::$method(call) => (Self::$name(call.operation), call.signature),)*
                    _ => return None,
                };
                (operation.call(signature.clone()) == call).then_some((operation, signature))
            }

            /// The calldata that submits it.
            pub fn call(&self, signature: Bytes) -> Vec<u8> {
                match self.clone() {
                    $(Self::$name(operation) => IRelay::$call { operation, signature }.abi_encode(),)*
                }
            }

            /// The EIP-712 digest: what the account signs, and the operation's name wherever it goes.
            pub fn signing_hash(&self, chain_id: u64, relay: Address) -> B256 {
                let domain = signed::domain(chain_id, relay);
                match self {
                    $(Self::$name(operation) => operation.eip712_signing_hash(&domain),)*
                }
            }

            /// The same, for signers that show it.
            pub fn statement(&self) -> Statement {
                match self {
                    $(Self::$name(operation) => Statement::of(operation),)*
                }
            }

            pub fn signer(&self) -> Address {
                match self {
                    $(Self::$name(operation) => operation.signer,)*
                }
            }

            /// UNIX seconds.
            pub fn deadline(&self) -> U256 {
                match self {
                    $(Self::$name(operation) => operation.deadline,)*
                }
            }

            /// The method's name in the ABI.
            pub fn method(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($method),)*
                }
            }
        }
    };
}

operations! {
    OpenChart openChart openChartCall
    SetDirectory setDirectory setDirectoryCall
    Grant grant grantCall
    Revoke revoke revokeCall
    RevokeAll revokeAll revokeAllCall
    AddRecords addRecords addRecordsCall
    AmendRecord amendRecord amendRecordCall
    EnterInError enterInError enterInErrorCall
    ShredRecord shredRecord shredRecordCall
    SetDelegate setDelegate setDelegateCall
    PublishKey publishKey publishKeyCall
    SetEmergencyAccess setEmergencyAccess setEmergencyAccessCall
    BreakGlass breakGlass breakGlassCall
    CloseEmergency closeEmergency closeEmergencyCall
    SetMember setMember setMemberCall
    RemoveMember removeMember removeMemberCall
    LedgerCall callLedger callLedgerCall
    CancelAll cancelAllBySignature cancelAllBySignatureCall
}

/// Where an operation stands at a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RelayState {
    /// Taken on, without a transaction yet.
    Queued,
    /// In a transaction that is not mined: at first, or again after a reorganisation of the chain.
    Submitted,
    /// Done, in `block`.
    Mined,
    /// Not done: a contract refused it, with `fault`. It may be handed in again.
    Failed,
    /// Not done by its deadline.
    Expired,
    /// Its signer has cancelled all that was not submitted.
    Cancelled,
}

impl RelayState {
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Submitted,
        Self::Mined,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
    ];

    pub const fn text(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Submitted => "submitted",
            Self::Mined => "mined",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.text() == text)
    }

    /// Nothing more is to come of it, but for a reorganisation.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Submitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNER: Address = Address::repeat_byte(1);

    fn revoke() -> Operation {
        let keyring = IRelay::Resealed {
            grantee: Address::repeat_byte(3),
            keyring: B256::repeat_byte(4),
        };
        IRelay::Revoke {
            signer: SIGNER,
            chart: B256::repeat_byte(2),
            grantee: Address::repeat_byte(5),
            version: 2,
            directory: B256::repeat_byte(6),
            keyrings: vec![keyring],
            nonce: U256::ZERO,
            deadline: U256::from(7),
        }
        .into()
    }

    #[test]
    fn an_operation_has_one_encoding() {
        let signature = Bytes::from(vec![9; 65]);
        let call = revoke().call(signature.clone());
        assert_eq!(Operation::decode(&call), Some((revoke(), signature)));
        let mut longer = call.clone();
        longer.extend([0; 32]);
        assert_eq!(Operation::decode(&longer), None);
        assert_eq!(Operation::decode(&call[..call.len() - 1]), None);
        // The last byte of padding behind 65 bytes.
        let mut padded = call.clone();
        *padded.last_mut().unwrap() = 1;
        assert_eq!(Operation::decode(&padded), None);
        // Methods of the same contract that take no operation.
        assert_eq!(Operation::decode(&IRelay::cancelAllCall {}.abi_encode()), None);
        assert_eq!(
            Operation::decode(&IRelay::nonceOfCall { signer: SIGNER }.abi_encode()),
            None
        );
        assert_eq!(Operation::decode(&[]), None);
    }

    #[test]
    fn the_digest_binds_chain_and_contract() {
        let (relay, other) = (Address::repeat_byte(8), Address::repeat_byte(9));
        let digest = revoke().signing_hash(1, relay);
        assert_ne!(digest, revoke().signing_hash(2, relay));
        assert_ne!(digest, revoke().signing_hash(1, other));
        assert_eq!((revoke().signer(), revoke().deadline()), (SIGNER, U256::from(7)));
        assert_eq!(revoke().method(), "revoke");
    }

    #[test]
    fn states_are_their_names() {
        for state in RelayState::ALL {
            assert_eq!(RelayState::from_text(state.text()), Some(state));
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("{:?}", state.text()));
        }
        assert_eq!(RelayState::from_text("done"), None);
    }
}
