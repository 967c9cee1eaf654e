// SPDX-License-Identifier: MIT
// Generated from contracts/abi; do not edit.
pragma solidity ^0.8.20;

interface IAudit {
    /// What a gateway says stands at `index` (from 0) of its chain of anchors: `count` receipts under `root` (RFC 9162 with keccak256),
    /// after the anchor whose EIP-712 struct hash is `previous` (zero at index 0). A signed type: gateways hand it out before it is anchored.
    struct Anchor {
        address gateway;
        uint64 index;
        bytes32 previous;
        bytes32 root;
        uint32 count;
    }

    /// `anchor`: the struct hash, which the next one names as its `previous`.
    event Anchored(address indexed gateway, uint64 indexed index, bytes32 indexed anchor, bytes32 previous, bytes32 root, uint32 count);
    /// `gateway` has signed two different anchors for one index, or one that is not what it anchored there.
    event EquivocationProved(address indexed gateway, uint64 indexed index, bytes32 first, bytes32 second, address by);

    /// `caller` has no current credential with the role GATEWAY.
    error NotGateway(address caller);
    error ZeroRoot();
    error EmptyAnchor();
    /// The gateway's chain of anchors has moved on: the last one is `current`.
    error PreviousAnchor(bytes32 given, bytes32 current);
    /// Signed statements of two gateways, or for two indexes: they do not contradict each other.
    error NotComparable();
    /// The two are one, or this pair was proved before.
    error SameAnchor();
    error BadSignature(address gateway);
    error UnknownAnchor(address gateway, uint64 index);

    /// A constant of the code (`link::REGISTRY`).
    function registry() external view returns (address);
    /// ERC-5267.
    function eip712Domain() external view
        returns (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] memory extensions);

    /// Anchors the next `count` receipts of the calling gateway. `previous`: its last anchor, zero for the first.
    function anchor(bytes32 previous, bytes32 root, uint32 count) external returns (uint64 index);
    /// How many anchors there are, how many receipts under them, and the last anchor.
    function headOf(address gateway) external view returns (uint64 anchors, uint64 receipts, bytes32 last);
    /// The struct hash of the anchor at `index`; zero where there is none.
    function anchorOf(address gateway, uint64 index) external view returns (bytes32 anchor);
    /// Whether `leaf` (the leaf's data, 32 bytes) is number `leafIndex` of the receipts under this anchor, and the anchor stands.
    function verify(Anchor calldata statement, uint32 leafIndex, bytes32 leaf, bytes32[] calldata proof) external view returns (bool);

    /// Two different statements for one index, both signed by the gateway's key (ECDSA, 65 bytes). By anyone.
    function proveEquivocation(Anchor calldata first, bytes calldata firstSignature, Anchor calldata second, bytes calldata secondSignature) external;
    /// A signed statement that is not what the gateway anchored at that index. By anyone.
    function proveDeviation(Anchor calldata statement, bytes calldata signature) external;
    /// 0: nothing was proved; otherwise how many proofs stand, each a different pair.
    function equivocationsOf(address gateway) external view returns (uint32 count);
}
