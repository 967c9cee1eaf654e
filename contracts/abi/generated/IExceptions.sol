// SPDX-License-Identifier: MIT
// Generated from contracts/abi; do not edit.
pragma solidity ^0.8.20;

interface IExceptions {
    /// `grantee` zero: everybody but controller and delegates. `effect` none: the rule is gone.
    /// `directoryVersion`: the chart's at that time; an allow rule does not outlive the grants that stood then. 0 where the rule is gone.
    event RuleSet(bytes32 indexed chart, bytes32 indexed recordId, address indexed grantee, uint8 effect, uint32 purposes, uint8 actions, uint64 expiry, uint32 directoryVersion);
    /// `serial` counts what was ever set for this delegate, or removed. `parent`: the controller, or the delegate who gave it, with the serial
    /// of their own entry. In force while every entry up to the controller is, with the same serials, and the same controller.
    event DelegateSet(bytes32 indexed chart, address indexed delegate, address indexed parent, uint32 serial, uint8 powers, uint64 expiry, uint8 depth, uint32 parentSerial, uint32 controlEpoch);
    /// `serial`: the entry's from now on, so that no signed delegation that was not submitted comes after this.
    event DelegateRemoved(bytes32 indexed chart, address indexed delegate, uint32 serial, address by);
    /// `serial` counts the changes; what was opened under another has ended.
    event EmergencyAccessSet(bytes32 indexed chart, bool allowed, uint32 serial, uint32 controlEpoch);
    /// The notice that the glass is broken. `reasonCode`: see `terms::emergency`. `organisation` zero: on their own credential.
    event EmergencyOpened(bytes32 indexed chart, address indexed party, address indexed organisation, uint64 compartments, uint16 reasonCode, uint64 until, uint32 grantEpoch, uint32 serial);
    event EmergencyClosed(bytes32 indexed chart, address indexed party, address by);
    /// Stands before the events of what a delegate did with this one power in the controller's place.
    event ByDelegate(bytes32 indexed chart, address indexed delegate, uint8 power);

    error ZeroAddress();
    /// `caller` is neither `actor` nor the relay.
    error NotActor(address caller, address actor);
    error UnknownChart(bytes32 chart);
    /// The chart's directory has moved on since the caller read it, by a revocation, a rotation or a transfer.
    error DirectoryVersion(uint32 given, uint32 expected);
    /// All grants of the chart were ended, and no directory with other keys was installed since.
    error RotationDue(bytes32 chart);
    error UnknownRecord(bytes32 recordId);
    /// `actor` is neither the controller nor a delegate with the power (`terms::power`); 0: the controller alone may.
    error NotController(address actor, uint8 power);
    /// A rule without purposes or actions, or with an unknown effect, or a removal that says more; an allow rule for everybody.
    error MalformedRule();
    /// Delegates do not change rules about themselves.
    error OwnRule(address actor);
    error TimeTooLarge(uint64 time);
    error ExpiryInPast(uint64 expiry, uint64 now);
    /// No powers, unknown ones, or such as the actor has not: `most`.
    error Powers(uint8 given, uint8 most);
    /// The actor's own powers end at `most` (0: never).
    error OutlivesParent(uint64 expiry, uint64 most);
    error DelegateDepth(uint8 most);
    /// The controller, the actor or the actor's own givers cannot be the actor's delegates.
    error DelegateOfSelf(address delegate);
    /// The entry in force was given by `parent`: only they or the controller replace it.
    error OtherParent(address delegate, address parent);
    /// The entry has been replaced or removed since the caller read it.
    error DelegateSerial(uint32 given, uint32 current);
    /// `delegate` holds no powers.
    error NotDelegate(address delegate);
    error NotParent(address actor, address parent);
    /// The chart's controller has not allowed emergency access.
    error NoEmergencyAccess(bytes32 chart);
    /// Emergency access has been allowed or forbidden since the caller read it.
    error EmergencySerial(uint32 given, uint32 current);
    error EmptyEmergency();
    error UnknownReasonCode(uint16 reasonCode);
    /// Neither `actor` nor, where named, the organisation that it acts for is a current provider.
    error NotCredentialed(address actor, address organisation);
    /// The same party may break the glass of this chart again from `from` on.
    error CoolDown(uint64 from);
    error NoEmergency(address party);

    /// Constants of the code (`link`).
    function neighbours() external view returns (address records, address registry, address relay);

    // `actor`, the first argument of all that changes something: the caller itself, or whoever signed, where the relay calls.

    /// Sets, replaces or (effect none, all else zero) removes a rule. By the controller or a delegate with GRANT. `expiry` 0: none.
    function setRule(address actor, bytes32 chart, bytes32 recordId, address grantee, uint8 effect, uint32 purposes, uint8 actions, uint64 expiry) external;
    /// All zero where there is none. An expired rule is shown as it stands.
    function ruleOf(bytes32 chart, bytes32 recordId, address grantee) external view
        returns (uint8 effect, uint32 purposes, uint8 actions, uint64 expiry, uint32 directoryVersion);

    /// By the controller, or a delegate with DELEGATE: powers that they have, not for longer, at most three deep.
    /// `directoryVersion`: the chart's; what was signed before a revocation or a transfer is void. `serial`: that of the entry which
    /// is replaced, 0 where there never was one.
    function setDelegate(address actor, bytes32 chart, uint32 directoryVersion, address delegate, uint32 serial, uint8 powers, uint64 expiry) external;
    /// By who gave it, the controller, or the delegate. Whoever got powers from the delegate loses them too.
    function removeDelegate(address actor, bytes32 chart, address delegate) external;
    /// The entry, in force or not. `serial` 0: never one; `powers` 0: removed.
    function delegateOf(bytes32 chart, address delegate) external view
        returns (address parent, uint32 serial, uint8 powers, uint64 expiry, uint8 depth, uint32 parentSerial, uint32 controlEpoch);
    /// The powers in force now; of the controller, all.
    function powersOf(bytes32 chart, address delegate) external view returns (uint8 powers);

    /// Allows or forbids that glass is broken; forbidding ends what is open, and always counts. By the controller or a delegate with GRANT.
    /// `serial`: that of the setting which is replaced, 0 where there never was one. Nothing happens where it is allowed already.
    function setEmergencyAccess(address actor, bytes32 chart, uint32 serial, bool allowed) external;
    function emergencyAccessOf(bytes32 chart) external view returns (bool allowed, uint32 serial, uint32 controlEpoch);
    /// Reads for ETREAT on these compartments, for four hours; again after twenty more. By a credentialed provider, or
    /// by the member of an organisation that is one. The chart must allow it.
    function breakGlass(address actor, bytes32 chart, address organisation, uint64 compartments, uint16 reasonCode) external;
    /// By the controller, a delegate with REVOKE, or the party itself.
    function closeEmergency(address actor, bytes32 chart, address party) external;
    /// The last one, open or not. All zero where there was none.
    function emergencyOf(bytes32 chart, address party) external view
        returns (uint64 compartments, uint64 openedAt, uint64 until, uint32 grantEpoch, uint32 serial);

    /// What `records` asks for an answer: see `terms::reason::Facts`. `recordId` zero: no record; `purpose` 0: a write.
    function factsOf(bytes32 chart, uint32 grantEpoch, uint32 controlEpoch, address grantee, address member, uint8 compartment, bytes32 recordId, uint32 purpose, uint8 action) external view
        returns (bool denied, uint32 allowedSince, uint8 powers, bool emergency);
}
