// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A smart account (EIP-1271) that behaves as it is told.
contract Account {
    enum Mood {
        Confirms,
        Refuses,
        Reverts,
        Burns,
        /// The magic value in four bytes, not a word.
        Short,
        /// The magic value, and more behind it.
        Long,
        /// The magic value in a word with dirt in the padding.
        Dirty,
        /// Confirms by day, refuses by night.
        Changes,
        /// Cancels all signatures while it is asked.
        Writes,
        /// Asks the relay back while it is asked.
        AsksBack
    }

    bytes4 private constant MAGIC = 0x1626ba7e;
    Mood public mood;
    address public relay;

    constructor(address relay_) {
        relay = relay_;
    }

    function become(Mood mood_) external {
        mood = mood_;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        Mood now_ = mood;
        if (now_ == Mood.Refuses) return 0xffffffff;
        if (now_ == Mood.Reverts) revert("no");
        if (now_ == Mood.Burns) for (uint256 i = 0; ; ++i) keccak256(abi.encode(i));
        if (now_ == Mood.Short) answer(abi.encodePacked(MAGIC));
        if (now_ == Mood.Long) answer(abi.encode(MAGIC, uint256(1)));
        if (now_ == Mood.Dirty) answer(abi.encodePacked(MAGIC, uint224(1)));
        if (now_ == Mood.Changes && block.timestamp % 2 == 1) return 0xffffffff;
        if (now_ == Mood.Writes) {
            // The interface says view; the account does not care. The call is static, so the chain does.
            (bool done,) = relay.staticcall(abi.encodeWithSignature("cancelAll()"));
            if (!done) return 0xffffffff;
        }
        if (now_ == Mood.AsksBack) {
            (bool done,) = relay.staticcall(abi.encodeWithSignature("nonceOf(address)", address(this)));
            if (!done) return 0xffffffff;
        }
        return MAGIC;
    }

    function answer(bytes memory data) private pure {
        assembly {
            return(add(data, 32), mload(data))
        }
    }
}

/// A provider that asks to be paid again while it is being paid.
contract Greedy {
    bytes public again;
    uint256 public times;
    bytes public refusal;

    function prepare(bytes calldata again_) external {
        again = again_;
    }

    /// The provider's own calls.
    function execute(address to, bytes calldata data) external {
        (bool done,) = to.call(data);
        require(done, "the call failed");
    }

    receive() external payable {
        times += 1;
        if (times < 3) {
            (bool done, bytes memory output) = msg.sender.call(again);
            if (!done) refusal = output;
        }
    }
}
