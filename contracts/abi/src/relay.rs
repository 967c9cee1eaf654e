//! `IRelay`: operations that an account has signed (EIP-712) and anyone may submit.
//!
//! The structs here are the signed types: each method takes one, and its type hash is of these fields in this order.
// The SDK's derive, when it also exports the ABI, names it without a path.
#[cfg(feature = "stylus")]
#[allow(unused_imports)]
use alloc::string::String;

use alloy_sol_types::sol;

// `sol(abi)` cannot stand behind a `cfg_attr`, so the interface is a macro that is called in one of two ways.
macro_rules! interface {
    ($(#[$attribute:meta])*) => {
        sol! {
            $(#[$attribute])*
            #[derive(Debug, PartialEq, Eq)]
            interface IRelay {
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct OpenChart {
                    address signer;
                    bytes32 chart;
                    bytes32 directory;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct SetDirectory {
                    address signer;
                    bytes32 chart;
                    uint32 version;
                    bytes32 directory;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct Grant {
                    address signer;
                    bytes32 chart;
                    uint32 directoryVersion;
                    address grantee;
                    uint8 serial;
                    uint64 compartments;
                    uint32 purposes;
                    uint8 actions;
                    uint64 notBefore;
                    uint64 expiry;
                    bytes32 keyring;
                    uint256 nonce;
                    uint256 deadline;
                }

                /// A re-sealed keyring for a grantee that stays.
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct Resealed {
                    address grantee;
                    bytes32 keyring;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct Revoke {
                    address signer;
                    bytes32 chart;
                    address grantee;
                    uint32 version;
                    bytes32 directory;
                    Resealed[] keyrings;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct RevokeAll {
                    address signer;
                    bytes32 chart;
                    uint32 epoch;
                    uint256 nonce;
                    uint256 deadline;
                }

                /// As in `IRecords`.
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct NewRecord {
                    bytes32 recordId;
                    uint8 compartment;
                    uint8 codec;
                    bytes32 pointer;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct AddRecords {
                    address signer;
                    bytes32 chart;
                    address organisation;
                    uint32 directoryVersion;
                    NewRecord[] records;
                    uint256 nonce;
                    uint256 deadline;
                }

                /// `pointer`: another than `previous`, or the operation may be submitted again and again.
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct AmendRecord {
                    address signer;
                    bytes32 chart;
                    address organisation;
                    uint32 directoryVersion;
                    bytes32 recordId;
                    bytes32 previous;
                    uint8 codec;
                    bytes32 pointer;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct EnterInError {
                    address signer;
                    bytes32 chart;
                    address organisation;
                    bytes32 recordId;
                    bytes32 previous;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct ShredRecord {
                    address signer;
                    bytes32 chart;
                    bytes32 recordId;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct SetDelegate {
                    address signer;
                    bytes32 chart;
                    uint32 directoryVersion;
                    address delegate;
                    uint32 serial;
                    uint8 powers;
                    uint64 expiry;
                    uint256 nonce;
                    uint256 deadline;
                }

                /// `version`: the next one of the signer's keys.
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct PublishKey {
                    address signer;
                    uint32 version;
                    uint16 suite;
                    bytes key;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct SetEmergencyAccess {
                    address signer;
                    bytes32 chart;
                    uint32 serial;
                    bool allowed;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct BreakGlass {
                    address signer;
                    bytes32 chart;
                    address organisation;
                    uint64 compartments;
                    uint16 reasonCode;
                    uint256 nonce;
                    /// At most `terms::emergency::SIGNED_S_MOST` from now.
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct CloseEmergency {
                    address signer;
                    bytes32 chart;
                    address party;
                    uint256 nonce;
                    /// At most `terms::emergency::SIGNED_S_MOST` from now.
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct SetMember {
                    address signer;
                    address member;
                    uint32 serial;
                    uint64 expiry;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct RemoveMember {
                    address signer;
                    address member;
                    uint32 serial;
                    uint256 nonce;
                    uint256 deadline;
                }

                /// `call`: a method of `ledger` and its arguments, ABI-encoded; the first of them, `actor`, is the signer.
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct LedgerCall {
                    address signer;
                    address ledger;
                    bytes call;
                    uint256 nonce;
                    uint256 deadline;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct CancelAll {
                    address signer;
                    uint256 nonce;
                    uint256 deadline;
                }

                /// Whatever `signer` has signed with a lower nonce, and nobody has submitted, is void.
                event Cancelled(address indexed signer, uint256 nonce);

                /// The signature is not `signer`'s over this operation on this chain for this contract; or `signer` is a contract that did not
                /// confirm it (EIP-1271), within its gas, with exactly the magic value.
                error BadSignature(address signer);
                /// `now` is after `deadline`: in the second of the deadline an operation is still good.
                error SignatureExpired(uint256 deadline, uint256 now);
                error SignatureCancelled(uint256 nonce, uint256 current);
                /// Somebody could submit it again when the party may break the glass of the chart again: no later than `most`.
                error DeadlineTooFar(uint256 deadline, uint256 most);
                /// `ledger` is none of the three, or the call is not in the signer's name.
                error NotLedgerCall(address ledger);
                /// As in `IRecords`: more keyrings or records than one operation takes.
                error BatchSize(uint32 given, uint32 most);

                /// Constants of the code (`link`).
                function neighbours() external view
                    returns (address registry, address records, address exceptions, address claims, address supply, address trials);

                /// ERC-5267.
                function eip712Domain() external view
                    returns (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] memory extensions);
                /// What the signer's next signature must name. It is read, not used up: an operation names the state it replaces, and so
                /// runs at most once; operations may be submitted in any order.
                function nonceOf(address signer) external view returns (uint256 nonce);
                /// Voids all that the caller has signed and nobody has submitted.
                function cancelAll() external;
                function cancelAllBySignature(CancelAll calldata operation, bytes calldata signature) external;

                // By anyone, in `signer`'s name: does what the method of the same name does, and fails as that fails.
                // `signature`: 65 bytes (r, s, v) of an ECDSA key; of an account with code, what its `isValidSignature` takes; of a passkey, whose account
                // is the last 20 bytes of keccak256(x, y), `abi.encode(WebAuthn)`.

                function openChart(OpenChart calldata operation, bytes calldata signature) external;
                function setDirectory(SetDirectory calldata operation, bytes calldata signature) external;
                function grant(Grant calldata operation, bytes calldata signature) external;
                function revoke(Revoke calldata operation, bytes calldata signature) external;
                function revokeAll(RevokeAll calldata operation, bytes calldata signature) external;
                function addRecords(AddRecords calldata operation, bytes calldata signature) external;
                function amendRecord(AmendRecord calldata operation, bytes calldata signature) external;
                function enterInError(EnterInError calldata operation, bytes calldata signature) external;
                function shredRecord(ShredRecord calldata operation, bytes calldata signature) external;
                function setDelegate(SetDelegate calldata operation, bytes calldata signature) external;
                function publishKey(PublishKey calldata operation, bytes calldata signature) external;
                function setEmergencyAccess(SetEmergencyAccess calldata operation, bytes calldata signature) external;
                function breakGlass(BreakGlass calldata operation, bytes calldata signature) external;
                function closeEmergency(CloseEmergency calldata operation, bytes calldata signature) external;
                function setMember(SetMember calldata operation, bytes calldata signature) external;
                function removeMember(RemoveMember calldata operation, bytes calldata signature) external;
                /// Any method of `claims`, `supply` or `trials` that changes something.
                function callLedger(LedgerCall calldata operation, bytes calldata signature) external;
            }
        }
    };
}

#[cfg(not(feature = "json"))]
interface!();
#[cfg(feature = "json")]
interface!(#[sol(abi)]);

sol! {
    /// A passkey's signature (WebAuthn Level 3, P-256) over an operation, as `relay` takes it, `abi.encode`d. `clientDataJson` begins
    /// `{"type":"webauthn.get","challenge":"..."`, as browsers write it; the challenge is the base64url text, without padding, of the operation's
    /// EIP-712 digest; what was made in a frame on another site's page (`"crossOrigin":true`) is refused. The user was present and verified.
    #[derive(Debug, PartialEq, Eq)]
    struct WebAuthn {
        /// From 37 to 512 bytes.
        bytes authenticatorData;
        /// The whole text that was signed; at most 1024 bytes.
        string clientDataJson;
        bytes32 r;
        /// At most half of the curve's order: half of all passkeys' signatures have the other `s`, and are to be submitted with the order less that.
        bytes32 s;
        bytes32 x;
        bytes32 y;
    }
}
