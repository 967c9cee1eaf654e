// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface ArbWasm {
    function activateProgram(address program) external payable returns (uint16 version, uint256 dataFee);
    function codehashVersion(bytes32 codehash) external view returns (uint16 version);
    function stylusVersion() external view returns (uint16 version);
}

/// Deploys a program, activates it where nobody did so for the same code, and calls its constructor: all or nothing.
/// Behaves as the StylusDeployer that Arbitrum's chains have at 0xcEcba2F1DC234f70Dd89F2041029807F8D03A990; written
/// anew from its public ABI and documentation.
contract StylusDeployer {
    ArbWasm private constant ARB_WASM = ArbWasm(address(0x71));

    event ContractDeployed(address deployedContract);

    /// Creation failed and said nothing.
    error ContractDeploymentError(bytes bytecode);
    /// The constructor call failed with this data.
    error ContractInitializationError(address newContract, bytes data);
    /// The caller did not take back what was too much.
    error RefundExcessValueError(uint256 excessValue);
    /// There is no code to deploy.
    error EmptyBytecode();
    /// Value for a constructor that is not called.
    error InitValueButNotInitData();

    /// Deploys `bytecode` (init code): by CREATE2 where `salt` is not zero, at the address that follows from
    /// `initSalt(salt, initData)`; by CREATE otherwise. Then activates it where needed, paying the data fee out of the
    /// value beyond `initValue`; then calls it with `initData` and `initValue` unless `initData` is empty; then gives
    /// back what is left of the value.
    function deploy(bytes calldata bytecode, bytes calldata initData, uint256 initValue, bytes32 salt)
        public
        payable
        returns (address)
    {
        address program = create(bytecode, salt == 0 ? salt : initSalt(salt, initData));

        // What is below fails by underflow where the value does not cover `initValue`.
        uint256 spent = initValue;
        if (requiresActivation(program)) {
            (, uint256 dataFee) = ARB_WASM.activateProgram{value: msg.value - initValue}(program);
            spent += dataFee;
        }

        if (initData.length > 0) {
            (bool initialized, bytes memory data) = program.call{value: initValue}(initData);
            if (!initialized) revert ContractInitializationError(program, data);
        } else if (initValue > 0) {
            revert InitValueButNotInitData();
        }

        uint256 excess = msg.value - spent;
        if (excess > 0) {
            (bool refunded,) = msg.sender.call{value: excess}("");
            if (!refunded) revert RefundExcessValueError(excess);
        }
        emit ContractDeployed(program);
        return program;
    }

    /// The salt that CREATE2 gets: an address vouches for the constructor call too.
    function initSalt(bytes32 salt, bytes calldata initData) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(salt, initData));
    }

    /// Whether code like that of `program` still has to be activated.
    function requiresActivation(address program) public view returns (bool) {
        try ARB_WASM.codehashVersion(program.codehash) returns (uint16 version) {
            return version != ARB_WASM.stylusVersion();
        } catch {
            return true;
        }
    }

    function create(bytes memory bytecode, bytes32 salt) private returns (address program) {
        if (bytecode.length == 0) revert EmptyBytecode();
        if (salt == 0) {
            assembly ("memory-safe") {
                program := create(0, add(bytecode, 32), mload(bytecode))
            }
        } else {
            assembly ("memory-safe") {
                program := create2(0, add(bytecode, 32), mload(bytecode), salt)
            }
        }
        if (program != address(0)) return program;
        assembly ("memory-safe") {
            // What the init code reverted with, if anything.
            if returndatasize() {
                let data := mload(64)
                returndatacopy(data, 0, returndatasize())
                revert(data, returndatasize())
            }
        }
        revert ContractDeploymentError(bytecode);
    }
}
