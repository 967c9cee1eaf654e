//! `IRecords`: charts, record pointers and the access-control list, in one contract so that a check is one call.
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
            interface IRecords {
                /// `pointer`: sha2-256 digest of the envelope's CID (CIDv1, dag-cbor).
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct NewRecord {
                    bytes32 recordId;
                    uint8 compartment;
                    uint8 codec;
                    bytes32 pointer;
                }

                /// What a grant allows. Bit n of `compartments` is compartment n; purposes and actions: see `terms`.
                /// In force while `notBefore <= now < expiry`. `expiry` 0: none.
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct GrantTerms {
                    uint64 compartments;
                    uint32 purposes;
                    uint8 actions;
                    uint64 notBefore;
                    uint64 expiry;
                }

                /// "May `grantee` take `action` for `purpose` on this compartment (and, unless zero, this record)?"
                /// `purpose` and `action` each carry exactly one bit.
                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct Question {
                    bytes32 chart;
                    address grantee;
                    uint8 compartment;
                    bytes32 recordId;
                    uint32 purpose;
                    uint8 action;
                }

                #[cfg_attr(feature = "stylus", derive(stylus_sdk::prelude::AbiType))]
                struct Keyring {
                    address grantee;
                    bytes32 keyring;
                }

                event Initialized(address indexed registry);
                event ChartOpened(bytes32 indexed chart, address indexed controller, bytes32 directory);
                event DirectorySet(bytes32 indexed chart, uint32 indexed version, bytes32 directory);
                event RecordAdded(bytes32 indexed chart, bytes32 indexed recordId, address indexed author, uint8 compartment, uint8 codec, bytes32 pointer);
                event RecordAmended(bytes32 indexed chart, bytes32 indexed recordId, address indexed author, uint32 version, uint8 codec, bytes32 pointer, bytes32 previous);
                /// `keyring`: sha2-256 digest of the keyring block's CID.
                event Granted(bytes32 indexed chart, address indexed grantee, uint32 epoch, uint64 compartments, uint32 purposes, uint8 actions, uint64 notBefore, uint64 expiry, bytes32 keyring);
                /// The same grant, its keys sealed anew after a rotation.
                event KeyringSet(bytes32 indexed chart, address indexed grantee, bytes32 keyring);
                event Revoked(bytes32 indexed chart, address indexed grantee);
                event AllRevoked(bytes32 indexed chart, uint32 epoch);

                error AlreadyInitialized();
                error ZeroAddress();
                error ZeroDigest();
                /// A chart or record id of zero: zero stands for "none" in a `Question`.
                error ZeroId();
                error ChartExists(bytes32 chart);
                error UnknownChart(bytes32 chart);
                error NotController(address caller);
                /// `expected`: the directory version that is current (sealing) or next (setting).
                error DirectoryVersion(uint32 given, uint32 expected);
                error CompartmentRange(uint8 compartment);
                error RecordExists(bytes32 recordId);
                error UnknownRecord(bytes32 recordId);
                /// The record has moved on since the caller read it.
                error StalePointer(bytes32 given, bytes32 current);
                error NotWriter(address caller, uint8 compartment, uint8 reason);
                error NotCredentialed(address caller);
                error BatchSize(uint256 given, uint256 most);
                error EmptyGrant();
                /// Never in force: `expiry` is not after `notBefore`, or not after now.
                error GrantWindow(uint64 notBefore, uint64 expiry);
                error TimeTooLarge(uint64 time);
                error GrantToController();
                /// `grantee` holds no grant of the chart's current epoch.
                error NoGrant(address grantee);

                function initialize(address registry) external;
                function registry() external view returns (address);

                /// The caller becomes the controller. `directory`: sha2-256 digest of the directory block's CID, version 1.
                function openChart(bytes32 chart, bytes32 directory) external;
                /// `version` must be the current one plus one.
                function setDirectory(bytes32 chart, uint32 version, bytes32 directory) external;
                /// All zero where there is none.
                function chartOf(bytes32 chart) external view
                    returns (address controller, uint32 grantEpoch, uint32 directoryVersion, bytes32 directory);

                /// By the controller, or a credentialed provider with a write grant on each record's compartment.
                /// `directoryVersion`: the version whose keys the envelopes are sealed to; a stale one is refused.
                function addRecords(bytes32 chart, uint32 directoryVersion, NewRecord[] calldata records) external;
                /// `previous`: the pointer that the caller read and replaces; the record's next version, in the same
                /// compartment. A version number would also fit another history after a reorg.
                function amendRecord(bytes32 chart, uint32 directoryVersion, bytes32 recordId, bytes32 previous, uint8 codec, bytes32 pointer) external;
                /// `author` and `createdAt` are those of the current version. Version 0 where there is none.
                function recordOf(bytes32 chart, bytes32 recordId) external view
                    returns (address author, uint64 createdAt, uint32 version, uint8 compartment, uint8 codec, bytes32 pointer);

                /// Sets or replaces the grant of `grantee`.
                function grant(bytes32 chart, address grantee, GrantTerms calldata terms, bytes32 keyring) external;
                /// Hands re-sealed keys to grantees that keep their grants.
                function setKeyrings(bytes32 chart, Keyring[] calldata keyrings) external;
                /// Ends the grant and installs the directory with rotated keys in one step,
                /// so that no writer can still seal to a key that the revoked reader holds. `keyrings`: the rotated
                /// keys, re-sealed to those who keep their grants; possibly none.
                function revoke(bytes32 chart, address grantee, uint32 version, bytes32 directory, Keyring[] calldata keyrings) external;
                /// Ends every grant of the chart at a constant cost, and installs the directory with rotated keys.
                function revokeAll(bytes32 chart, uint32 version, bytes32 directory) external;
                /// `epoch` below the chart's grant epoch: revoked by `revokeAll`. All zero where there is none.
                function grantOf(bytes32 chart, address grantee) external view returns (uint32 epoch, GrantTerms memory terms);

                /// The one place where access is decided. `reason`: see `terms`.
                function decide(Question calldata question) external view returns (bool allowed, uint8 reason);
                function decideMany(Question[] calldata questions) external view returns (uint8[] memory reasons);
            }
        }
    };
}

#[cfg(not(feature = "json"))]
interface!();
#[cfg(feature = "json")]
interface!(#[sol(abi)]);
