// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// As much of a token as clients are tested with: events, typed errors, an EIP-712 statement, and being delegated to.
contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);

    error Short(uint256 have, uint256 want);
    error WrongSigner(address signer);

    bytes32 private constant PERMIT = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce)");
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => uint256) public nonces;

    constructor(uint256 supply) {
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external {
        uint256 have = balanceOf[msg.sender];
        if (have < value) revert Short(have, value);
        balanceOf[msg.sender] = have - value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }

    function permit(address owner, address spender, uint256 value, uint8 v, bytes32 r, bytes32 s) external {
        bytes32 statement = keccak256(abi.encode(PERMIT, owner, spender, value, nonces[owner]++));
        address signer = ecrecover(keccak256(abi.encodePacked("\x19\x01", domain(), statement)), v, r, s);
        if (signer != owner || signer == address(0)) revert WrongSigner(signer);
        allowance[owner][spender] = value;
    }

    function domain() public view returns (bytes32) {
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256("Token"), keccak256("1"), block.chainid, address(this)));
    }

    /// For an account that delegates to this code (EIP-7702): its own balance, in its own storage.
    function mint(uint256 value) external {
        balanceOf[address(this)] += value;
        emit Transfer(address(0), address(this), value);
    }
}
