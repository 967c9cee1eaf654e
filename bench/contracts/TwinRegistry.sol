// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRegistry} from "IRegistry.sol";

/// A credential's head in one word, the first field lowest: `uint32 issuerNumber; uint32 issuerEpoch; uint64 roles; uint40 issuedAt;
/// uint40 expiry; uint40 endedAt; uint8 status`.
type CredentialHead is uint256;

/// A membership in one word: `uint40 since; uint40 expiry; uint40 endedAt`.
type Membership is uint256;

/// Number and epoch, as the key of an epoch has them.
function issuerOf(CredentialHead head) pure returns (uint64) {
    uint256 word = CredentialHead.unwrap(head);
    return uint64(uint32(word)) << 32 | uint32(word >> 32);
}

function rolesOf(CredentialHead head) pure returns (uint64) {
    return uint64(CredentialHead.unwrap(head) >> 64);
}

/// Three times, as a membership has them.
function timesOf(CredentialHead head) pure returns (Membership) {
    return Membership.wrap(CredentialHead.unwrap(head) >> 128);
}

function statusOf(CredentialHead head) pure returns (uint8) {
    return uint8(CredentialHead.unwrap(head) >> 248);
}

function holdsNow(Membership times) view returns (bool) {
    uint256 word = Membership.unwrap(times);
    uint40 expiry = uint40(word >> 40);
    uint40 endedAt = uint40(word >> 80);
    return uint40(word) <= block.timestamp && (expiry == 0 || block.timestamp < expiry)
        && (endedAt == 0 || block.timestamp < endedAt);
}

using { issuerOf, rolesOf, timesOf, statusOf } for CredentialHead global;
using { holdsNow } for Membership global;

/// `registry` in Solidity, for comparison: the storage, the checks and the events of contracts/registry. What is measured
/// (`hasRoles`, `mayActFor`, `credentialOf`) is whole; the rest is what it takes to get there. Nobody may deploy it for use.
contract TwinRegistry {
    struct Epoch {
        address issuer;
        uint40 endedAt;
    }

    struct IssuerHead {
        uint32 number;
        uint32 epoch;
    }

    struct PastCredential {
        CredentialHead head;
        bytes32 document;
    }

    struct Credential {
        CredentialHead head;
        bytes32 document;
        PastCredential[] past;
    }

    struct Member {
        Membership head;
        Membership[] past;
    }

    uint64 private constant ORGANISATION = 1;
    uint8 private constant ISSUED = 1;

    address private immutable firstOwner;
    address private immutable relay;
    address private owner;
    address private pending;
    uint32 private issuerCount;
    mapping(address => IssuerHead) private issuers;
    mapping(uint64 => Epoch) private epochs;
    mapping(address => Credential) private credentials;
    mapping(address => mapping(address => Member)) private members;
    mapping(address => uint256) private keys;

    constructor(address owner_, address relay_) {
        firstOwner = owner_;
        relay = relay_;
    }

    /// Only activates.
    function setIssuer(address issuer, bool active) external {
        if (msg.sender != (owner == address(0) ? firstOwner : owner)) revert IRegistry.NotOwner(msg.sender);
        if (issuer == address(0) || !active) revert IRegistry.ZeroAddress();
        IssuerHead memory head = issuers[issuer];
        if (head.number == 0) head.number = ++issuerCount;
        ++head.epoch;
        issuers[issuer] = head;
        epochs[epochKey(head.number, head.epoch)] = Epoch(issuer, 0);
        emit IRegistry.IssuerSet(issuer, head.number, head.epoch, active);
    }

    /// Only a party's first.
    function issueCredential(address party, uint64 roles, uint64 expiry, bytes32 document) external {
        IssuerHead memory issuer = issuers[msg.sender];
        if (issuer.number == 0 || epochs[epochKey(issuer.number, issuer.epoch)].endedAt != 0) {
            revert IRegistry.NotIssuer(msg.sender);
        }
        if (party == address(0)) revert IRegistry.ZeroAddress();
        if (roles == 0) revert IRegistry.NoRoles();
        if (expiry > type(uint40).max) revert IRegistry.TimeTooLarge(expiry);
        if (expiry != 0 && expiry <= block.timestamp) revert IRegistry.ExpiryInPast(expiry, uint64(block.timestamp));
        Credential storage credential = credentials[party];
        if (credential.head.issuerOf() != 0) revert IRegistry.CredentialStatus(party, credential.head.statusOf());
        credential.head = CredentialHead.wrap(
            uint256(issuer.number) | uint256(issuer.epoch) << 32 | uint256(roles) << 64
                | uint256(block.timestamp) << 128 | uint256(expiry) << 168 | uint256(ISSUED) << 248
        );
        credential.document = document;
        emit IRegistry.CredentialIssued(party, msg.sender, issuer.epoch, roles, expiry, document);
    }

    /// Only a member's first entry.
    function setMember(address actor, address member, uint32 serial, uint64 expiry) external {
        if (msg.sender != actor && msg.sender != relay) revert IRegistry.NotActor(msg.sender, actor);
        if (!hasRoles(actor, ORGANISATION)) revert IRegistry.NotOrganisation(actor);
        if (member == address(0)) revert IRegistry.ZeroAddress();
        if (member == actor) revert IRegistry.OwnMember(actor);
        if (expiry > type(uint40).max) revert IRegistry.TimeTooLarge(expiry);
        if (expiry != 0 && expiry <= block.timestamp) revert IRegistry.ExpiryInPast(expiry, uint64(block.timestamp));
        uint32 current = uint32(Membership.unwrap(members[actor][member].head) >> 120);
        if (serial != current) revert IRegistry.MemberSerial(serial, current);
        members[actor][member].head =
            Membership.wrap(block.timestamp | uint256(expiry) << 40 | uint256(serial + 1) << 120);
        emit IRegistry.MemberSet(actor, member, expiry);
    }

    function hasRoles(address party, uint64 roles) public view returns (bool) {
        CredentialHead head = credentials[party].head;
        uint64 issuer = head.issuerOf();
        if (head.rolesOf() & roles != roles || issuer == 0 || !head.timesOf().holdsNow()) return false;
        uint40 endedAt = epochs[issuer].endedAt;
        return endedAt == 0 || block.timestamp < endedAt;
    }

    function credentialOf(address party)
        external
        view
        returns (
            address issuer,
            uint64 roles,
            uint64 issuedAt,
            uint64 expiry,
            uint64 endedAt,
            bytes32 document,
            uint8 status,
            bool current
        )
    {
        Credential storage credential = credentials[party];
        CredentialHead head = credential.head;
        uint256 word = CredentialHead.unwrap(head);
        document = credential.document;
        Epoch memory epoch = epochs[head.issuerOf()];
        (issuer, roles, status) = (epoch.issuer, head.rolesOf(), head.statusOf());
        (issuedAt, expiry, endedAt) = (uint40(word >> 128), uint40(word >> 168), uint40(word >> 208));
        current = head.issuerOf() != 0 && head.timesOf().holdsNow()
            && (epoch.endedAt == 0 || block.timestamp < epoch.endedAt);
    }

    function mayActFor(address organisation, address member, uint64 roles) external view returns (bool) {
        Membership head = members[organisation][member].head;
        return Membership.unwrap(head) != 0 && head.holdsNow() && hasRoles(organisation, roles | ORGANISATION);
    }

    function epochKey(uint32 number, uint32 epoch) private pure returns (uint64) {
        return uint64(number) << 32 | epoch;
    }
}
