// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {ConsentedPayout} from "../src/ConsentedPayout.sol";
import {vm} from "./Vm.sol";

/// Run with `--fork-url` of a chain that has the real contracts: asked is the chain itself. INSURER, PURSE, CHART, RECORD,
/// CLINIC and CONSENT (whether it should pay) are in the environment.
contract OnChainTest {
    bool public constant IS_TEST = true;

    function test_the_purse_pays_exactly_while_there_is_consent() external {
        bytes memory call = abi.encodeCall(
            ConsentedPayout.pay, (vm.envBytes32("CHART"), vm.envBytes32("RECORD"), payable(vm.envAddress("CLINIC")), 1)
        );
        string memory request = string.concat(
            '[{"from":"',
            vm.toString(vm.envAddress("INSURER")),
            '","to":"',
            vm.toString(vm.envAddress("PURSE")),
            '","data":"',
            vm.toString(call),
            '"},"latest"]'
        );
        bool paid;
        try vm.rpc("eth_call", request) {
            paid = true;
        } catch {}
        require(paid == vm.envBool("CONSENT"), "consent");
    }
}
