// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

import {IRecords} from "IRecords.sol";
import {IRelay} from "IRelay.sol";

interface IERC1271 {
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4 magic);
}

/// `relay` in Solidity, for comparison: the storage and the checks of contracts/relay for a signed grant. Passkeys are left
/// out: a signature that is neither of an account with code nor of 65 bytes is refused. Nobody may deploy it for use.
contract TwinRelay {
    bytes32 private constant DOMAIN_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant GRANT_HASH = keccak256(
        "Grant(address signer,bytes32 chart,uint32 directoryVersion,address grantee,uint8 serial,uint64 compartments,uint32 purposes,uint8 actions,uint64 notBefore,uint64 expiry,bytes32 keyring,uint256 nonce,uint256 deadline)"
    );
    /// Half of secp256k1's order.
    uint256 private constant S_MOST = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;
    uint256 private constant SIGNATURE_GAS_MOST = 200_000;

    uint256 private immutable chainId = block.chainid;
    bytes32 private immutable separator = domainSeparator();

    address private immutable registry;
    address private immutable records;
    address private immutable exceptions;
    mapping(address => uint256) private nonces;

    constructor(address registry_, address records_, address exceptions_) {
        registry = registry_;
        records = records_;
        exceptions = exceptions_;
    }

    function grant(IRelay.Grant calldata operation, bytes calldata signature) external {
        address signer = operation.signer;
        if (block.timestamp > operation.deadline) {
            revert IRelay.SignatureExpired(operation.deadline, block.timestamp);
        }
        if (operation.nonce != nonces[signer]) {
            revert IRelay.SignatureCancelled(operation.nonce, nonces[signer]);
        }
        bytes32 hash = keccak256(abi.encode(GRANT_HASH, operation));
        if (!isSigned(signer, hash, signature)) revert IRelay.BadSignature(signer);
        IRecords(records).grant(
            signer,
            operation.chart,
            operation.directoryVersion,
            operation.grantee,
            operation.serial,
            IRecords.GrantTerms(
                operation.compartments,
                operation.purposes,
                operation.actions,
                operation.notBefore,
                operation.expiry
            ),
            operation.keyring
        );
    }

    function isSigned(address signer, bytes32 hash, bytes calldata signature) private view returns (bool) {
        bytes32 domain = block.chainid == chainId ? separator : domainSeparator();
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, hash));
        address recovered = recover(digest, signature);
        if (recovered != address(0) && recovered == signer) return true;
        if (signer.code.length == 0) return false;
        (bool answered, bytes memory answer) = signer.staticcall{gas: SIGNATURE_GAS_MOST}(
            abi.encodeCall(IERC1271.isValidSignature, (digest, signature))
        );
        return answered && answer.length == 32
            && abi.decode(answer, (bytes32)) == bytes32(IERC1271.isValidSignature.selector);
    }

    /// Zero: nobody.
    function recover(bytes32 digest, bytes calldata signature) private pure returns (address) {
        if (signature.length != 65) return address(0);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        if (uint256(s) > S_MOST || (v != 27 && v != 28)) return address(0);
        return ecrecover(digest, v, bytes32(signature[:32]), s);
    }

    function domainSeparator() private view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_HASH, keccak256("Medlock"), keccak256("1"), block.chainid, address(this))
        );
    }
}
