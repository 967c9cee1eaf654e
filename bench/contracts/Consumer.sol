// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRecords} from "IRecords.sol";
import {ISupply} from "ISupply.sol";

/// A contract that asks `records` and `supply`, as an insurer's would, and says how much gas its call took: its own encoding
/// and decoding, the call, and what was called.
contract Consumer {
    function decide(
        IRecords records,
        bytes32 chart,
        address grantee,
        uint8 compartment,
        uint32 purpose,
        uint8 action
    ) external view returns (uint64 used, bool allowed, uint8 reason) {
        IRecords.Question memory question = IRecords.Question({
            chart: chart,
            grantee: grantee,
            member: address(0),
            compartment: compartment,
            recordId: 0,
            purpose: purpose,
            action: action
        });
        uint256 before = gasleft();
        (allowed, reason) = records.decide(question);
        used = uint64(before - gasleft());
    }

    function verifyBatch(
        IRecords records,
        bytes32 chart,
        bytes32 root,
        uint32 index,
        bytes32 recordId,
        bytes32 pointer,
        bytes32[] calldata proof
    ) external view returns (uint64 used, bool verified) {
        uint256 before = gasleft();
        verified = records.verifyBatch(chart, root, index, recordId, pointer, proof);
        used = uint64(before - gasleft());
    }

    function verifyPackage(
        ISupply supply,
        bytes32 batch,
        uint32 unit,
        uint32 index,
        bytes32 serial,
        bytes32[] calldata proof
    ) external view returns (uint64 used, uint8 status, address party) {
        uint256 before = gasleft();
        (status, party,) = supply.verify(batch, unit, index, serial, proof);
        used = uint64(before - gasleft());
    }
}
