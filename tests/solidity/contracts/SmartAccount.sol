// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A smart account with one owner: it signs (EIP-1271), and does what its owner says.
contract SmartAccount {
    bytes4 private constant MAGIC = 0x1626ba7e;
    address public owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function setOwner(address next) external virtual {
        require(msg.sender == owner, "not the owner");
        owner = next;
    }

    function execute(address to, bytes calldata data) external {
        require(msg.sender == owner, "not the owner");
        (bool done,) = to.call(data);
        require(done, "the call failed");
    }

    /// `signature`: r, s, v of the owner.
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 65) return 0xffffffff;
        address signer = ecrecover(
            digest, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64])
        );
        return signer != address(0) && signer == owner ? MAGIC : bytes4(0xffffffff);
    }
}

/// One that lets anybody become its owner.
contract CarelessAccount is SmartAccount {
    constructor(address owner_) SmartAccount(owner_) {}

    function setOwner(address next) external override {
        owner = next;
    }
}

/// Makes accounts at addresses that are known before (CREATE2), and does other things where it is told so.
contract Factory {
    function create(address owner, bytes32 salt) external returns (address) {
        return address(new SmartAccount{salt: salt}(owner));
    }

    function addressOf(address owner, bytes32 salt) external view returns (address) {
        bytes memory code = abi.encodePacked(type(SmartAccount).creationCode, abi.encode(owner));
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, keccak256(code)));
        return address(uint160(uint256(hash)));
    }

    function fail() external pure {
        revert("no account today");
    }

    /// Makes the account, and then uses up all gas that there is.
    function createAndBurn(address owner, bytes32 salt) external {
        this.create(owner, salt);
        for (uint256 i = 0;; ++i) keccak256(abi.encode(i));
    }

    /// Makes the account, and answers at length.
    function createAndTalk(address owner, bytes32 salt) external {
        this.create(owner, salt);
        assembly {
            return(0, 500000)
        }
    }
}
