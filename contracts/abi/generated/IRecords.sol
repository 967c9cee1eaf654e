// SPDX-License-Identifier: MIT
// Generated from contracts/abi; do not edit.
pragma solidity ^0.8.20;

interface IRecords {
    /// `pointer`: sha2-256 digest of the envelope's CID (CIDv1, dag-cbor).
    struct NewRecord {
        bytes32 recordId;
        uint8 compartment;
        uint8 codec;
        bytes32 pointer;
    }

    /// What a grant allows. Bit n of `compartments` is compartment n; purposes and actions: see `terms`.
    /// In force while `notBefore <= now < expiry`. `expiry` 0: none.
    struct GrantTerms {
        uint64 compartments;
        uint32 purposes;
        uint8 actions;
        uint64 notBefore;
        uint64 expiry;
    }

    /// "May `grantee` take `action` for `purpose` on this compartment (and, unless zero, this record)?"
    /// `member`: who asks to act for `grantee`, an organisation; zero: `grantee` itself.
    /// `purpose` and `action` each carry exactly one bit.
    struct Question {
        bytes32 chart;
        address grantee;
        address member;
        uint8 compartment;
        bytes32 recordId;
        uint32 purpose;
        uint8 action;
    }

    struct Keyring {
        address grantee;
        bytes32 keyring;
    }

    event ChartOpened(bytes32 indexed chart, address indexed controller, bytes32 directory);
    /// `to` zero: the offer was withdrawn.
    event ControlOffered(bytes32 indexed chart, address indexed to);
    /// `controlEpoch`: the new one; delegates and the emergency opt-in of earlier ones have ended. `Revoked` of the
    /// controller's own grant follows where there was one, then `DirectorySet` and the keyrings.
    event ControlAccepted(bytes32 indexed chart, address indexed controller, uint32 controlEpoch);
    /// From here on, for good, `decide` asks `exceptions` about this chart.
    event MadeExceptional(bytes32 indexed chart);
    /// Stands before the events of what a delegate did with this one power in the controller's place.
    event ByDelegate(bytes32 indexed chart, address indexed delegate, uint8 power);
    /// Stands before the events of what `member` did for `organisation`.
    event ActedFor(bytes32 indexed chart, address indexed organisation, address indexed member);
    event DirectorySet(bytes32 indexed chart, uint32 indexed version, bytes32 directory);
    event RecordAdded(bytes32 indexed chart, bytes32 indexed recordId, address indexed author, uint8 compartment, uint8 codec, bytes32 pointer);
    event RecordAmended(bytes32 indexed chart, bytes32 indexed recordId, address indexed author, uint32 version, uint8 codec, bytes32 pointer, bytes32 previous);
    event RecordEnteredInError(bytes32 indexed chart, bytes32 indexed recordId, address indexed by);
    /// The pointer is gone from storage, for good.
    event RecordShredded(bytes32 indexed chart, bytes32 indexed recordId);
    /// `count` records stand under `root`, all of this compartment and codec.
    event BatchAdded(bytes32 indexed chart, bytes32 indexed root, address indexed author, uint8 compartment, uint8 codec, uint32 count);
    /// A leaf of the batch `root` became a record, as its author wrote it at `createdAt`.
    event RecordTakenFromBatch(bytes32 indexed chart, bytes32 indexed recordId, bytes32 indexed root, address author, uint64 createdAt, uint8 compartment, uint8 codec, bytes32 pointer);
    /// `serial` counts the grants of this pair since it had none; `since` is the directory version at which the first of them was given.
    /// `keyring`: sha2-256 digest of the keyring block's CID.
    event Granted(bytes32 indexed chart, address indexed grantee, uint8 serial, uint32 since, uint32 epoch, uint64 compartments, uint32 purposes, uint8 actions, uint64 notBefore, uint64 expiry, bytes32 keyring);
    /// The same grant, its keys sealed anew after a rotation.
    event KeyringSet(bytes32 indexed chart, address indexed grantee, bytes32 keyring);
    event Revoked(bytes32 indexed chart, address indexed grantee);
    /// `epoch`: the chart's new one. A rotation is due until the next `DirectorySet`, and where none was, a directory version is used up.
    event AllRevoked(bytes32 indexed chart, uint32 epoch);

    error ZeroAddress();
    error ZeroDigest();
    /// A chart or record id of zero: zero stands for "none" in a `Question`.
    error ZeroId();
    /// `caller` is neither `actor` nor the relay.
    error NotActor(address caller, address actor);
    error ChartExists(bytes32 chart);
    error UnknownChart(bytes32 chart);
    /// `actor` is neither the controller nor a delegate with the power (`terms::power`); 0: the controller alone may.
    error NotController(address actor, uint8 power);
    /// Control was offered to `offered`, or to nobody.
    error NotOffered(address actor, address offered);
    /// Control of this chart has passed on as often as it can.
    error LastControlEpoch();
    error NotExceptions(address caller);
    /// `expected`: the directory version that is current (sealing) or next (setting).
    error DirectoryVersion(uint32 given, uint32 expected);
    /// All grants of the chart were ended, and no directory with other keys was installed since: `setDirectory` first.
    error RotationDue(bytes32 chart);
    /// `expected`: the grant epoch that is next.
    error GrantEpoch(uint32 given, uint32 expected);
    error CompartmentRange(uint8 compartment);
    error RecordExists(bytes32 recordId);
    error UnknownRecord(bytes32 recordId);
    /// The record was entered in error or shredded (`terms::record_status`).
    error RecordStatus(bytes32 recordId, uint8 status);
    /// The record has moved on since the caller read it.
    error StalePointer(bytes32 given, bytes32 current);
    error BatchExists(bytes32 root);
    /// The proof does not lead from this leaf to a batch of the chart.
    error NotInBatch(bytes32 root, bytes32 recordId);
    error NotWriter(address actor, uint8 compartment, uint8 reason);
    /// Neither `actor` nor, where named, the organisation that it acts for is a current provider.
    error NotCredentialed(address actor, address organisation);
    error BatchSize(uint32 given, uint32 most);
    error EmptyGrant();
    /// Never in force: `expiry` is not after `notBefore`, or not after now.
    error GrantWindow(uint64 notBefore, uint64 expiry);
    error TimeTooLarge(uint64 time);
    error GrantToController();
    /// The grant has been replaced or ended since the caller read it.
    error GrantSerial(uint8 given, uint8 current);
    /// The last serial is used up: revoke this grant before the next one.
    error LastSerial(address grantee);
    /// `grantee` holds no grant of the chart's current epoch.
    error NoGrant(address grantee);

    /// Constants of the code (`link`).
    function neighbours() external view returns (address registry, address exceptions, address relay);

    // `actor`, the first argument of all that changes something: the caller itself, or whoever signed, where the relay calls.

    /// The actor becomes the controller. `directory`: sha2-256 digest of the directory block's CID, version 1.
    function openChart(address actor, bytes32 chart, bytes32 directory) external;
    /// `to` zero withdraws the offer.
    function offerControl(address actor, bytes32 chart, address to) external;
    /// Takes the control that was offered, with a directory signed by the new controller.
    function acceptControl(address actor, bytes32 chart, uint32 version, bytes32 directory, Keyring[] calldata keyrings) external;
    /// Zero: nobody.
    function offeredTo(bytes32 chart) external view returns (address to);
    /// `version` must be the current one plus one, or plus two where a rotation is due.
    function setDirectory(address actor, bytes32 chart, uint32 version, bytes32 directory) external;
    /// All zero where there is none. `controlEpoch`: how often control has passed on.
    /// `exceptional`: whether the chart has ever had a delegate, a rule or an emergency.
    /// `directoryVersion`: of the directory that stands; the next is one more, or two where a rotation is due.
    /// `rotationDue`: since `revokeAll`, nothing is sealed, granted or delegated before the next directory.
    function chartOf(bytes32 chart) external view
        returns (address controller, uint32 grantEpoch, uint32 directoryVersion, bytes32 directory, uint32 controlEpoch, bool exceptional, bool rotationDue);
    /// By `exceptions` alone. Nothing happens where it is so already.
    function setExceptional(bytes32 chart) external;

    /// By the controller, a delegate, or a credentialed provider with a write grant on each record's compartment; `organisation`:
    /// whose grant and credential the actor uses as its member, zero: their own.
    /// `directoryVersion`: the version whose keys the envelopes are sealed to; a stale one is refused.
    function addRecords(address actor, bytes32 chart, address organisation, uint32 directoryVersion, NewRecord[] calldata records) external;
    /// `previous`: the pointer that the caller read and replaces; the record's next version, in the same
    /// compartment. A version number would also fit another history after a reorg.
    function amendRecord(address actor, bytes32 chart, address organisation, uint32 directoryVersion, bytes32 recordId, bytes32 previous, uint8 codec, bytes32 pointer) external;
    /// Marks the version that the caller read. By whom it may be amended; nobody amends it any more.
    function enterInError(address actor, bytes32 chart, address organisation, bytes32 recordId, bytes32 previous) external;
    /// Leaves a tombstone. By the controller alone.
    function shredRecord(address actor, bytes32 chart, bytes32 recordId) external;
    /// `author` and `createdAt` are those of the current version. Version 0 where there is none. `status`: see `terms`.
    function recordOf(bytes32 chart, bytes32 recordId) external view
        returns (address author, uint64 createdAt, uint32 version, uint8 compartment, uint8 status, uint8 codec, bytes32 pointer);

    /// Adds `count` records by the root of their Merkle tree (RFC 9162 with keccak256; the leaf's data are recordId and pointer).
    /// By whom they might be added one by one.
    function addBatch(address actor, bytes32 chart, address organisation, uint32 directoryVersion, uint8 compartment, uint8 codec, bytes32 root, uint32 count) external;
    /// All zero where there is none.
    function batchOf(bytes32 chart, bytes32 root) external view
        returns (address author, uint64 createdAt, uint32 count, uint8 compartment, uint8 codec);
    /// Whether this record is leaf `index` of the batch.
    function verifyBatch(bytes32 chart, bytes32 root, uint32 index, bytes32 recordId, bytes32 pointer, bytes32[] calldata proof) external view returns (bool);
    /// Makes a record of a leaf, so that it can be asked about, amended and shredded. By anyone: it only states what stands already.
    function takeFromBatch(bytes32 chart, bytes32 root, uint32 index, bytes32 recordId, bytes32 pointer, bytes32[] calldata proof) external;

    /// Sets or replaces the grant of `grantee`. `directoryVersion`: the version whose keys are in the keyring.
    /// `serial`: that of the grant which is replaced, 0 where there is none of the current epoch.
    function grant(address actor, bytes32 chart, uint32 directoryVersion, address grantee, uint8 serial, GrantTerms calldata terms, bytes32 keyring) external;
    /// Hands re-sealed keys to grantees that keep their grants.
    function setKeyrings(address actor, bytes32 chart, uint32 directoryVersion, Keyring[] calldata keyrings) external;
    /// Ends the grant and installs the directory with rotated keys in one step,
    /// so that no writer can still seal to a key that the revoked reader holds, and no grant that was signed but not
    /// submitted can take effect. `keyrings`: the rotated keys, re-sealed to those who keep their grants; possibly none.
    function revoke(address actor, bytes32 chart, address grantee, uint32 version, bytes32 directory, Keyring[] calldata keyrings) external;
    /// Ends every grant of the chart at a constant cost. `epoch` must be the chart's grant epoch plus one. Nothing but the
    /// right to do it is needed: the directory with rotated keys follows (`setDirectory`), and until then nobody
    /// seals to the old keys, and nothing is granted or delegated. The next directory version is used up, so that nothing
    /// that was signed for it or an earlier one can take effect, not even a directory.
    function revokeAll(address actor, bytes32 chart, uint32 epoch) external;
    /// `epoch` below the chart's grant epoch: revoked by `revokeAll`. `since`: the directory version at which the pair's
    /// present grants began. All zero where there is none.
    function grantOf(bytes32 chart, address grantee) external view returns (uint32 epoch, uint32 since, uint8 serial, GrantTerms memory terms);

    /// The one place where access is decided. `reason`: see `terms`.
    function decide(Question calldata question) external view returns (bool allowed, uint8 reason);
    function decideMany(Question[] calldata questions) external view returns (uint8[] memory reasons);
}
