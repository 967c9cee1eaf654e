//! Statements signed off chain (EIP-712). The domain is [`domain`]: it binds chain and contract,
//! so a statement about one deployment says nothing about another.
use alloy_primitives::{Address, U256};
use alloy_sol_types::{Eip712Domain, sol};

/// The EIP-712 domain of every Medlock statement. `contract`: `relay` for operations, `audit` for anchors, `records` for all else.
pub fn domain(chain_id: u64, contract: Address) -> Eip712Domain {
    Eip712Domain::new(
        Some("Medlock".into()),
        Some("1".into()),
        Some(U256::from(chain_id)),
        Some(contract),
        None,
    )
}

sol! {
    /// A reader's statement of one read, made before the envelope is served.
    #[derive(Debug, PartialEq, Eq)]
    struct ReadReceipt {
        bytes32 chart;
        bytes32 recordId;
        uint32 version;
        bytes32 pointer;
        address reader;
        /// The organisation that the reader acts for, as its member; zero: for themselves.
        address organisation;
        uint32 purpose;
        /// The gateway it is addressed to; another must refuse it.
        address gateway;
        /// UNIX seconds by the reader's clock.
        uint64 readAt;
        /// Random; a gateway refuses one that it has seen.
        bytes32 nonce;
    }

    /// A gateway's answer to one question, without any data.
    #[derive(Debug, PartialEq, Eq)]
    struct Verdict {
        bytes32 chart;
        address grantee;
        uint8 compartment;
        bytes32 recordId;
        uint32 purpose;
        uint8 action;
        /// The time asked about, UNIX seconds.
        uint64 at;
        bool allowed;
        uint8 reason;
        /// The block whose state was consulted.
        uint64 blockNumber;
        bytes32 blockHash;
    }

    /// What a gateway signs of its answers to one request: the Merkle root (RFC 9162, keccak256) over the struct hashes of the
    /// [`Verdict`]s, in the order of the questions.
    #[derive(Debug, PartialEq, Eq)]
    struct Verdicts {
        bytes32 root;
        uint32 count;
    }

    /// The controller's statement that a compartment directory is theirs.
    #[derive(Debug, PartialEq, Eq)]
    struct CompartmentDirectory {
        bytes32 chart;
        uint32 version;
        /// sha2-256 of the directory's body (dag-cbor without the signature).
        bytes32 body;
    }

    /// The controller's statement that an emergency kit is theirs.
    #[derive(Debug, PartialEq, Eq)]
    struct EmergencyKit {
        bytes32 chart;
        uint32 directoryVersion;
        /// Of the chart's emergency access (`emergencyAccessOf`).
        uint32 serial;
        /// sha2-256 of the kit's body (dag-cbor without the signature).
        bytes32 body;
    }
}
