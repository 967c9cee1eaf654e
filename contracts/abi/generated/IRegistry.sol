// SPDX-License-Identifier: MIT
// Generated from contracts/abi; do not edit.
pragma solidity ^0.8.20;

interface IRegistry {
    event OwnershipTransferStarted(address indexed owner, address indexed pending);
    event OwnershipTransferred(address indexed previous, address indexed owner);
    /// `epoch` is the issuer's present one, or the one that ends here. `number` (from 1) never changes.
    event IssuerSet(address indexed issuer, uint32 number, uint32 epoch, bool active);
    /// `issuerEpoch`: when that epoch of the issuer ends, so does the credential.
    event CredentialIssued(address indexed party, address indexed issuer, uint32 issuerEpoch, uint64 roles, uint64 expiry, bytes32 document);
    event CredentialSuspended(address indexed party, address indexed by);
    /// In force again from here, with the terms it had.
    event CredentialReinstated(address indexed party, address indexed issuer, uint32 issuerEpoch, uint64 roles, uint64 expiry, bytes32 document, address by);
    event CredentialRevoked(address indexed party, address indexed by);
    /// Each of these two counts as one in the membership's serial.
    event MemberSet(address indexed organisation, address indexed member, uint64 expiry);
    event MemberRemoved(address indexed organisation, address indexed member);
    /// The key itself stands here; storage holds its digest, so a server cannot swap a key unseen.
    event KeyPublished(address indexed party, uint32 indexed version, uint16 suite, bytes key);
    event KeyRevoked(address indexed party, uint32 indexed version);

    error ZeroAddress();
    /// `caller` is neither `actor` nor the relay.
    error NotActor(address caller, address actor);
    error NotOwner(address caller);
    error NotPendingOwner(address caller);
    error NotIssuer(address caller);
    /// `caller` is neither the issuer of the party's credential nor the owner.
    error NotCredentialIssuer(address caller, address issuer);
    error NoCredential(address party);
    /// The credential's status (`terms::credential_status`) does not allow this.
    error CredentialStatus(address party, uint8 status);
    /// The issuer was dismissed since; a new credential is wanted.
    error IssuerEpochEnded(address issuer, uint32 epoch);
    error NoRoles();
    error ExpiryInPast(uint64 expiry, uint64 now);
    error TimeTooLarge(uint64 time);
    /// `actor` has no current credential with the role ORGANISATION.
    error NotOrganisation(address actor);
    error NotMember(address organisation, address member);
    /// The membership has been set or removed since the caller read it.
    error MemberSerial(uint32 given, uint32 current);
    /// An organisation acts for itself without being its own member.
    error OwnMember(address organisation);
    error KeyLength(uint16 suite, uint256 length);
    error UnknownSuite(uint16 suite);
    error KeyVersion(uint32 given, uint32 next);
    /// `latest` 0: the party has published none.
    error UnknownKey(address party, uint32 version, uint32 latest);
    error KeyAlreadyRevoked(address party, uint32 version, uint64 revokedAt);

    /// The first one is a constant of the code (`link::OWNER`).
    function owner() external view returns (address);
    /// A constant of the code (`link::RELAY`).
    function relay() external view returns (address);
    function pendingOwner() external view returns (address);
    function transferOwnership(address pending) external;
    function acceptOwnership() external;

    /// Nothing happens where it is so already.
    function setIssuer(address issuer, bool active) external;
    /// Number 0: never an issuer.
    function issuerOf(address issuer) external view returns (uint32 number, uint32 epoch, bool active);

    /// Issues or replaces the credential of `party`. `expiry` 0: none.
    /// A credential that stands, suspended or not, is replaced by its own issuer only; another would revoke it that way.
    function issueCredential(address party, uint64 roles, uint64 expiry, bytes32 document) external;
    function suspendCredential(address party) external;
    function reinstateCredential(address party) external;
    function revokeCredential(address party) external;
    /// All zero where there is none. `issuedAt`: issued, or reinstated last. `endedAt`: suspended, revoked or replaced, 0: not;
    /// `status`: see `terms::credential_status`. `current`: not ended, not expired, its issuer's epoch not ended.
    function credentialOf(address party) external view
        returns (address issuer, uint64 roles, uint64 issuedAt, uint64 expiry, uint64 endedAt, bytes32 document, uint8 status, bool current);
    /// The last credential issued (or reinstated) at or before `at`, as it is known now; `current`: whether it was in force at `at`.
    /// For times to come: as it stands.
    function credentialAt(address party, uint64 at) external view
        returns (address issuer, uint64 roles, uint64 issuedAt, uint64 expiry, uint64 endedAt, bytes32 document, uint8 status, bool current);
    /// True where `party` holds a current credential with every bit of `roles`.
    function hasRoles(address party, uint64 roles) external view returns (bool);
    function hasRolesAt(address party, uint64 roles, uint64 at) external view returns (bool);

    // `actor`: the caller itself, or whoever signed, where the relay calls.

    /// Makes `member` a member of `actor`, an organisation, or sets another expiry. `expiry` 0: none. `serial`: that of the
    /// membership as the caller read it, 0 where there never was one.
    function setMember(address actor, address member, uint32 serial, uint64 expiry) external;
    function removeMember(address actor, address member, uint32 serial) external;
    /// True where the membership is in force and `organisation` is current. Members of members are not members.
    function isMember(address organisation, address member) external view returns (bool);
    function isMemberAt(address organisation, address member, uint64 at) external view returns (bool);
    /// True where `member` is a member and the organisation has every bit of `roles`: it vouches for its members.
    function mayActFor(address organisation, address member, uint64 roles) external view returns (bool);
    function mayActForAt(address organisation, address member, uint64 roles, uint64 at) external view returns (bool);
    /// The present membership or the last one; all zero where there was none. `serial` counts how often it was set or removed. It holds only while the organisation is current: `isMember`.
    function memberOf(address organisation, address member) external view
        returns (uint64 since, uint64 expiry, uint64 endedAt, uint32 serial);

    /// Publishes the actor's next encryption key: `version` is 1, or the latest plus one.
    function publishKey(address actor, uint32 version, uint16 suite, bytes calldata key) external;
    /// Ends one of the caller's own keys, the latest or an earlier one, for good.
    function revokeKey(uint32 version) external;
    /// The latest key. Version 0 where none is published. `revokedAt` 0: not revoked. `digest` is keccak256(key).
    /// `current`: published and not revoked; nobody seals to another.
    function keyOf(address party) external view
        returns (uint32 version, uint16 suite, uint64 validFrom, uint64 revokedAt, bytes32 digest, bool current);
    /// The latest key published at or before `at`; `current`: not revoked at `at`.
    function keyAt(address party, uint64 at) external view
        returns (uint32 version, uint16 suite, uint64 validFrom, uint64 revokedAt, bytes32 digest, bool current);
}
