// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {IRegistry} from "./IRegistry.sol";

/// An EVM contract that owns a registry, which is a Stylus program, and issues credentials through it.
contract Desk {
    event Issued(address indexed party, uint64 roles);

    IRegistry public immutable registry;
    mapping(address party => uint256) public issued;

    constructor(IRegistry registry_) {
        registry = registry_;
    }

    function open() external {
        registry.acceptOwnership();
        registry.setIssuer(address(this), true);
    }

    function issue(address party, uint64 roles) external {
        registry.issueCredential(party, roles, 0, bytes32(0));
        issued[party] += 1;
        emit Issued(party, roles);
    }

    function recognises(address party, uint64 roles) external view returns (bool) {
        return registry.hasRoles(party, roles);
    }
}
