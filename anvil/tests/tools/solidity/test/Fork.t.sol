// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {Desk} from "../src/Desk.sol";
import {vm} from "../src/Vm.sol";

/// Run with `--fork-url` of a chain where script/Open.s.sol has been. DESK and PARTY are in the environment.
contract ForkTest {
    bool public constant IS_TEST = true;

    Desk private desk = Desk(vm.envAddress("DESK"));
    address private party = vm.envAddress("PARTY");

    /// EVM state of the chain is there, its storage, code and balances.
    function test_state_of_the_chain() external view {
        require(desk.issued(party) == 1, "issued");
        require(party.balance > 0, "balance");
        require(block.chainid == 412346, "chain id");
        bytes memory code = address(desk.registry()).code;
        require(code.length > 4 && code[0] == 0xef && code[1] == 0xf0 && code[2] == 0x00, "a program's prefix");
    }

    /// What runs here runs in forge's EVM: it may go on from the chain's state, but it cannot run a program.
    function test_a_program_cannot_run_in_forge() external view {
        try desk.recognises{gas: 1_000_000}(party, 1) {
            revert("forge ran a program");
        } catch (bytes memory reason) {
            require(reason.length == 0, "an invalid opcode says nothing");
        }
    }

    /// The chain can be asked.
    function test_the_chain_runs_the_program() external {
        require(ask(1), "has the role");
        require(!ask(2), "has not the role");
    }

    /// Or the answer be assumed.
    function test_an_assumed_answer() external {
        vm.mockCall(address(desk.registry()), abi.encodeWithSignature("hasRoles(address,uint64)", party, 7), abi.encode(true));
        require(desk.recognises(party, 7), "assumed");
    }

    function ask(uint64 roles) private returns (bool) {
        string memory data = vm.toString(abi.encodeCall(Desk.recognises, (party, roles)));
        string memory request =
            string.concat('[{"to":"', vm.toString(address(desk)), '","data":"', data, '"},"latest"]');
        return abi.decode(vm.rpc("eth_call", request), (bool));
    }
}
