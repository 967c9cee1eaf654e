// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IClaims} from "IClaims.sol";
import {IRecords} from "IRecords.sol";
import {IRegistry} from "IRegistry.sol";

/// `claims` in Solidity, for comparison: the storage, the checks and the events of contracts/claims. What is measured (`submitClaims`,
/// `adjudicate`, `recordPayment`) is whole; the rest is what it takes to get there. Nobody may deploy it for use.
contract TwinClaims {
    struct Claim {
        /// `address provider; uint8 state; uint8 serial; uint40 deadline; uint16 currency; uint8 rounds; uint8 appeals`, the first lowest.
        uint256 head;
        /// `address insurer; uint40 submittedAt; uint32 currencyVersion; uint16 reasonCode`.
        uint256 insurer;
        bytes32 amount;
    }

    struct Currency {
        /// `uint32 version; bool accepted`.
        uint256 latest;
        mapping(uint32 => uint256) tokens;
    }

    uint8 private constant RECEIVED = 1;
    uint8 private constant IN_REVIEW = 2;
    uint8 private constant APPROVED = 4;
    uint8 private constant PARTLY_APPROVED = 5;
    uint8 private constant DENIED = 6;
    uint8 private constant APPEALED = 7;
    uint8 private constant PAID = 8;
    uint8 private constant REVERSED = 9;

    uint256 private constant DECISION_S = 30 days;
    uint256 private constant APPEAL_S = 180 days;
    uint256 private constant PAYMENT_S = 30 days;
    uint8 private constant APPEALS_MOST = 2;
    uint16 private constant LAST_REASON = 12;
    uint64 private constant INSURER = 1 << 2;
    uint64 private constant PROVIDER = 1 << 3;
    uint32 private constant HPAYMT = 1 << 2;
    uint8 private constant READ = 1;

    address private immutable records;
    address private immutable registry;
    address private immutable relay;
    mapping(bytes32 => Claim) private claims;
    mapping(bytes32 => bytes32) private services;
    mapping(address => uint256) private insurers;
    mapping(address => mapping(uint16 => Currency)) private currencies;

    constructor(address records_, address registry_, address relay_) {
        records = records_;
        registry = registry_;
        relay = relay_;
    }

    /// Without a token.
    function setCurrency(
        address actor,
        address insurer,
        uint16 currency,
        uint32 version,
        bool accepted,
        address token,
        uint8 scale
    ) external {
        requireActor(actor);
        requireCurrency(currency);
        if (token != address(0) || scale != 0) revert IClaims.MalformedCurrency();
        requireCredentialed(actor, insurer, INSURER);
        Currency storage held = currencies[insurer][currency];
        uint32 next = uint32(held.latest) + 1;
        if (version != next) revert IClaims.CurrencyVersion(version, next);
        held.latest = version | (accepted ? 1 << 32 : 0);
        emit IClaims.CurrencySet(insurer, currency, version, accepted, token, scale, actor);
    }

    function submitClaims(address actor, address organisation, IClaims.NewClaim[] calldata given) external {
        requireActor(actor);
        if (given.length == 0 || given.length > 16) revert IClaims.BatchSize(uint32(given.length), 16);
        address provider = organisation == address(0) ? actor : organisation;
        address asked;
        for (uint256 i; i < given.length; ++i) {
            IClaims.NewClaim calldata claim = given[i];
            requireForm(claim, provider);
            requireConsent(claim);
            address insurer = claim.insurer;
            if (i == 0 || asked != insurer) {
                asked = insurer;
                if (!isCredentialed(insurer, insurer, INSURER)) revert IClaims.NotInsurer(insurer);
            }
        }
        requireCredentialed(actor, provider, PROVIDER);
        for (uint256 i; i < given.length; ++i) submit(actor, provider, given[i]);
    }

    function adjudicate(
        address actor,
        bytes32 claim,
        uint8 serial,
        uint8 state,
        bytes32 amount,
        uint16 reasonCode,
        bytes32 document
    ) external {
        if (state != APPROVED && state != PARTLY_APPROVED && state != DENIED) revert IClaims.MalformedDecision();
        bool hasAmount = state != DENIED;
        bool hasReason = state != APPROVED;
        if ((amount == 0) == hasAmount || (reasonCode != 0) != hasReason) revert IClaims.MalformedDecision();
        if (hasReason && (reasonCode == 0 || reasonCode > LAST_REASON)) revert IClaims.UnknownReasonCode(reasonCode);
        if (document == 0) revert IClaims.ZeroDigest();
        (uint256 head, uint256 insurer) =
            requireInsurers(actor, claim, serial, 1 << RECEIVED | 1 << IN_REVIEW | 1 << APPEALED);
        uint256 deadline = block.timestamp;
        if (state == APPROVED) deadline += PAYMENT_S;
        else if (uint8(head >> 240) < APPEALS_MOST) deadline += APPEAL_S;
        serial = step(claim, head, state, deadline);
        if (uint16(insurer >> 232) != reasonCode) {
            claims[claim].insurer = insurer & ~(uint256(type(uint16).max) << 232) | uint256(reasonCode) << 232;
        }
        claims[claim].amount = amount;
        emit IClaims.Adjudicated(claim, serial, actor, state, amount, reasonCode, document, uint64(deadline));
    }

    function recordPayment(address actor, bytes32 claim, uint8 serial, bytes32 remittance) external {
        if (remittance == 0) revert IClaims.ZeroDigest();
        (uint256 head,) = requireInsurers(actor, claim, serial, 1 << APPROVED | 1 << PARTLY_APPROVED);
        if (stateOf(head) == PARTLY_APPROVED && block.timestamp < deadlineOf(head)) {
            revert IClaims.AppealWindowOpen(uint64(deadlineOf(head)));
        }
        serial = step(claim, head, PAID, 0);
        emit IClaims.Paid(claim, serial, actor, remittance);
    }

    function requireActor(address actor) private view {
        if (msg.sender != actor && msg.sender != relay) revert IClaims.NotActor(msg.sender, actor);
    }

    function requireCurrency(uint16 currency) private pure {
        if (currency == 0 || currency > 999) revert IClaims.CurrencyRange(currency);
    }

    function requireForm(IClaims.NewClaim calldata claim, address provider) private pure {
        if (claim.document == 0 || claim.fingerprint == 0 || claim.billed == 0) revert IClaims.ZeroDigest();
        requireCurrency(claim.currency);
        uint256 links = claim.links.length;
        if (links == 0 || links > 8) revert IClaims.LinkCount(uint32(links), 8);
        if (claim.insurer == provider) revert IClaims.OwnClaim(provider);
    }

    function requireConsent(IClaims.NewClaim calldata claim) private view {
        for (uint256 i; i < claim.links.length; ++i) {
            IClaims.Link calldata link = claim.links[i];
            (,, uint32 version, uint8 compartment, uint8 status,, bytes32 pointer) =
                IRecords(records).recordOf(claim.chart, link.recordId);
            if (version == 0) revert IClaims.UnknownRecord(link.recordId);
            if (status != 0) revert IClaims.RecordStatus(link.recordId, status);
            if (pointer != link.pointer) revert IClaims.StalePointer(link.pointer, pointer);
            IRecords.Question memory question = IRecords.Question({
                chart: claim.chart,
                grantee: claim.insurer,
                member: address(0),
                compartment: compartment,
                recordId: link.recordId,
                purpose: HPAYMT,
                action: READ
            });
            (bool allowed, uint8 reason) = IRecords(records).decide(question);
            if (!allowed) revert IClaims.NoConsent(link.recordId, reason);
        }
    }

    function submit(address actor, address provider, IClaims.NewClaim calldata given) private {
        bytes32 claim = idOf(provider, given);
        if (stateOf(claims[claim].head) != 0) revert IClaims.ClaimExists(claim);
        uint256 currency = currencies[given.insurer][given.currency].latest;
        if (currency >> 32 == 0) revert IClaims.CurrencyNotAccepted(given.insurer, given.currency);
        bool shared = insurers[given.insurer] >> 32 != 0;
        bytes32 previous = place(claim, provider, given, shared);
        Claim storage held = claims[claim];
        uint256 deadline = block.timestamp + DECISION_S;
        held.head = uint256(uint160(provider)) | uint256(RECEIVED) << 160 | uint256(1) << 168 | deadline << 176
            | uint256(given.currency) << 216;
        held.insurer =
            uint256(uint160(given.insurer)) | block.timestamp << 160 | uint256(uint32(currency)) << 200;
        emit IClaims.ClaimSubmitted(
            claim,
            given.chart,
            given.insurer,
            provider,
            actor,
            given.document,
            given.fingerprint,
            given.currency,
            given.billed,
            given.links,
            uint32(currency),
            shared,
            previous,
            uint64(deadline)
        );
    }

    /// Takes the service, where nobody holds it, and gives the claim before.
    function place(bytes32 claim, address provider, IClaims.NewClaim calldata given, bool shared)
        private
        returns (bytes32)
    {
        bytes32 own = keccak256(abi.encode(given.insurer, provider, given.fingerprint));
        bytes32 everybodys = keccak256(abi.encode(address(0), provider, given.fingerprint));
        bytes32 inOwn = services[own];
        bytes32 inEverybodys = services[everybodys];
        if (holds(claims[inOwn].head)) revert IClaims.DuplicateService(inOwn);
        bool isLookedAt = shared || address(uint160(claims[inEverybodys].insurer)) == given.insurer;
        if (isLookedAt && holds(claims[inEverybodys].head)) revert IClaims.DuplicateService(inEverybodys);
        services[shared ? everybodys : own] = claim;
        return shared ? inEverybodys : inOwn;
    }

    function idOf(address provider, IClaims.NewClaim calldata claim) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                provider,
                claim.chart,
                claim.insurer,
                claim.document,
                claim.fingerprint,
                claim.currency,
                claim.billed,
                hashOf(claim.links)
            )
        );
    }

    /// Its two words each, one behind the other, as they stand in the calldata.
    function hashOf(IClaims.Link[] calldata links) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let size := mul(links.length, 64)
            calldatacopy(free, links.offset, size)
            hash := keccak256(free, size)
        }
    }

    function requireInsurers(address actor, bytes32 claim, uint8 serial, uint256 from)
        private
        view
        returns (uint256 head, uint256 insurer)
    {
        requireActor(actor);
        head = claims[claim].head;
        if (stateOf(head) == 0) revert IClaims.UnknownClaim(claim);
        insurer = claims[claim].insurer;
        address party = address(uint160(insurer));
        if (actor != party && !isCredentialed(actor, party, 0)) revert IClaims.NotParty(actor, party);
        uint8 current = uint8(head >> 168);
        if (serial != current) revert IClaims.ClaimSerial(serial, current);
        if (from >> stateOf(head) & 1 == 0) revert IClaims.ClaimState(claim, stateOf(head));
    }

    function requireCredentialed(address actor, address party, uint64 roles) private view {
        if (!isCredentialed(actor, party, roles)) revert IClaims.NotCredentialed(actor, party, roles);
    }

    function isCredentialed(address actor, address party, uint64 roles) private view returns (bool) {
        return actor == party
            ? IRegistry(registry).hasRoles(party, roles)
            : IRegistry(registry).mayActFor(party, actor, roles);
    }

    function step(bytes32 claim, uint256 head, uint8 state, uint256 deadline) private returns (uint8 serial) {
        serial = uint8(head >> 168) + 1;
        uint256 kept = head & ~(uint256(type(uint56).max) << 160);
        claims[claim].head = kept | uint256(state) << 160 | uint256(serial) << 168 | deadline << 176;
    }

    function stateOf(uint256 head) private pure returns (uint8) {
        return uint8(head >> 160);
    }

    function deadlineOf(uint256 head) private pure returns (uint256) {
        return uint40(head >> 176);
    }

    function holds(uint256 head) private view returns (bool) {
        uint8 state = stateOf(head);
        return state == DENIED ? block.timestamp < deadlineOf(head) : state != 0 && state < REVERSED;
    }
}
