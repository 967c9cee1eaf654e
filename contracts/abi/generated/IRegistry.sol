// SPDX-License-Identifier: MIT
// Generated from contracts/abi; do not edit.
pragma solidity ^0.8.20;

interface IRegistry {
    event Initialized(address indexed owner);
    event OwnershipTransferStarted(address indexed owner, address indexed pending);
    event OwnershipTransferred(address indexed previous, address indexed owner);
    event IssuerSet(address indexed issuer, bool active);
    event CredentialIssued(address indexed party, address indexed issuer, uint64 roles, uint64 expiry, bytes32 document);
    event CredentialRevoked(address indexed party, address indexed by);
    /// The key itself stands here; storage holds its digest, so a server cannot swap a key unseen.
    event KeyPublished(address indexed party, uint32 indexed version, uint16 suite, bytes key);

    error AlreadyInitialized();
    error ZeroAddress();
    error NotOwner(address caller);
    error NotPendingOwner(address caller);
    error NotIssuer(address caller);
    /// `caller` is neither the issuer of the party's credential nor the owner.
    error NotCredentialIssuer(address caller, address issuer);
    error NoCredential(address party);
    error NoRoles();
    error ExpiryInPast(uint64 expiry, uint64 now);
    error TimeTooLarge(uint64 time);
    error KeyLength(uint16 suite, uint256 length);
    error UnknownSuite(uint16 suite);

    function initialize(address owner) external;
    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function transferOwnership(address pending) external;
    function acceptOwnership() external;

    function setIssuer(address issuer, bool active) external;
    function isIssuer(address issuer) external view returns (bool);

    /// Issues or replaces the credential of `party`. `expiry` 0: none.
    /// A current credential is replaced by its own issuer only; another would revoke it that way.
    function issueCredential(address party, uint64 roles, uint64 expiry, bytes32 document) external;
    function revokeCredential(address party) external;
    /// All zero where there is none. `current`: not revoked, not expired, its issuer still active.
    function credentialOf(address party) external view
        returns (address issuer, uint64 roles, uint64 issuedAt, uint64 expiry, bytes32 document, bool current);
    /// True where `party` holds a current credential with every bit of `roles`.
    function hasRoles(address party, uint64 roles) external view returns (bool);

    /// Publishes the caller's next encryption key. The version starts at 1.
    function publishKey(uint16 suite, bytes calldata key) external returns (uint32 version);
    /// Version 0 where none is published. `digest` is keccak256(key).
    function keyOf(address party) external view
        returns (uint32 version, uint16 suite, uint64 validFrom, bytes32 digest);
}
