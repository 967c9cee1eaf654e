//! Request and response bodies, in the order of the routes.
use std::sync::LazyLock;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::SolStruct;
use medlock_abi::{records::IRecords, signed, terms::reason};
use medlock_consent::StateProof;
use serde::{Deserialize, Serialize};

use crate::{Action, Actions, Compartments, Purpose, Purposes, ReadEntry, RelayState, Roles};

/// What is left of something in a gateway's stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Remains {
    /// None of the stores has it.
    Gone,
    /// At least one has it.
    Present,
    /// One of the stores did not answer, or what it was called is not known.
    Unknown,
    /// The record's author pointed to another record's envelope: that is not this record's to remove.
    Foreign,
}

body! {
    /// `GET /health` (the process answers) and `GET /ready` (chain, index, store and database do too).
    pub struct Health {
        pub status: String,
    }

    /// `GET /v1/deployment`: what a client compares with its own deployment before it trusts an answer.
    pub struct Deployment {
        pub chain_id: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub genesis_hash: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub registry: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub records: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub exceptions: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub relay: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub audit: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub claims: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub supply: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub trials: Address,
        /// The account that signs this gateway's verdicts and that receipts are addressed to.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub gateway: Address,
        /// The block of the deployment.
        pub block: u64,
    }

    /// `GET /v1/status`.
    pub struct Status {
        /// The last block that the index holds.
        pub index_block: u64,
        /// The chain's head.
        pub chain_block: u64,
        pub lag_blocks: u64,
    }

    /// `POST /v1/sessions/challenge`.
    #[serde(deny_unknown_fields)]
    pub struct ChallengeRequest {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub account: Address,
    }

    pub struct Challenge {
        /// EIP-4361 text; see [`crate::siwe::Message::parse`].
        pub message: String,
    }

    /// `POST /v1/sessions`.
    #[serde(deny_unknown_fields)]
    pub struct SessionRequest {
        /// The challenge's message, unchanged.
        pub message: String,
        /// Over the EIP-191 digest of the message: 65 bytes r || s || v (s in the lower half, v 27 or 28), or, of an account that is a
        /// contract, what its `isValidSignature` takes (EIP-1271), wrapped as EIP-6492 has it where it is not deployed yet. At most 4,096 bytes.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::HexBytes))]
        pub signature: Bytes,
    }

    pub struct Session {
        /// For `Authorization: Bearer`. A secret: whoever holds it acts for the account until it expires.
        pub token: String,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub account: Address,
        /// UNIX seconds.
        pub expires_at: u64,
    }

    /// `POST /v1/blocks`: what was stored. The blocks are on disk when this is sent.
    pub struct Uploaded {
        pub blocks: u64,
        /// Sum of the blocks' own lengths.
        pub bytes: u64,
    }

    /// `POST /v1/blocks/missing`: so that an upload that was broken off can go on.
    #[serde(deny_unknown_fields)]
    pub struct BlocksAsked {
        /// sha2-256 digests, 1 to 512.
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Hex32>, min_items = 1, max_items = 512))]
        pub digests: Vec<B256>,
    }

    /// Those that are to be uploaded, in the order of the question. The others are as if they were uploaded now.
    pub struct BlocksMissing {
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Hex32>))]
        pub missing: Vec<B256>,
    }

    /// `GET, POST /v1/charts/{chart}/records/{record}/erasure`: what is left of a shredded record where this gateway keeps blocks.
    pub struct Erasure {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub chart: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub record_id: B256,
        /// Nothing of any version is left.
        pub complete: bool,
        /// Every version that there was, ascending.
        pub versions: Vec<ErasedVersion>,
    }

    pub struct ErasedVersion {
        pub version: u32,
        /// sha2-256 digest of the envelope.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub pointer: B256,
        /// With the envelope goes the sealed key of the payload: once it is gone, nobody can open what may be left of that.
        pub envelope: Remains,
        /// Goes with the gateway's upkeep, which knows whether another record has the same.
        pub payload: Remains,
        /// When the envelope's removal was first asked for here, UNIX seconds.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub erased_at: Option<u64>,
    }

    /// `GET /v1/charts/{chart}`.
    pub struct Chart {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub chart: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub controller: Address,
        pub grant_epoch: u32,
        pub directory_version: u32,
        /// sha2-256 digest of the directory block's CID (dag-cbor).
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub directory: B256,
        /// The block in which the controller got the chart: it was opened, or control was passed on.
        pub controlled_since_block: u64,
        /// UNIX seconds.
        pub controlled_since: u64,
    }

    /// One version of a record, as the chain has it.
    pub struct Version {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub record_id: B256,
        /// From 1.
        pub version: u32,
        pub compartment: u8,
        /// Of the record as it stands: `current`, `entered-in-error` or `shredded`.
        pub status: String,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub author: Address,
        /// UNIX seconds of the block; of a record taken from a batch, of the batch's.
        pub created_at: u64,
        /// sha2-256 digest of the envelope's CID (dag-cbor).
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub pointer: B256,
        pub block: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub tx: B256,
    }

    /// `GET /v1/charts/{chart}/records`: the latest version of each record in the compartments that the caller
    /// may read at present for at least one purpose, oldest record first.
    pub struct Records {
        pub records: Vec<Version>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// `GET /v1/charts/{chart}/records/{id}/versions`, oldest first.
    pub struct Versions {
        pub versions: Vec<Version>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// `GET /v1/charts/{chart}/reads`, by sequence.
    pub struct Reads {
        pub reads: Vec<ReadEntry>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// A grant as it stands at the index's head.
    pub struct Grant {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub chart: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub grantee: Address,
        pub compartments: Compartments,
        pub purposes: Purposes,
        pub actions: Actions,
        /// UNIX seconds; in force while `not_before <= now < expiry`.
        pub not_before: u64,
        /// UNIX seconds; 0: none.
        pub expiry: u64,
        /// sha2-256 digest of the keyring block's CID (dag-cbor).
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub keyring: B256,
        pub granted_block: u64,
        /// UNIX seconds of that block.
        pub granted_at: u64,
    }

    /// `GET /v1/charts`: those that the caller controls.
    pub struct Charts {
        pub charts: Vec<Chart>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// `GET /v1/charts/{chart}/grants` and `GET /v1/grants`: grants that were not revoked, expired ones included.
    pub struct Grants {
        pub grants: Vec<Grant>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// One account's membership of an organisation, as the index has it.
    pub struct Membership {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub organisation: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub member: Address,
        /// UNIX seconds; 0: none.
        pub expiry: u64,
        /// UNIX seconds.
        pub since: u64,
        /// The member may act for the organisation: neither the membership nor the organisation's credential has ended.
        pub in_force: bool,
        /// Of the organisation's keys that are kept here for the member, if any are.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub keys: Option<MembershipKeys>,
    }

    /// Which keys a sealed membership stands between.
    pub struct MembershipKeys {
        /// The newest of the organisation's keys in it, by its number in the registry.
        pub organisation_key_version: u32,
        /// The member's key that it is sealed to.
        pub member_key_version: u32,
        /// Neither of the two has published another key since.
        pub current: bool,
    }

    /// `GET /v1/memberships`: who is a member of the caller's, and of whom the caller is a member, oldest first.
    pub struct Memberships {
        pub memberships: Vec<Membership>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// Glass that was broken: a party opened a chart for itself, without a grant.
    pub struct Emergency {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub chart: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub party: Address,
        /// Whose credential was used; null: the party's own.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex20>))]
        pub organisation: Option<Address>,
        pub compartments: Compartments,
        /// Stable text: `unable-to-consent`, `life-threatening`, `public-danger` or `other`.
        pub reason: String,
        /// The code of `reason` (`medlock_abi::terms::emergency`).
        pub reason_code: u16,
        /// UNIX seconds of its block.
        pub opened_at: u64,
        /// UNIX seconds: when its time is over, unless it is ended before.
        pub until: u64,
        /// UNIX seconds: when it was closed before its time; null: it was not.
        pub closed_at: Option<u64>,
        /// By the chain, at present. It also ends with all grants of the chart, and where emergency access is forbidden.
        pub open: bool,
    }

    /// `GET /v1/charts/{chart}/emergencies`, newest first: to the controller all, to anybody else their own.
    pub struct Emergencies {
        pub emergencies: Vec<Emergency>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// An open emergency on a chart whose kit names the caller as a custodian. A hint: the chain says whether it is open.
    pub struct OpenEmergency {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub chart: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub party: Address,
        /// UNIX seconds.
        pub until: u64,
    }

    /// `GET /v1/custody`: those for which the caller has not released its share yet.
    pub struct Custody {
        pub emergencies: Vec<OpenEmergency>,
        /// Pass as `after` for the next page; absent on the last. A page may be empty and not be the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// A share that a custodian has sealed to the caller.
    pub struct EmergencyShare {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub custodian: Address,
        /// The sealed share (dag-cbor).
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::HexBytes))]
        pub share: Bytes,
    }

    /// `GET /v1/charts/{chart}/emergency/shares`: of the kit that stands, at most 32.
    pub struct EmergencyShares {
        pub shares: Vec<EmergencyShare>,
    }

    /// One question of `POST /v1/decisions`; the grantee is the caller.
    #[serde(deny_unknown_fields)]
    pub struct Question {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub chart: B256,
        pub compartment: u8,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub record_id: Option<B256>,
        pub purpose: Purpose,
        pub action: Action,
        /// UNIX seconds; absent: now.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub at: Option<u64>,
    }

    #[serde(deny_unknown_fields)]
    pub struct DecisionRequest {
        /// At most 10,000.
        pub questions: Vec<Question>,
        /// With a proof, from the block's hash, of each yes: of at most 16 questions.
        #[serde(default)]
        pub prove: bool,
    }

    /// An answer without any data: `Verdict` of `medlock_abi::signed`.
    pub struct Verdict {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub chart: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub grantee: Address,
        pub compartment: u8,
        /// Zero where the question named no record.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub record_id: B256,
        pub purpose: Purpose,
        pub action: Action,
        /// The time asked about, UNIX seconds.
        pub at: u64,
        pub allowed: bool,
        /// Stable text. What does not exist and what is not granted read the same.
        pub reason: String,
        /// The code of `reason` (`medlock_abi::terms::reason`); this is what is signed.
        pub reason_code: u8,
        /// The block whose state was consulted.
        pub block_number: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub block_hash: B256,
    }

    /// Answers in the order of the questions.
    pub struct DecisionReply {
        pub verdicts: Vec<Verdict>,
        /// 65 bytes r || s || v by the gateway over [`DecisionReply::signing_hash`].
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::HexBytes))]
        pub signature: Bytes,
        /// Where proofs were asked for, one for each verdict; null for a no.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
        pub proofs: Vec<Option<StateProof>>,
    }

    /// One verdict by itself, with what leads to the gateway's signature, and to the block's hash: a `verdict.json`.
    #[serde(deny_unknown_fields)]
    pub struct SignedVerdict {
        pub chain_id: u64,
        /// The `records` contract.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub records: Address,
        pub verdict: Verdict,
        /// Which of `count` verdicts it was, from 0.
        pub index: u32,
        pub count: u32,
        /// From the verdict's leaf to the root that was signed.
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::Hex32>))]
        pub path: Vec<B256>,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub root: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::HexBytes))]
        pub signature: Bytes,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
        pub proof: Option<StateProof>,
    }

    pub struct Credential {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub issuer: Address,
        pub roles: Roles,
        /// UNIX seconds: issued, or reinstated last.
        pub issued_at: u64,
        /// UNIX seconds; 0: none.
        pub expiry: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub document: B256,
        /// `issued`, `suspended` or `revoked`.
        pub status: String,
        /// In force: neither suspended nor revoked, not expired, its issuer not dismissed since.
        pub current: bool,
    }

    /// A published encryption key.
    pub struct PartyKey {
        pub version: u32,
        /// `medlock_abi::terms::suite`.
        pub suite: u16,
        /// UNIX seconds.
        pub valid_from: u64,
        /// UNIX seconds; 0: not revoked. Nobody seals to a revoked key.
        pub revoked_at: u64,
        /// The key itself, from the event. Check it against `keyOf(account).digest` = keccak256(key) on chain.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::HexBytes))]
        pub key: Bytes,
    }

    /// `GET /v1/parties/{account}`: what the registry has, which is public: the last credential and the newest key, in force
    /// or not. An account that it does not know has neither.
    pub struct Party {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub account: Address,
        pub credential: Option<Credential>,
        pub key: Option<PartyKey>,
    }

    /// `POST /v1/relay/operations`: submit this, and pay for it.
    #[serde(deny_unknown_fields)]
    pub struct RelayRequest {
        /// What it was signed for: another chain's or contract's is told apart from a bad signature.
        pub chain_id: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub relay: Address,
        /// Calldata of a method of `IRelay` that takes an operation and its signature.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::HexBytes))]
        pub call: Bytes,
    }

    /// A signed operation at a gateway: the answer to its submission, and `GET /v1/relay/operations/{id}`.
    pub struct RelayedOperation {
        /// The operation's EIP-712 digest.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub id: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub signer: Address,
        /// The method of `IRelay`.
        pub method: String,
        pub state: RelayState,
        /// UNIX seconds.
        pub accepted_at: u64,
        /// UNIX seconds; later than any time that fits here: 9223372036854775807.
        pub deadline: u64,
        /// What counts against the quota.
        pub gas_limit: u64,
        /// The transaction that it is in, or was in. A higher fee gives it another.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub tx: Option<B256>,
        /// Where that was mined.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub block: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub block_hash: Option<B256>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub gas_used: Option<u64>,
        /// The contract's error by its name in the ABI; `unknown`: it is none of ours.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub fault: Option<String>,
        /// The error as the contract encoded it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::HexBytes>))]
        pub revert: Option<Bytes>,
    }

    /// `GET /v1/relay/operations`: those that the caller has submitted or signed, oldest first.
    pub struct RelayedOperations {
        pub operations: Vec<RelayedOperation>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }
}

impl Verdict {
    /// The struct that is signed.
    pub fn statement(&self) -> signed::Verdict {
        signed::Verdict {
            chart: self.chart,
            grantee: self.grantee,
            compartment: self.compartment,
            recordId: self.record_id,
            purpose: self.purpose.bit(),
            action: self.action.bit(),
            at: self.at,
            allowed: self.allowed,
            reason: self.reason_code,
            blockNumber: self.block_number,
            blockHash: self.block_hash,
        }
    }

    /// The hash of its leaf in the tree whose root is signed.
    pub fn leaf(&self) -> B256 {
        // EIP-712's `hashStruct`. The type's own hash would be a third of the work, if it were made anew for each of 10,000 verdicts.
        static TYPE_HASH: LazyLock<B256> =
            LazyLock::new(|| keccak256(signed::Verdict::eip712_encode_type().as_bytes()));
        let data = [TYPE_HASH.as_slice(), &self.statement().eip712_encode_data()].concat();
        medlock_merkle::leaf(keccak, keccak256(data))
    }

    /// Answer, reason and its code say the same.
    pub fn is_consistent(&self) -> bool {
        self.allowed == reason::is_allowed(self.reason_code) && self.reason == reason::text(self.reason_code)
    }

    /// The question that it answers.
    pub fn question(&self) -> IRecords::Question {
        IRecords::Question {
            chart: self.chart,
            grantee: self.grantee,
            member: Address::ZERO,
            compartment: self.compartment,
            recordId: self.record_id,
            purpose: self.purpose.bit(),
            action: self.action.bit(),
        }
    }
}

impl DecisionReply {
    /// The EIP-712 digest that the gateway signs, for the deployment (`chain_id`, `records`).
    pub fn signing_hash(&self, chain_id: u64, records: Address) -> B256 {
        let root = self.tree().root().unwrap_or_default();
        verdicts_hash(root, self.verdicts.len() as u32, chain_id, records)
    }

    fn tree(&self) -> medlock_merkle::Tree {
        let leaves: Vec<_> = self.verdicts.iter().map(Verdict::leaf).collect();
        medlock_merkle::Tree::new(keccak, &leaves)
    }

    /// Each verdict by itself.
    pub fn signed(self, chain_id: u64, records: Address) -> Vec<SignedVerdict> {
        let (tree, count) = (self.tree(), self.verdicts.len() as u32);
        let root = tree.root().unwrap_or_default();
        let proofs = self.proofs.into_iter().chain(std::iter::repeat(None));
        let each = self.verdicts.into_iter().zip(proofs).enumerate();
        each.map(|(index, (verdict, proof))| SignedVerdict {
            chain_id,
            records,
            verdict,
            index: index as u32,
            count,
            path: tree.proof(index).unwrap_or_default(),
            root,
            signature: self.signature.clone(),
            proof,
        })
        .collect()
    }
}

impl SignedVerdict {
    /// The digest that the gateway must have signed. `None`: the verdict is not of this root.
    pub fn signing_hash(&self) -> Option<B256> {
        let leaf = self.verdict.leaf();
        medlock_merkle::verify(keccak, self.root, self.count, self.index, leaf, &self.path)
            .then(|| verdicts_hash(self.root, self.count, self.chain_id, self.records))
    }
}

fn verdicts_hash(root: B256, count: u32, chain_id: u64, records: Address) -> B256 {
    signed::Verdicts { root, count }.eip712_signing_hash(&signed::domain(chain_id, records))
}

fn keccak(bytes: &[u8]) -> B256 {
    keccak256(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_of_the_verdicts_eip_712_hash() {
        let verdict = Verdict {
            chart: B256::repeat_byte(1),
            grantee: Address::repeat_byte(2),
            compartment: 3,
            record_id: B256::repeat_byte(4),
            purpose: Purpose::from_bit(1).unwrap(),
            action: Action::READ,
            at: 5,
            allowed: true,
            reason: reason::text(reason::GRANT).into(),
            reason_code: reason::GRANT,
            block_number: 6,
            block_hash: B256::repeat_byte(7),
        };
        let hash = verdict.statement().eip712_hash_struct();
        assert_eq!(verdict.leaf(), medlock_merkle::leaf(keccak, hash));
    }
}
