// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// The part of forge's cheat codes that is used here.
interface Vm {
    function mockCall(address callee, bytes calldata data, bytes calldata answer) external;
    function rpc(string calldata method, string calldata params) external returns (bytes memory);
    function envBool(string calldata name) external view returns (bool);
    function envAddress(string calldata name) external view returns (address);
    function envBytes32(string calldata name) external view returns (bytes32);
    function toString(address value) external pure returns (string memory);
    function toString(bytes calldata value) external pure returns (string memory);
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
