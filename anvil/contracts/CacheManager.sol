// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface ArbWasm {
    function codehashAsmSize(bytes32 codehash) external view returns (uint32 size);
}

interface ArbWasmCache {
    function codehashIsCached(bytes32 codehash) external view returns (bool);
    function cacheProgram(address program) external;
    function evictCodehash(bytes32 codehash) external;
}

/// Auctions places in the cache of programs, as the CacheManager of Arbitrum's chains does; written anew from its
/// public ABI and documentation, for a development chain: nobody owns it, it is never paused, and its parameters are
/// fixed. A bid weighs less the earlier it was made, so a place is kept by bidding again.
contract CacheManager {
    struct Entry {
        bytes32 codehash;
        uint64 size;
        uint192 bid;
    }

    event InsertBid(bytes32 indexed codehash, address program, uint192 bid, uint64 size);
    event DeleteBid(bytes32 indexed codehash, uint192 bid, uint64 size);

    error AsmTooLarge(uint256 asm, uint256 queueSize, uint256 cacheSize);
    error AlreadyCached(bytes32 codehash);
    error BidTooSmall(uint192 bid, uint192 min);
    error ProgramNotActivated();

    ArbWasm private constant ARB_WASM = ArbWasm(address(0x71));
    ArbWasmCache private constant ARB_WASM_CACHE = ArbWasmCache(address(0x72));

    /// Estimated machine code that the cache holds, in bytes.
    uint64 public constant cacheSize = 536_870_912;
    /// Wei that a bid loses a second: what every later bid is ahead by.
    uint64 public constant decay = 10_000_000_000;
    bool public constant isPaused = false;

    /// Bytes of machine code held now.
    uint64 public queueSize;
    Entry[] private entries;

    /// All programs in the cache, in no order.
    function getEntries() external view returns (Entry[] memory) {
        return entries;
    }

    /// The least value that would place `program`.
    function getMinBid(address program) external view returns (uint192) {
        return getMinBid(asmSize(program.codehash));
    }

    /// The least value that would place `size` bytes of machine code.
    function getMinBid(uint64 size) public view returns (uint192) {
        if (size > cacheSize) revert AsmTooLarge(size, 0, cacheSize);
        uint64 used = queueSize;
        if (used + size <= cacheSize) return 0;

        // The lowest bids that have to go to make room; the last of them must be outbid.
        uint256 count = entries.length;
        bool[] memory gone = new bool[](count);
        uint192 highest;
        while (used + size > cacheSize) {
            uint256 lowest = findLowest(gone);
            gone[lowest] = true;
            used -= entries[lowest].size;
            highest = entries[lowest].bid;
        }
        uint256 ahead = block.timestamp * decay;
        return highest < ahead ? 0 : uint192(highest - ahead + 1);
    }

    /// Places `program` in the cache for the value sent, and evicts the lowest bids where there is no room.
    function placeBid(address program) external payable {
        bytes32 codehash = program.codehash;
        if (ARB_WASM_CACHE.codehashIsCached(codehash)) revert AlreadyCached(codehash);
        uint64 size = asmSize(codehash);
        uint192 min = getMinBid(size);
        if (msg.value < min) revert BidTooSmall(uint192(msg.value), min);

        while (queueSize + size > cacheSize) evictLowest();
        // Proof of the width: all the wei there are, and the decay of ten thousand years, fit many times.
        uint192 bid = uint192(msg.value + block.timestamp * decay);
        entries.push(Entry(codehash, size, bid));
        queueSize += size;
        ARB_WASM_CACHE.cacheProgram(program);
        emit InsertBid(codehash, program, bid, size);
    }

    function evictLowest() private {
        uint256 lowest = findLowest(new bool[](entries.length));
        Entry memory entry = entries[lowest];
        entries[lowest] = entries[entries.length - 1];
        entries.pop();
        queueSize -= entry.size;
        ARB_WASM_CACHE.evictCodehash(entry.codehash);
        emit DeleteBid(entry.codehash, entry.bid, entry.size);
    }

    function findLowest(bool[] memory skipped) private view returns (uint256 lowest) {
        uint256 best = type(uint256).max;
        for (uint256 i = 0; i < skipped.length; i++) {
            if (!skipped[i] && entries[i].bid < best) {
                best = entries[i].bid;
                lowest = i;
            }
        }
    }

    function asmSize(bytes32 codehash) private view returns (uint64) {
        try ARB_WASM.codehashAsmSize(codehash) returns (uint32 size) {
            // Every program takes some room besides its machine code.
            return size < 4096 ? 4096 : size;
        } catch {
            revert ProgramNotActivated();
        }
    }
}
