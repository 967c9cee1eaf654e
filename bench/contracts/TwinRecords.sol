// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IExceptions} from "IExceptions.sol";
import {IRecords} from "IRecords.sol";
import {IRegistry} from "IRegistry.sol";

/// A chart's head in one word, the first field lowest:
/// `address controller; uint32 grantEpoch; uint32 directoryVersion; uint8 flags; uint24 controlEpoch`.
type ChartHead is uint256;

/// A record's head in one word: `address author; uint40 createdAt; uint32 version; uint8 compartment; uint8 status; uint8 codec`.
type RecordHead is uint256;

/// A grant in one word: `uint64 compartments; uint32 epoch; uint32 purposes; uint40 notBefore; uint40 expiry; uint8 actions;
/// uint32 since; uint8 serial`.
type Grant is uint256;

uint256 constant ONE_GRANT_EPOCH = 1 << 160;
uint256 constant ONE_DIRECTORY_VERSION = 1 << 192;
uint256 constant EXCEPTIONAL = 1 << 224;
uint256 constant ROTATION_DUE = 1 << 225;

function controllerOf(ChartHead head) pure returns (address) {
    return address(uint160(ChartHead.unwrap(head)));
}

function grantEpochOf(ChartHead head) pure returns (uint32) {
    return uint32(ChartHead.unwrap(head) >> 160);
}

function directoryVersionOf(ChartHead head) pure returns (uint32) {
    return uint32(ChartHead.unwrap(head) >> 192);
}

function isExceptional(ChartHead head) pure returns (bool) {
    return ChartHead.unwrap(head) & EXCEPTIONAL != 0;
}

function isRotationDue(ChartHead head) pure returns (bool) {
    return ChartHead.unwrap(head) & ROTATION_DUE != 0;
}

function withRotation(ChartHead head, bool due) pure returns (ChartHead) {
    return ChartHead.wrap(due ? ChartHead.unwrap(head) | ROTATION_DUE : ChartHead.unwrap(head) & ~ROTATION_DUE);
}

function controlEpochOf(ChartHead head) pure returns (uint32) {
    return uint32(ChartHead.unwrap(head) >> 232);
}

function add(ChartHead head, uint256 one) pure returns (ChartHead) {
    return ChartHead.wrap(ChartHead.unwrap(head) + one);
}

/// Of the current second, in the state CURRENT (0).
function recordHead(address author, uint32 version, uint8 compartment, uint8 codec) view returns (RecordHead) {
    return RecordHead.wrap(
        uint256(uint160(author)) | uint256(uint40(block.timestamp)) << 160 | uint256(version) << 200
            | uint256(compartment) << 232 | uint256(codec) << 248
    );
}

function authorOf(RecordHead head) pure returns (address) {
    return address(uint160(RecordHead.unwrap(head)));
}

function createdAtOf(RecordHead head) pure returns (uint40) {
    return uint40(RecordHead.unwrap(head) >> 160);
}

function versionOf(RecordHead head) pure returns (uint32) {
    return uint32(RecordHead.unwrap(head) >> 200);
}

function compartmentOf(RecordHead head) pure returns (uint8) {
    return uint8(RecordHead.unwrap(head) >> 232);
}

function statusOf(RecordHead head) pure returns (uint8) {
    return uint8(RecordHead.unwrap(head) >> 240);
}

function codecOf(RecordHead head) pure returns (uint8) {
    return uint8(RecordHead.unwrap(head) >> 248);
}

function compartmentsOf(Grant held) pure returns (uint64) {
    return uint64(Grant.unwrap(held));
}

function epochOf(Grant held) pure returns (uint32) {
    return uint32(Grant.unwrap(held) >> 64);
}

function purposesOf(Grant held) pure returns (uint32) {
    return uint32(Grant.unwrap(held) >> 96);
}

function notBeforeOf(Grant held) pure returns (uint40) {
    return uint40(Grant.unwrap(held) >> 128);
}

function expiryOf(Grant held) pure returns (uint40) {
    return uint40(Grant.unwrap(held) >> 168);
}

function actionsOf(Grant held) pure returns (uint8) {
    return uint8(Grant.unwrap(held) >> 208);
}

function sinceOf(Grant held) pure returns (uint32) {
    return uint32(Grant.unwrap(held) >> 216);
}

function serialOf(Grant held) pure returns (uint8) {
    return uint8(Grant.unwrap(held) >> 248);
}

using {
    controllerOf,
    grantEpochOf,
    directoryVersionOf,
    isExceptional,
    isRotationDue,
    withRotation,
    controlEpochOf,
    add
} for ChartHead global;
using { authorOf, createdAtOf, versionOf, compartmentOf, statusOf, codecOf } for RecordHead global;
using {
    compartmentsOf,
    epochOf,
    purposesOf,
    notBeforeOf,
    expiryOf,
    actionsOf,
    sinceOf,
    serialOf
} for Grant global;

/// `records` in Solidity, for comparison: the storage, the checks, the calls and the events of contracts/records, of the
/// methods that are measured and of those that it takes to get there, each of them whole. Nobody may deploy it for use.
/// Words are packed by hand, as contracts/records packs them: of a struct's fields solc 0.8.30 makes two writes and more, and
/// `addRecords` of one costs 2,100 gas more.
contract TwinRecords {
    struct Chart {
        ChartHead head;
        bytes32 directory;
    }

    struct Record {
        RecordHead head;
        bytes32 pointer;
    }

    uint256 private constant BATCH_MOST = 128;
    uint8 private constant COMPARTMENTS = 64;
    uint64 private constant PROVIDER = 8;

    uint8 private constant READ = 1;
    uint8 private constant WRITE = 2;
    uint8 private constant SHARE = 4;

    uint8 private constant POWER_READ = 1;
    uint8 private constant POWER_WRITE = 2;
    uint8 private constant POWER_GRANT = 4;
    uint8 private constant POWER_REVOKE = 8;
    uint8 private constant POWER_DIRECTORY = 16;

    uint8 private constant CURRENT = 0;
    uint8 private constant SHREDDED = 2;

    uint8 private constant CONTROLLER = 1;
    uint8 private constant GRANT = 2;
    uint8 private constant DELEGATE = 3;
    uint8 private constant EMERGENCY = 4;
    uint8 private constant RULE = 5;
    uint8 private constant UNKNOWN_CHART = 16;
    uint8 private constant NO_GRANT = 17;
    uint8 private constant REVOKED = 18;
    uint8 private constant NOT_YET_VALID = 19;
    uint8 private constant EXPIRED = 20;
    uint8 private constant COMPARTMENT = 21;
    uint8 private constant PURPOSE = 22;
    uint8 private constant ACTION = 23;
    uint8 private constant UNKNOWN_RECORD = 24;
    uint8 private constant RECORD_COMPARTMENT = 25;
    uint8 private constant MALFORMED = 26;
    uint8 private constant DENIED = 27;
    uint8 private constant RECORD_SHREDDED = 28;
    uint8 private constant NOT_MEMBER = 29;

    address private immutable registry;
    address private immutable exceptions;
    address private immutable relay;
    mapping(bytes32 => Chart) private charts;
    mapping(bytes32 => mapping(bytes32 => Record)) private records;
    mapping(bytes32 => mapping(address => Grant)) private grants;
    mapping(bytes32 => address) private offers;
    mapping(bytes32 => mapping(bytes32 => RecordHead)) private batches;

    constructor(address registry_, address exceptions_, address relay_) {
        registry = registry_;
        exceptions = exceptions_;
        relay = relay_;
    }

    function openChart(address actor, bytes32 chart, bytes32 directory) external {
        requireActor(actor);
        if (chart == 0) revert IRecords.ZeroId();
        if (directory == 0) revert IRecords.ZeroDigest();
        Chart storage slot = charts[chart];
        if (slot.head.controllerOf() != address(0)) revert IRecords.ChartExists(chart);
        slot.head = ChartHead.wrap(uint256(uint160(actor)) | ONE_GRANT_EPOCH | ONE_DIRECTORY_VERSION);
        slot.directory = directory;
        emit IRecords.ChartOpened(chart, actor, directory);
    }

    function setDirectory(address actor, bytes32 chart, uint32 version, bytes32 directory) external {
        ChartHead head = requirePower(actor, chart, POWER_DIRECTORY);
        rotate(chart, head, version, directory);
    }

    function setExceptional(bytes32 chart) external {
        if (msg.sender != exceptions) revert IRecords.NotExceptions(msg.sender);
        ChartHead head = requireChart(chart);
        if (head.isExceptional()) return;
        charts[chart].head = head.add(EXCEPTIONAL);
        emit IRecords.MadeExceptional(chart);
    }

    function chartOf(bytes32 chart)
        external
        view
        returns (
            address controller,
            uint32 grantEpoch,
            uint32 directoryVersion,
            bytes32 directory,
            uint32 controlEpoch,
            bool exceptional,
            bool rotationDue
        )
    {
        Chart storage slot = charts[chart];
        ChartHead head = slot.head;
        return (
            head.controllerOf(),
            head.grantEpochOf(),
            head.directoryVersionOf() - (head.isRotationDue() ? 1 : 0),
            slot.directory,
            head.controlEpochOf(),
            head.isExceptional(),
            head.isRotationDue()
        );
    }

    function addRecords(
        address actor,
        bytes32 chart,
        address organisation,
        uint32 directoryVersion,
        IRecords.NewRecord[] calldata added
    ) external {
        requireBatch(added.length);
        uint64 compartments;
        for (uint256 i; i < added.length; ++i) {
            IRecords.NewRecord calldata record = added[i];
            if (record.recordId == 0) revert IRecords.ZeroId();
            if (record.pointer == 0) revert IRecords.ZeroDigest();
            compartments |= bit(record.compartment);
        }
        ChartHead head = requireDirectory(actor, chart, directoryVersion);
        requireWriter(actor, chart, head, organisation, 0, compartments);
        mapping(bytes32 => Record) storage ofChart = records[chart];
        for (uint256 i; i < added.length; ++i) {
            IRecords.NewRecord calldata record = added[i];
            Record storage slot = ofChart[record.recordId];
            if (slot.head.versionOf() != 0) revert IRecords.RecordExists(record.recordId);
            slot.head = recordHead(actor, 1, record.compartment, record.codec);
            slot.pointer = record.pointer;
            emit IRecords.RecordAdded(
                chart, record.recordId, actor, record.compartment, record.codec, record.pointer
            );
        }
    }

    function amendRecord(
        address actor,
        bytes32 chart,
        address organisation,
        uint32 directoryVersion,
        bytes32 recordId,
        bytes32 previous,
        uint8 codec,
        bytes32 pointer
    ) external {
        if (pointer == 0) revert IRecords.ZeroDigest();
        ChartHead chartHead = requireDirectory(actor, chart, directoryVersion);
        Record storage slot = records[chart][recordId];
        RecordHead head = slot.head;
        if (head.versionOf() == 0) revert IRecords.UnknownRecord(recordId);
        if (head.statusOf() != CURRENT) revert IRecords.RecordStatus(recordId, head.statusOf());
        bytes32 current = slot.pointer;
        if (current != previous) revert IRecords.StalePointer(previous, current);
        requireWriter(actor, chart, chartHead, organisation, recordId, bit(head.compartmentOf()));
        uint32 version = head.versionOf() + 1;
        slot.head = recordHead(actor, version, head.compartmentOf(), codec);
        slot.pointer = pointer;
        emit IRecords.RecordAmended(chart, recordId, actor, version, codec, pointer, previous);
    }

    function recordOf(bytes32 chart, bytes32 recordId)
        external
        view
        returns (
            address author,
            uint64 createdAt,
            uint32 version,
            uint8 compartment,
            uint8 status,
            uint8 codec,
            bytes32 pointer
        )
    {
        Record storage slot = records[chart][recordId];
        RecordHead head = slot.head;
        return (
            head.authorOf(),
            head.createdAtOf(),
            head.versionOf(),
            head.compartmentOf(),
            head.statusOf(),
            head.codecOf(),
            slot.pointer
        );
    }

    function addBatch(
        address actor,
        bytes32 chart,
        address organisation,
        uint32 directoryVersion,
        uint8 compartment,
        uint8 codec,
        bytes32 root,
        uint32 count
    ) external {
        if (root == 0) revert IRecords.ZeroDigest();
        if (count == 0) revert IRecords.BatchSize(0, type(uint32).max);
        uint64 compartments = bit(compartment);
        ChartHead head = requireDirectory(actor, chart, directoryVersion);
        if (batches[chart][root].versionOf() != 0) revert IRecords.BatchExists(root);
        requireWriter(actor, chart, head, organisation, 0, compartments);
        batches[chart][root] = recordHead(actor, count, compartment, codec);
        emit IRecords.BatchAdded(chart, root, actor, compartment, codec, count);
    }

    function verifyBatch(
        bytes32 chart,
        bytes32 root,
        uint32 index,
        bytes32 recordId,
        bytes32 pointer,
        bytes32[] calldata proof
    ) external view returns (bool) {
        uint256 count = batches[chart][root].versionOf();
        uint256 node = index;
        if (node >= count) return false;
        uint256 last = count - 1;
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0), recordId, pointer));
        for (uint256 i; i < proof.length; ++i) {
            if (last == 0) return false;
            bytes32 sibling = proof[i];
            if (node & 1 == 1 || node == last) {
                hash = keccak256(abi.encodePacked(bytes1(0x01), sibling, hash));
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = keccak256(abi.encodePacked(bytes1(0x01), hash, sibling));
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == root;
    }

    function grant(
        address actor,
        bytes32 chart,
        uint32 directoryVersion,
        address grantee,
        uint8 serial,
        IRecords.GrantTerms calldata terms,
        bytes32 keyring
    ) external {
        ChartHead head = requirePower(actor, chart, POWER_GRANT);
        requireSealed(chart, head, directoryVersion);
        if (grantee == address(0)) revert IRecords.ZeroAddress();
        if (grantee == head.controllerOf()) revert IRecords.GrantToController();
        if (keyring == 0) revert IRecords.ZeroDigest();
        requireTerms(terms);
        mapping(address => Grant) storage ofChart = grants[chart];
        Grant held = ofChart[grantee];
        (uint8 current, uint32 since) = held.epochOf() == head.grantEpochOf()
            ? (held.serialOf(), held.sinceOf())
            : (0, head.directoryVersionOf());
        if (serial != current) revert IRecords.GrantSerial(serial, current);
        if (serial == type(uint8).max) revert IRecords.LastSerial(grantee);
        ofChart[grantee] = Grant.wrap(
            uint256(terms.compartments) | uint256(head.grantEpochOf()) << 64 | uint256(terms.purposes) << 96
                | uint256(terms.notBefore) << 128 | uint256(terms.expiry) << 168 | uint256(terms.actions) << 208
                | uint256(since) << 216 | uint256(serial + 1) << 248
        );
        emit IRecords.Granted(
            chart,
            grantee,
            serial + 1,
            since,
            head.grantEpochOf(),
            terms.compartments,
            terms.purposes,
            terms.actions,
            terms.notBefore,
            terms.expiry,
            keyring
        );
    }

    function revoke(
        address actor,
        bytes32 chart,
        address grantee,
        uint32 version,
        bytes32 directory,
        IRecords.Keyring[] calldata keyrings
    ) external {
        ChartHead head = requirePower(actor, chart, POWER_REVOKE);
        requireGrant(chart, head, grantee);
        grants[chart][grantee] = Grant.wrap(0);
        emit IRecords.Revoked(chart, grantee);
        rotate(chart, head, version, directory);
        if (keyrings.length == 0) return;
        requireBatch(keyrings.length);
        for (uint256 i; i < keyrings.length; ++i) {
            IRecords.Keyring calldata keyring = keyrings[i];
            if (keyring.keyring == 0) revert IRecords.ZeroDigest();
            requireGrant(chart, head, keyring.grantee);
            emit IRecords.KeyringSet(chart, keyring.grantee, keyring.keyring);
        }
    }

    function revokeAll(address actor, bytes32 chart, uint32 epoch) external {
        ChartHead head = requirePower(actor, chart, POWER_REVOKE).add(ONE_GRANT_EPOCH);
        if (epoch != head.grantEpochOf()) revert IRecords.GrantEpoch(epoch, head.grantEpochOf());
        if (!head.isRotationDue()) head = head.add(ONE_DIRECTORY_VERSION);
        charts[chart].head = head.withRotation(true);
        emit IRecords.AllRevoked(chart, epoch);
    }

    function decide(IRecords.Question calldata question) external view returns (bool allowed, uint8 reason) {
        reason = answer(question);
        allowed = isAllowed(reason);
    }

    function answer(IRecords.Question calldata question) private view returns (uint8) {
        uint8 compartment = question.compartment;
        uint32 purpose = question.purpose;
        uint8 action = question.action;
        if (compartment >= COMPARTMENTS || !isPowerOfTwo(purpose) || !isPowerOfTwo(action)) return MALFORMED;
        bytes32 chart = question.chart;
        ChartHead head = charts[chart].head;
        if (head.controllerOf() == address(0)) return UNKNOWN_CHART;
        address grantee = question.grantee;
        address member = question.member;
        if (member != address(0)) {
            if (!IRegistry(registry).mayActFor(grantee, member, 0)) return NOT_MEMBER;
        }
        return reasonOf(chart, head, grantee, member, compartment, question.recordId, purpose, action);
    }

    function reasonOf(
        bytes32 chart,
        ChartHead head,
        address grantee,
        address member,
        uint8 compartment,
        bytes32 recordId,
        uint32 purpose,
        uint8 action
    ) private view returns (uint8 granted) {
        if (grantee == head.controllerOf()) {
            granted = CONTROLLER;
        } else {
            Grant held = grants[chart][grantee];
            granted = byGrant(head, held, compartment, purpose, action);
            if (head.isExceptional()) {
                (bool denied, uint32 allowedSince, uint8 powers, bool emergency) =
                    factsOf(chart, head, grantee, member, compartment, recordId, purpose, action);
                granted = combine(granted, held.sinceOf(), action, denied, allowedSince, powers, emergency);
            }
        }
        if (recordId == 0 || !isAllowed(granted)) return granted;
        RecordHead record = records[chart][recordId].head;
        if (record.versionOf() == 0) return UNKNOWN_RECORD;
        if (record.compartmentOf() != compartment) return RECORD_COMPARTMENT;
        if (record.statusOf() == SHREDDED) return RECORD_SHREDDED;
    }

    function byGrant(ChartHead head, Grant held, uint8 compartment, uint32 purpose, uint8 action)
        private
        view
        returns (uint8)
    {
        uint32 epoch = held.epochOf();
        if (epoch == 0) return NO_GRANT;
        if (epoch < head.grantEpochOf()) return REVOKED;
        if (block.timestamp < held.notBeforeOf()) return NOT_YET_VALID;
        uint40 expiry = held.expiryOf();
        if (expiry != 0 && block.timestamp >= expiry) return EXPIRED;
        if ((held.compartmentsOf() >> compartment) & 1 == 0) return COMPARTMENT;
        if (purpose != 0 && held.purposesOf() & purpose == 0) return PURPOSE;
        if (held.actionsOf() & action == 0) return ACTION;
        return GRANT;
    }

    function combine(
        uint8 granted,
        uint32 since,
        uint8 action,
        bool denied,
        uint32 allowedSince,
        uint8 powers,
        bool emergency
    ) private pure returns (uint8) {
        if (denied) {
            return granted == GRANT || granted == COMPARTMENT || granted == PURPOSE || granted == ACTION
                ? DENIED
                : granted;
        }
        if (granted == GRANT) return GRANT;
        if (granted == COMPARTMENT && allowedSince >= since && allowedSince != 0) return RULE;
        if (powers & powerOf(action) != 0) return DELEGATE;
        if (emergency && action == READ) return EMERGENCY;
        return granted;
    }

    /// No answer is taken for a denial.
    function factsOf(
        bytes32 chart,
        ChartHead head,
        address grantee,
        address member,
        uint8 compartment,
        bytes32 recordId,
        uint32 purpose,
        uint8 action
    ) private view returns (bool, uint32, uint8, bool) {
        try IExceptions(exceptions).factsOf(
            chart,
            head.grantEpochOf(),
            head.controlEpochOf(),
            grantee,
            member,
            compartment,
            recordId,
            purpose,
            action
        ) returns (bool denied, uint32 allowedSince, uint8 powers, bool emergency) {
            return (denied, allowedSince, powers, emergency);
        } catch {
            return (true, 0, 0, false);
        }
    }

    function requireActor(address actor) private view {
        if (msg.sender != actor && msg.sender != relay) revert IRecords.NotActor(msg.sender, actor);
    }

    function requireChart(bytes32 chart) private view returns (ChartHead head) {
        head = charts[chart].head;
        if (head.controllerOf() == address(0)) revert IRecords.UnknownChart(chart);
    }

    function requirePower(address actor, bytes32 chart, uint8 power) private returns (ChartHead head) {
        requireActor(actor);
        head = requireChart(chart);
        if (actor != head.controllerOf()) requireDelegate(actor, chart, head, power);
    }

    function requireDelegate(address actor, bytes32 chart, ChartHead head, uint8 power) private {
        uint8 powers;
        if (head.isExceptional()) (,, powers,) = factsOf(chart, head, actor, address(0), 0, 0, 0, 0);
        if (powers & power == 0) revert IRecords.NotController(actor, power);
        emit IRecords.ByDelegate(chart, actor, power);
    }

    function requireDirectory(address actor, bytes32 chart, uint32 given)
        private
        view
        returns (ChartHead head)
    {
        requireActor(actor);
        head = requireChart(chart);
        requireSealed(chart, head, given);
    }

    function requireWriter(
        address actor,
        bytes32 chart,
        ChartHead head,
        address organisation,
        bytes32 recordId,
        uint64 compartments
    ) private {
        bool byDelegate;
        bool onCredential = organisation != address(0);
        (address grantee, address member) = onCredential ? (organisation, actor) : (actor, address(0));
        uint8 compartment;
        while (compartments != 0) {
            // The lowest compartment left.
            while (compartments & 1 == 0) (compartments, compartment) = (compartments >> 1, compartment + 1);
            compartments ^= 1;
            uint8 reason = reasonOf(chart, head, grantee, member, compartment, recordId, 0, WRITE);
            if (!isAllowed(reason)) revert IRecords.NotWriter(actor, compartment, reason);
            if (reason == DELEGATE) byDelegate = true;
            else if (reason != CONTROLLER) onCredential = true;
        }
        if (onCredential && !isProvider(actor, organisation)) revert IRecords.NotCredentialed(actor, organisation);
        if (byDelegate) emit IRecords.ByDelegate(chart, actor, POWER_WRITE);
        if (organisation != address(0)) emit IRecords.ActedFor(chart, organisation, actor);
    }

    function isProvider(address actor, address organisation) private view returns (bool) {
        return organisation == address(0)
            ? IRegistry(registry).hasRoles(actor, PROVIDER)
            : IRegistry(registry).mayActFor(organisation, actor, PROVIDER);
    }

    function requireGrant(bytes32 chart, ChartHead head, address grantee) private view {
        if (grants[chart][grantee].epochOf() != head.grantEpochOf()) revert IRecords.NoGrant(grantee);
    }

    function rotate(bytes32 chart, ChartHead head, uint32 version, bytes32 directory) private {
        if (directory == 0) revert IRecords.ZeroDigest();
        head = head.add(ONE_DIRECTORY_VERSION);
        requireVersion(head, version);
        Chart storage slot = charts[chart];
        slot.head = head.withRotation(false);
        slot.directory = directory;
        emit IRecords.DirectorySet(chart, version, directory);
    }

    function requireTerms(IRecords.GrantTerms calldata terms) private view {
        if (terms.compartments == 0 || terms.purposes == 0 || terms.actions == 0) revert IRecords.EmptyGrant();
        uint64 latest = terms.notBefore > terms.expiry ? terms.notBefore : terms.expiry;
        if (latest > type(uint40).max) revert IRecords.TimeTooLarge(latest);
        if (terms.expiry != 0 && (terms.expiry <= terms.notBefore || terms.expiry <= block.timestamp)) {
            revert IRecords.GrantWindow(terms.notBefore, terms.expiry);
        }
    }

    function requireSealed(bytes32 chart, ChartHead head, uint32 given) private pure {
        if (head.isRotationDue()) revert IRecords.RotationDue(chart);
        requireVersion(head, given);
    }

    function requireVersion(ChartHead head, uint32 given) private pure {
        if (given != head.directoryVersionOf()) revert IRecords.DirectoryVersion(given, head.directoryVersionOf());
    }

    function requireBatch(uint256 given) private pure {
        if (given == 0 || given > BATCH_MOST) revert IRecords.BatchSize(uint32(given), uint32(BATCH_MOST));
    }

    function bit(uint8 compartment) private pure returns (uint64) {
        if (compartment >= COMPARTMENTS) revert IRecords.CompartmentRange(compartment);
        return uint64(1) << compartment;
    }

    function isAllowed(uint8 reason) private pure returns (bool) {
        return reason - 1 < RULE;
    }

    function isPowerOfTwo(uint32 number) private pure returns (bool) {
        return number != 0 && number & (number - 1) == 0;
    }

    function powerOf(uint8 action) private pure returns (uint8) {
        if (action == READ) return POWER_READ;
        if (action == WRITE) return POWER_WRITE;
        return action == SHARE ? POWER_GRANT : 0;
    }
}
