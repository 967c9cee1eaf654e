// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A token (as much of ERC-20 as payments need) that behaves as it is told.
contract Token {
    enum Mood {
        /// Moves the money and says so.
        Honest,
        /// Moves it and says nothing, as old tokens do.
        Silent,
        /// Moves nothing and says so.
        SaysNo,
        Reverts,
        Burns,
        /// Moves nothing, and answers with a word that is neither yes nor no.
        SaysTwo,
        /// Moves nothing, and answers with a byte.
        SaysLittle,
        /// Calls whom it was told before it moves the money.
        CallsBack
    }

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    Mood public mood;
    address public whom;
    bytes public what;
    /// What came of the call.
    bool public hasSucceeded;
    uint256 public calls;

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function become(Mood mood_, address whom_, bytes calldata what_) external {
        (mood, whom, what) = (mood_, whom_, what_);
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (mood == Mood.SaysNo) return false;
        if (mood == Mood.Reverts) revert("no");
        if (mood == Mood.Burns) for (uint256 i = 0; ; ++i) keccak256(abi.encode(i));
        if (mood == Mood.SaysTwo) answer(abi.encode(2));
        if (mood == Mood.SaysLittle) answer(hex"01");
        if (mood == Mood.CallsBack) {
            calls += 1;
            (hasSucceeded,) = whom.call(what);
        }
        allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
        if (mood == Mood.Silent) answer("");
        return true;
    }

    function answer(bytes memory data) private pure {
        assembly {
            return(add(data, 32), mload(data))
        }
    }
}
