// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRegistry} from "IRegistry.sol";
import {ITrials} from "ITrials.sol";

/// `trials` in Solidity, for comparison: the storage, the checks and the events of contracts/trials. What is measured (`consent`, `enrol`,
/// `anchorBatch`) is whole; the rest is what it takes to get there. Nobody may deploy it for use.
contract TwinTrials {
    struct Trial {
        /// `address sponsor; uint40 registeredAt; uint8 version; uint8 consentVersion; uint8 state; uint8 results`, the first lowest.
        uint256 head;
        /// `uint32 enrolled; uint32 withdrawn; uint32 batches; uint40 lockedAt`.
        uint256 counts;
        bytes32 data;
    }

    struct Version {
        bytes32 protocol;
        bytes32 plan;
        bytes32 form;
        /// `uint40 at; uint8 reasonCode; bool reconsent`.
        uint256 head;
    }

    struct Batch {
        bytes32 root;
        /// `uint32 count; uint40 from; uint40 to; uint40 anchoredAt; uint8 flags; uint8 version`.
        uint256 head;
    }

    uint8 private constant OPEN = 1;
    uint8 private constant CONSENTED = 1;
    uint8 private constant ENROLLED = 2;
    uint8 private constant WITHDRAWN = 3;
    uint64 private constant SPONSOR = 1 << 8;
    uint64 private constant SITE = 1 << 9;
    uint256 private constant LATE_S = 30 days;
    uint256 private constant ACTIVE = 1 << 32;

    address private immutable registry;
    address private immutable relay;
    mapping(bytes32 => Trial) private trials;
    mapping(bytes32 => mapping(uint8 => Version)) private versions;
    /// `uint32 serial; bool active; uint32 enrolled; uint32 withdrawn; uint32 last`.
    mapping(bytes32 => mapping(address => uint256)) private sites;
    /// `address site; uint32 number; uint8 version; uint8 status; uint40 at`.
    mapping(bytes32 => mapping(address => uint256)) private participants;
    mapping(bytes32 => mapping(address => mapping(uint8 => mapping(uint32 => uint256)))) private contributors;
    mapping(bytes32 => mapping(address => mapping(uint32 => Batch))) private batches;

    constructor(address registry_, address relay_) {
        registry = registry_;
        relay = relay_;
    }

    function registerTrial(
        address actor,
        bytes32 registration,
        bytes32 protocol,
        bytes32 plan,
        bytes32 form,
        bytes32 document
    ) external returns (bytes32 trial) {
        requireActor(actor);
        if (registration == 0 || protocol == 0 || plan == 0 || form == 0) revert ITrials.ZeroDigest();
        trial = keccak256(abi.encode(actor, registration));
        if (trials[trial].head != 0) revert ITrials.TrialExists(trial);
        requireRole(actor, SPONSOR);
        trials[trial].head = uint256(uint160(actor)) | block.timestamp << 160 | uint256(1) << 200 | uint256(1) << 208
            | uint256(OPEN) << 216;
        versions[trial][1] = Version(protocol, plan, form, block.timestamp);
        emit ITrials.TrialRegistered(trial, actor, registration, protocol, plan, form, document);
    }

    /// Only names.
    function setSite(address actor, bytes32 trial, address site, uint32 serial, bool active) external {
        requireActor(actor);
        uint256 head = requireTrial(trial);
        address sponsor = address(uint160(head));
        if (actor != sponsor) revert ITrials.NotSponsor(actor, sponsor);
        if (site == address(0)) revert ITrials.ZeroAddress();
        uint256 held = sites[trial][site];
        if (serial != uint32(held)) revert ITrials.SiteSerial(serial, uint32(held));
        if (!active || held & ACTIVE != 0) revert ITrials.SiteUnchanged(site, active);
        requireOpen(trial, head);
        requireRole(actor, SPONSOR);
        sites[trial][site] = (held | ACTIVE) + 1;
        emit ITrials.SiteSet(trial, site, serial + 1, active);
    }

    function consent(address actor, bytes32 trial, address site, uint8 version, bytes32 document) external {
        requireActor(actor);
        uint256 head = requireTrial(trial);
        requireOpen(trial, head);
        uint8 current = uint8(head >> 200);
        if (version != current) revert ITrials.TrialVersion(version, current);
        uint256 held = participants[trial][actor];
        uint8 status = uint8(held >> 200);
        if (status != 0) {
            requireStanding(actor, held);
            requireSameSite(actor, held, site);
            if (version <= uint8(held >> 192)) revert ITrials.AlreadyConsented(actor, uint8(held >> 192));
        }
        requireSite(trial, site);
        held = status == 0
            ? uint256(uint160(site)) | uint256(version) << 192 | uint256(CONSENTED) << 200 | block.timestamp << 208
            : held & ~(uint256(type(uint8).max) << 192) | uint256(version) << 192;
        participants[trial][actor] = held;
        if (status == ENROLLED) setContributor(trial, head, held);
        emit ITrials.Consented(trial, actor, site, version, document);
    }

    function enrol(address actor, bytes32 trial, address participant) external {
        requireActor(actor);
        uint256 head = requireTrial(trial);
        requireOpen(trial, head);
        uint256 site = requireSite(trial, actor);
        uint256 held = participants[trial][participant];
        if (held == 0) revert ITrials.NotParticipant(participant);
        requireStanding(participant, held);
        requireSameSite(participant, held, actor);
        if (uint8(held >> 200) == ENROLLED) revert ITrials.AlreadyEnrolled(participant, uint32(held >> 160));
        (uint8 version, uint8 least) = (uint8(held >> 192), uint8(head >> 208));
        if (version < least) revert ITrials.ConsentOutdated(participant, version, least);
        requireRole(actor, SITE);
        site += 1 << 40;
        sites[trial][actor] = site;
        trials[trial].counts += 1;
        uint32 number = uint32(site >> 40);
        held = uint160(held) | uint256(number) << 160 | uint256(version) << 192 | uint256(ENROLLED) << 200
            | block.timestamp << 208;
        participants[trial][participant] = held;
        setContributor(trial, head, held);
        emit ITrials.Enrolled(trial, participant, actor, number);
    }

    function anchorBatch(
        address actor,
        bytes32 trial,
        uint32 sequence,
        uint64 from,
        uint64 to,
        bytes32 root,
        uint32 count,
        uint256[] calldata named,
        bytes32 document
    ) external {
        requireActor(actor);
        uint256 head = requireTrial(trial);
        requireOpen(trial, head);
        uint256 site = requireSite(trial, actor);
        if (sequence == 0) revert ITrials.ZeroSequence();
        Batch storage batch = batches[trial][actor][sequence];
        if (batch.head != 0) revert ITrials.SequenceTaken(actor, sequence);
        if (root == 0) revert ITrials.ZeroDigest();
        if (count == 0) revert ITrials.EmptyBatch();
        requirePeriod(from, to, uint40(head >> 160));
        requireContributors(trial, head, actor, named);
        requireRole(actor, SITE);
        uint8 flags;
        {
            uint256 last = uint32(site >> 104);
            if (block.timestamp > to + LATE_S) flags |= 1;
            if (sequence < last) flags |= 2;
            if (sequence > last + 1) flags |= 4;
            batch.root = root;
            batch.head = count | uint256(from) << 32 | uint256(to) << 72 | block.timestamp << 112
                | uint256(flags) << 152 | uint256(uint8(head >> 200)) << 160;
            if (sequence > last) site = site & ~(uint256(type(uint32).max) << 104) | uint256(sequence) << 104;
        }
        sites[trial][actor] = site;
        trials[trial].counts += 1 << 64;
        bytes32 data = keccak256(abi.encode(trials[trial].data, actor, sequence, root));
        trials[trial].data = data;
        emit ITrials.BatchAnchored(
            trial, actor, sequence, from, to, root, count, named, flags, uint8(head >> 200), data, document
        );
    }

    function requireActor(address actor) private view {
        if (msg.sender != actor && msg.sender != relay) revert ITrials.NotActor(msg.sender, actor);
    }

    function requireRole(address actor, uint64 roles) private view {
        if (!IRegistry(registry).hasRoles(actor, roles)) revert ITrials.NotCredentialed(actor, roles);
    }

    function requireTrial(bytes32 trial) private view returns (uint256 head) {
        head = trials[trial].head;
        if (head == 0) revert ITrials.UnknownTrial(trial);
    }

    function requireOpen(bytes32 trial, uint256 head) private pure {
        uint8 state = uint8(head >> 216);
        if (state != OPEN) revert ITrials.TrialState(trial, state);
    }

    function requireSite(bytes32 trial, address site) private view returns (uint256 held) {
        held = sites[trial][site];
        if (held & ACTIVE == 0) revert ITrials.NotSite(trial, site);
    }

    function requireStanding(address participant, uint256 held) private pure {
        if (uint8(held >> 200) == WITHDRAWN) revert ITrials.ConsentWithdrawn(participant, uint40(held >> 208));
    }

    function requireSameSite(address participant, uint256 held, address site) private pure {
        address of_ = address(uint160(held));
        if (of_ != site) revert ITrials.OtherSite(participant, of_);
    }

    function requirePeriod(uint64 from, uint64 to, uint64 registeredAt) private view {
        if (from >= to) revert ITrials.MalformedPeriod(from, to);
        if (to > block.timestamp) revert ITrials.PeriodInFuture(to, uint64(block.timestamp));
        if (from < registeredAt) revert ITrials.PeriodBeforeRegistration(from, registeredAt);
    }

    function requireContributors(bytes32 trial, uint256 head, address site, uint256[] calldata named) private view {
        if (named.length == 0 || named.length > 128) revert ITrials.ListLength(uint32(named.length), 128);
        uint256 any;
        for (uint256 i; i < named.length; ++i) any |= named[i];
        if (any == 0) revert ITrials.NoParticipants();
        mapping(uint32 => uint256) storage words = contributors[trial][site][uint8(head >> 208)];
        for (uint32 i; i < named.length; ++i) {
            if (named[i] == 0) continue;
            uint256 others = named[i] & ~words[i];
            if (others != 0) revert ITrials.NotParticipating(site, i * 256 + lowest(others));
        }
    }

    function setContributor(bytes32 trial, uint256 head, uint256 held) private {
        uint32 number = uint32(held >> 160);
        contributors[trial][address(uint160(held))][uint8(head >> 208)][number / 256] |= 1 << (number % 256);
    }

    function lowest(uint256 bits) private pure returns (uint32 number) {
        while (bits & 1 == 0) {
            bits >>= 1;
            ++number;
        }
    }
}
