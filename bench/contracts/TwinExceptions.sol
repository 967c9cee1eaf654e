// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IExceptions} from "IExceptions.sol";
import {IRecords} from "IRecords.sol";

/// `exceptions` in Solidity, for comparison: the storage of contracts/exceptions and the whole of `factsOf`; of the rest,
/// rules as a controller sets them. Nobody may deploy it for use.
contract TwinExceptions {
    struct Rule {
        uint8 effect;
        uint32 purposes;
        uint8 actions;
        uint40 expiry;
        uint32 directoryVersion;
    }

    /// Two words; the first ends with the serial.
    struct Delegate {
        address parent;
        uint40 expiry;
        uint8 powers;
        uint8 depth;
        uint32 serial;
        uint32 parentSerial;
        uint32 controlEpoch;
    }

    struct Access {
        bool allowed;
        uint32 serial;
        uint32 controlEpoch;
    }

    struct Emergency {
        uint64 compartments;
        uint40 openedAt;
        uint40 until;
        uint32 grantEpoch;
        uint32 serial;
    }

    uint8 private constant NONE = 0;
    uint8 private constant ALLOW = 1;
    uint8 private constant DENY = 2;
    uint8 private constant READ = 1;
    uint8 private constant WRITE = 2;
    uint8 private constant SHARE = 4;
    uint32 private constant ETREAT = 2;
    uint256 private constant DEPTH_MOST = 3;

    address private immutable records;
    address private immutable registry;
    address private immutable relay;
    mapping(bytes32 => mapping(bytes32 => mapping(address => Rule))) private rules;
    mapping(bytes32 => mapping(address => Delegate)) private delegates;
    mapping(bytes32 => Access) private access;
    mapping(bytes32 => mapping(address => Emergency)) private emergencies;

    constructor(address records_, address registry_, address relay_) {
        records = records_;
        registry = registry_;
        relay = relay_;
    }

    /// By the controller only.
    function setRule(
        address actor,
        bytes32 chart,
        bytes32 recordId,
        address grantee,
        uint8 effect,
        uint32 purposes,
        uint8 actions,
        uint64 expiry
    ) external {
        if (msg.sender != actor && msg.sender != relay) revert IExceptions.NotActor(msg.sender, actor);
        (address controller,, uint32 directoryVersion,,, bool exceptional,) = IRecords(records).chartOf(chart);
        if (controller == address(0)) revert IExceptions.UnknownChart(chart);
        if (actor != controller) revert IExceptions.NotController(actor, 0);
        if (effect == NONE || effect > DENY || purposes == 0 || actions == 0) revert IExceptions.MalformedRule();
        if (effect == ALLOW && grantee == address(0)) revert IExceptions.MalformedRule();
        if (expiry > type(uint40).max) revert IExceptions.TimeTooLarge(expiry);
        (,, uint32 version,,,,) = IRecords(records).recordOf(chart, recordId);
        if (version == 0) revert IExceptions.UnknownRecord(recordId);
        rules[chart][recordId][grantee] = Rule(effect, purposes, actions, uint40(expiry), directoryVersion);
        emit IExceptions.RuleSet(
            chart, recordId, grantee, effect, purposes, actions, expiry, directoryVersion
        );
        if (!exceptional) IRecords(records).setExceptional(chart);
    }

    function factsOf(
        bytes32 chart,
        uint32 grantEpoch,
        uint32 controlEpoch,
        address grantee,
        address member,
        uint8 compartment,
        bytes32 recordId,
        uint32 purpose,
        uint8 action
    ) external view returns (bool denied, uint32 allowedSince, uint8 powers, bool emergency) {
        bool inPerson = member == address(0);
        if (inPerson) powers = powersOf(chart, grantee, controlEpoch);
        if (recordId != 0) {
            Rule storage own = rules[chart][recordId][grantee];
            bool inForce = isInForce(own, purpose, action);
            if (own.effect == ALLOW && inForce) allowedSince = own.directoryVersion;
            denied = (own.effect == DENY && inForce)
                || (!inPerson && denies(rules[chart][recordId][member], purpose, action))
                || (powers & powerOf(action) == 0 && denies(rules[chart][recordId][address(0)], purpose, action));
        }
        emergency = inPerson && action == READ && purpose == ETREAT
            && isOpen(chart, grantee, compartment, grantEpoch, controlEpoch);
    }

    function powersOf(bytes32 chart, address delegate, uint32 controlEpoch) private view returns (uint8) {
        Delegate storage entry = delegates[chart][delegate];
        uint8 own = entry.powers;
        for (uint256 i; i < DEPTH_MOST; ++i) {
            if (entry.powers == 0 || !runs(entry.expiry) || entry.controlEpoch != controlEpoch) return 0;
            if (entry.depth == 1) return own;
            Delegate storage parent = delegates[chart][entry.parent];
            if (parent.serial != entry.parentSerial) return 0;
            entry = parent;
        }
        return 0;
    }

    function isOpen(bytes32 chart, address party, uint8 compartment, uint32 grantEpoch, uint32 controlEpoch)
        private
        view
        returns (bool)
    {
        Emergency storage held = emergencies[chart][party];
        if (block.timestamp >= held.until || held.grantEpoch != grantEpoch || compartment >= 64) return false;
        Access storage allowed = access[chart];
        return (held.compartments >> compartment) & 1 == 1 && allowed.allowed && allowed.serial == held.serial
            && allowed.controlEpoch == controlEpoch;
    }

    function denies(Rule storage rule, uint32 purpose, uint8 action) private view returns (bool) {
        return rule.effect == DENY && isInForce(rule, purpose, action);
    }

    function isInForce(Rule storage rule, uint32 purpose, uint8 action) private view returns (bool) {
        return runs(rule.expiry) && rule.actions & action != 0 && (purpose == 0 || rule.purposes & purpose != 0);
    }

    function runs(uint40 expiry) private view returns (bool) {
        return expiry == 0 || block.timestamp < expiry;
    }

    function powerOf(uint8 action) private pure returns (uint8) {
        if (action == READ) return 1;
        if (action == WRITE) return 2;
        return action == SHARE ? 4 : 0;
    }
}
