// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {Desk} from "../src/Desk.sol";
import {IRegistry} from "../src/IRegistry.sol";
import {vm} from "../src/Vm.sol";

contract Open {
    bool public constant IS_SCRIPT = true;

    function run(IRegistry registry, address party) external returns (Desk desk) {
        // forge first runs the script in an EVM of its own, which cannot run a program: this is what it shall
        // assume. The transactions themselves run on the chain, where nothing is assumed.
        vm.mockCall(address(registry), abi.encodeWithSelector(IRegistry.acceptOwnership.selector), "");
        vm.mockCall(address(registry), abi.encodeWithSelector(IRegistry.setIssuer.selector), "");
        vm.mockCall(address(registry), abi.encodeWithSelector(IRegistry.issueCredential.selector), "");
        vm.startBroadcast();
        desk = new Desk(registry);
        desk.open();
        desk.issue(party, 1);
        vm.stopBroadcast();
    }
}
