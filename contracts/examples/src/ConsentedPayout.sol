// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {IRecords} from "medlock/IRecords.sol";
import {IRegistry} from "medlock/IRegistry.sol";

/// An insurer's purse that pays a provider for a record only while the patient lets the insurer use that record for
/// payment (HL7 HPAYMT), and the provider is credentialed.
///
/// The insurer is the grantee: its patients' grants name its account, and this contract asks on its behalf. It learns yes
/// or no, and why; it never sees a record.
contract ConsentedPayout {
    uint32 private constant HPAYMT = 1 << 2;
    uint8 private constant READ = 1;
    uint64 private constant PROVIDER = 1 << 3;

    IRecords public immutable records;
    IRegistry public immutable registry;
    address public immutable insurer;

    /// One payment for a version of a record: the pointer of the version that was paid for.
    mapping(bytes32 chart => mapping(bytes32 recordId => mapping(bytes32 pointer => bool))) public paid;

    event Paid(bytes32 indexed chart, bytes32 indexed recordId, address indexed provider, bytes32 pointer, uint256 amount);

    error NotInsurer(address caller);
    /// `reason`: see `terms::reason` of Medlock's ABI.
    error NoConsent(uint8 reason);
    error NotProvider(address provider);
    /// `provider` is not who wrote the record.
    error NotAuthor(address provider, address author);
    error NotCurrent(uint8 status);
    error PaidBefore(bytes32 pointer);
    error PaymentFailed();

    constructor(IRecords records_, IRegistry registry_, address insurer_) payable {
        records = records_;
        registry = registry_;
        insurer = insurer_;
    }

    receive() external payable {}

    function pay(bytes32 chart, bytes32 recordId, address payable provider, uint256 amount) external {
        if (msg.sender != insurer) revert NotInsurer(msg.sender);
        (address author,,, uint8 compartment, uint8 status,, bytes32 pointer) = records.recordOf(chart, recordId);
        (bool allowed, uint8 reason) = records.decide(
            IRecords.Question(chart, insurer, address(0), compartment, recordId, HPAYMT, READ)
        );
        if (!allowed) revert NoConsent(reason);
        if (author != provider) revert NotAuthor(provider, author);
        if (status != 0) revert NotCurrent(status);
        if (!registry.hasRoles(provider, PROVIDER)) revert NotProvider(provider);
        if (paid[chart][recordId][pointer]) revert PaidBefore(pointer);

        // Before the money leaves: whoever is paid may call back.
        paid[chart][recordId][pointer] = true;
        (bool sent,) = provider.call{value: amount}("");
        if (!sent) revert PaymentFailed();
        emit Paid(chart, recordId, provider, pointer, amount);
    }
}
