// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {IRecords} from "medlock/IRecords.sol";

/// Two parents control their child's chart: either revokes alone and at once, a grant takes both.
///
/// A contract is a controller like any other account. What the parents seal, they seal on their own machines; here stand
/// digests.
contract JointCustody {
    IRecords public immutable records;
    address public immutable first;
    address public immutable second;
    /// Who has proposed what: the hash of its arguments.
    mapping(bytes32 proposal => address) public proposedBy;

    event Proposed(bytes32 indexed proposal, address indexed by);

    error NotParent(address caller);

    modifier byParent() {
        if (msg.sender != first && msg.sender != second) revert NotParent(msg.sender);
        _;
    }

    constructor(IRecords records_, address first_, address second_) {
        records = records_;
        first = first_;
        second = second_;
    }

    function open(bytes32 chart, bytes32 directory) external byParent {
        records.openChart(address(this), chart, directory);
    }

    /// The first parent's call proposes, the other's grants. The serial and the directory version make a proposal that is
    /// overtaken by a revocation worthless, as everywhere.
    function grant(
        bytes32 chart,
        uint32 directoryVersion,
        address grantee,
        uint8 serial,
        IRecords.GrantTerms calldata terms,
        bytes32 keyring
    ) external byParent {
        bytes32 id = keccak256(abi.encode(chart, directoryVersion, grantee, serial, terms, keyring));
        address by = proposedBy[id];
        if (by == address(0) || by == msg.sender) {
            proposedBy[id] = msg.sender;
            emit Proposed(id, msg.sender);
            return;
        }
        delete proposedBy[id];
        records.grant(address(this), chart, directoryVersion, grantee, serial, terms, keyring);
    }

    function revoke(
        bytes32 chart,
        address grantee,
        uint32 version,
        bytes32 directory,
        IRecords.Keyring[] calldata keyrings
    ) external byParent {
        records.revoke(address(this), chart, grantee, version, directory, keyrings);
    }

    /// The child is grown up: control goes to them, by the word of both.
    function handOver(bytes32 chart, address child) external byParent {
        bytes32 id = keccak256(abi.encode(chart, child));
        address by = proposedBy[id];
        if (by == address(0) || by == msg.sender) {
            proposedBy[id] = msg.sender;
            emit Proposed(id, msg.sender);
            return;
        }
        delete proposedBy[id];
        records.offerControl(address(this), chart, child);
    }
}
