// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {IRecords} from "medlock/IRecords.sol";
import {IRegistry} from "medlock/IRegistry.sol";
import {ConsentedPayout} from "../src/ConsentedPayout.sol";
import {vm} from "./Vm.sol";

/// Every refusal, with answers that are assumed: forge's EVM runs no Stylus program.
contract ConsentedPayoutTest {
    bool public constant IS_TEST = true;

    IRecords private constant RECORDS = IRecords(address(0x1001));
    IRegistry private constant REGISTRY = IRegistry(address(0x1002));
    bytes32 private constant CHART = bytes32(uint256(1));
    bytes32 private constant RECORD = bytes32(uint256(2));
    address payable private constant CLINIC = payable(address(0xC11));

    ConsentedPayout private purse;

    function setUp() public {
        purse = new ConsentedPayout{value: 10 ether}(RECORDS, REGISTRY, address(this));
        assume(CLINIC, 0, true, 2, true);
    }

    function test_pays_the_author_once() external {
        purse.pay(CHART, RECORD, CLINIC, 1 ether);
        require(CLINIC.balance == 1 ether, "paid");
        refuses(abi.encodeWithSelector(ConsentedPayout.PaidBefore.selector, bytes32(uint256(7))));
        require(CLINIC.balance == 1 ether, "paid once");
    }

    function test_refuses_without_consent_and_says_why() external {
        assume(CLINIC, 0, false, 22, true);
        refuses(abi.encodeWithSelector(ConsentedPayout.NoConsent.selector, uint8(22)));
    }

    function test_refuses_who_did_not_write_the_record() external {
        assume(address(0xBAD), 0, true, 2, true);
        refuses(abi.encodeWithSelector(ConsentedPayout.NotAuthor.selector, CLINIC, address(0xBAD)));
    }

    function test_refuses_a_record_that_was_entered_in_error() external {
        assume(CLINIC, 1, true, 2, true);
        refuses(abi.encodeWithSelector(ConsentedPayout.NotCurrent.selector, uint8(1)));
    }

    function test_refuses_a_provider_whose_credential_has_ended() external {
        assume(CLINIC, 0, true, 2, false);
        refuses(abi.encodeWithSelector(ConsentedPayout.NotProvider.selector, CLINIC));
    }

    function test_refuses_strangers() external {
        Stranger stranger = new Stranger();
        try stranger.pay(purse, CHART, RECORD, CLINIC) {
            revert("a stranger was obeyed");
        } catch (bytes memory reason) {
            require(
                keccak256(reason) == keccak256(abi.encodeWithSelector(ConsentedPayout.NotInsurer.selector, address(stranger))),
                "the reason"
            );
        }
    }

    /// What the two contracts shall answer.
    function assume(address author, uint8 status, bool allowed, uint8 reason, bool isProvider) private {
        vm.mockCall(
            address(RECORDS),
            abi.encodeWithSelector(IRecords.recordOf.selector),
            abi.encode(author, uint64(1), uint32(1), uint8(3), status, uint8(0x71), bytes32(uint256(7)))
        );
        vm.mockCall(address(RECORDS), abi.encodeWithSelector(IRecords.decide.selector), abi.encode(allowed, reason));
        vm.mockCall(address(REGISTRY), abi.encodeWithSelector(IRegistry.hasRoles.selector), abi.encode(isProvider));
    }

    function refuses(bytes memory expected) private {
        uint256 before = address(purse).balance;
        try purse.pay(CHART, RECORD, CLINIC, 1 ether) {
            revert("it paid");
        } catch (bytes memory reason) {
            require(keccak256(reason) == keccak256(expected), "the reason");
        }
        require(address(purse).balance == before, "nothing left the purse");
    }
}

contract Stranger {
    function pay(ConsentedPayout purse, bytes32 chart, bytes32 recordId, address payable to) external {
        purse.pay(chart, recordId, to, 1);
    }
}
