//! What the controller of a chart does: open it, grant, revoke, see who read.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, B256, keccak256};
use medlock_abi::{
    audit::IAudit,
    records::IRecords::{self, GrantTerms},
    signed, terms,
};
use medlock_api as api;
use medlock_dag::{Block, dag_cbor_block};
use medlock_vault::{
    CompartmentKeys, Directory, DirectoryBody, Keyring, KeyringScope, PublicKey, Suite, rand_core::Rng,
};

use crate::{
    Client,
    chain::Mined,
    emergency::Renewal,
    error::{Error, Result},
    identity::rng,
    now, signer_of,
};

/// A chart's state on chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChartState {
    pub controller: Address,
    pub grant_epoch: u32,
    pub directory_version: u32,
    pub directory: B256,
    /// Moves on whenever control of the chart passes to another.
    pub control_epoch: u32,
    /// All grants were ended, and the keys not rotated yet.
    pub rotation_due: bool,
}

/// One read of one of the controller's records, with its proof checked.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Read {
    #[serde(flatten)]
    pub entry: api::ReadEntry,
    /// The reader signed it, it is there once, and it fits its neighbours in the chain of receipts.
    pub proven: bool,
    /// Whether that could be found out. Not where the reader may be a contract, and our node has the state no more of the block at which
    /// it is to be asked: then a receipt that is not proven need not be a false one.
    pub checkable: bool,
    /// Whether it stands on chain.
    pub anchoring: Anchoring,
    /// It rests on emergency access: on nobody's word but the reader's.
    pub break_glass: bool,
}

/// What stands on chain for an anchor's index and the block that the gateway names: the anchor, and the block if it has it.
type Asked = BTreeMap<(u64, Option<u64>), (B256, Option<u64>)>;

/// Whether the chain has an anchor over an entry of the read log, by the chain itself and not by the gateway's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Anchoring {
    /// `block`: where; absent where the chain does not show the event in the block that the gateway names.
    Anchored { index: u64, block: Option<u64> },
    /// Not yet: it waits since then (UNIX seconds), by the gateway's clock.
    Waiting { since: u64 },
    /// The gateway says it is, and its path or its anchor is not what stands on chain.
    Refuted { index: u64 },
}

impl Client {
    /// Opens a chart with these compartments and their labels, whose keys are of `suite`. The id is drawn here and derived
    /// from nothing.
    pub async fn open_chart(&self, labels: &BTreeMap<u8, String>, suite: Suite) -> Result<(B256, Mined)> {
        let mut chart = B256::ZERO;
        rng().fill_bytes(chart.as_mut_slice());
        let compartments = labels.keys().map(|number| (*number, suite)).collect();
        let body = DirectoryBody::first(&mut rng(), self.identity.root(), &chart.0, &compartments, labels)?;
        let block = dag_cbor_block(self.signed(body).await?.encode());
        let directory = digest(&block)?;
        self.gateway().await?.upload(vec![block]).await?;
        let call = IRecords::openChartCall {
            actor: self.address(),
            chart,
            directory,
        };
        let mined = self.act(call).await?;
        Ok((chart, mined))
    }

    /// # Errors
    /// [`Error::UnknownChart`].
    pub async fn chart_state(&self, chart: B256) -> Result<ChartState> {
        let state = self
            .chain
            .call(self.deployment.records, IRecords::chartOfCall { chart })
            .await?;
        if state.controller.is_zero() {
            return Err(Error::UnknownChart { chart });
        }
        Ok(ChartState {
            controller: state.controller,
            grant_epoch: state.grantEpoch,
            directory_version: state.directoryVersion,
            directory: state.directory,
            control_epoch: state.controlEpoch,
            rotation_due: state.rotationDue,
        })
    }

    /// The directory that stands on chain, checked against its digest there and the controller's signature.
    pub async fn directory(&self, chart: B256, state: &ChartState) -> Result<Directory> {
        let client = self.where_controlled_by(state.controller);
        let bytes = client.gateway().await?.directory(chart, state.directory).await?;
        let tampered = |error: medlock_vault::Error| Error::Tampered {
            what: "the directory".into(),
            detail: error.to_string(),
        };
        let directory = Directory::decode(&bytes).map_err(tampered)?;
        directory.verify(&self.domain(), state.controller).map_err(tampered)?;
        if directory.body.chart != chart.0 || directory.body.version != state.directory_version {
            return Err(Error::Tampered {
                what: "the directory".into(),
                detail: "it is of another chart or version".into(),
            });
        }
        Ok(directory)
    }

    /// The charts that we control. The gateway names them; the chain says whether it is true.
    pub async fn charts(&self) -> Result<Vec<(api::Chart, ChartState)>> {
        let mut ours = Vec::new();
        for listed in self.gateway().await?.charts().await? {
            match self.controlled(listed.chart).await {
                Ok(state) => ours.push((listed, state)),
                // Given away since.
                Err(Error::NotController { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ours)
    }

    /// The names of a chart's compartments, which its controller alone can open.
    pub fn labels(&self, directory: &Directory) -> Result<BTreeMap<u8, String>> {
        Ok(directory.body.open_labels(self.identity.root())?)
    }

    /// Sets or replaces a grant, and hands the grantee the keys that go with it, history included.
    pub async fn grant(&self, chart: B256, grantee: Address, terms: GrantTerms) -> Result<Mined> {
        let state = self.controlled(chart).await?;
        // A narrower grant would leave the grantee with keys that no later revocation rotates.
        let present = self.standing_grant(chart, grantee, state.grant_epoch).await?;
        let held = present.as_ref().map_or(0, |present| readable(&present.terms));
        if held & !readable(&terms) != 0 {
            return Err(Error::GrantNarrowed { grantee });
        }
        let directory = self.directory(chart, &state).await?;
        let block = self.keyring_block(chart, grantee, &terms, &directory).await?;
        let keyring = digest(&block)?;
        self.gateway().await?.upload(vec![block]).await?;
        let call = IRecords::grantCall {
            actor: self.address(),
            chart,
            directoryVersion: state.directory_version,
            grantee,
            // What was read above is replaced, and nothing that another device of ours has granted since.
            serial: present.map_or(0, |present| present.serial),
            terms,
            keyring,
        };
        self.act(call).await
    }

    /// Ends a grant, rotates the keys it held, and re-seals them to those who stay: one transaction.
    pub async fn revoke(&self, chart: B256, grantee: Address) -> Result<Revoked> {
        let state = self.controlled(chart).await?;
        let grant = self.standing_grant(chart, grantee, state.grant_epoch).await?;
        let revoked = grant.ok_or(Error::NoGrant { grantee })?.terms;
        let (expired, staying) = self.others(chart, &state, grantee).await?;
        // Whose time is over holds keys as well, and gets no new ones.
        let lost = expired
            .iter()
            .fold(readable(&revoked), |mask, terms| mask | readable(terms));
        let next = self.rotated(chart, &state, lost, None).await?;
        let Resealed { mut keyrings, waiting } = self.reseal(chart, &staying, lost, &next.directory).await?;
        let resealed = keyrings.iter().map(|keyring| keyring.grantee).collect();
        if keyrings.len() > terms::BATCH_MOST {
            self.own_transactions()?;
        }
        // More grantees than one transaction takes receive theirs right after it.
        let later = keyrings.split_off(keyrings.len().min(terms::BATCH_MOST));
        let revoke = IRecords::revokeCall {
            actor: self.address(),
            chart,
            grantee,
            version: next.version,
            directory: next.digest,
            keyrings,
        };
        let mined = self.act(revoke).await?;
        self.set_keyrings(chart, next.version, &later).await?;
        Ok(Revoked {
            mined,
            resealed,
            waiting,
            kit: self.renew_kit(chart, &next.directory).await,
        })
    }

    /// Moves every compartment to a new epoch, under `suite` where that is to change, and re-seals the keys to all
    /// grantees. What was sealed before stays sealed as it was.
    pub async fn rotate(&self, chart: B256, suite: Option<Suite>) -> Result<Rotated> {
        let state = self.controlled(chart).await?;
        // Nobody's grant is revoked.
        let (_, staying) = self.others(chart, &state, Address::ZERO).await?;
        let next = self.rotated(chart, &state, u64::MAX, suite).await?;
        let Resealed { keyrings, waiting } = self.reseal(chart, &staying, u64::MAX, &next.directory).await?;
        if !keyrings.is_empty() {
            self.own_transactions()?;
        }
        let mined = self.set_directory(chart, &next).await?;
        self.set_keyrings(chart, next.version, &keyrings).await?;
        Ok(Rotated {
            mined,
            resealed: keyrings.iter().map(|keyring| keyring.grantee).collect(),
            waiting,
            kit: self.renew_kit(chart, &next.directory).await,
        })
    }

    async fn set_directory(&self, chart: B256, next: &NextDirectory) -> Result<Mined> {
        let call = IRecords::setDirectoryCall {
            actor: self.address(),
            chart,
            version: next.version,
            directory: next.digest,
        };
        self.act(call).await
    }

    async fn set_keyrings(&self, chart: B256, directory_version: u32, keyrings: &[IRecords::Keyring]) -> Result<()> {
        for batch in keyrings.chunks(terms::BATCH_MOST) {
            let call = IRecords::setKeyringsCall {
                actor: self.address(),
                chart,
                directoryVersion: directory_version,
                keyrings: batch.to_vec(),
            };
            self.send(self.deployment.records, call).await?;
        }
        Ok(())
    }

    /// Ends every grant, which needs the chain alone; then rotates every key, in a transaction of its own. Where the second
    /// fails, nobody can be granted anything or seal to the old keys until it has been made good: call again.
    ///
    /// # Errors
    /// Those of the second step leave the grants ended.
    pub async fn revoke_all(&self, chart: B256) -> Result<RevokedAll> {
        let mut state = self.controlled(chart).await?;
        let mut revoked = None;
        if !state.rotation_due {
            let call = IRecords::revokeAllCall {
                actor: self.address(),
                chart,
                epoch: state.grant_epoch + 1,
            };
            revoked = Some(self.act(call).await?);
            state = self.controlled(chart).await?;
        }
        let next = self.rotated(chart, &state, u64::MAX, None).await?;
        let rotated = self.set_directory(chart, &next).await?;
        let kit = self.renew_kit(chart, &next.directory).await;
        Ok(RevokedAll { revoked, rotated, kit })
    }

    /// Grants of a chart of ours, or, without a chart, those given to us, or to the organisation that we act for.
    pub async fn grants(&self, chart: Option<B256>) -> Result<Vec<api::Grant>> {
        let client = match chart {
            Some(chart) => self.at_chart(chart).await?,
            None => self.clone(),
        };
        client.gateway().await?.grants(chart).await
    }

    /// Who read what, when, and why, by the gateway's log. Each entry is checked: the reader signed it for this gateway (a contract is
    /// asked at the block of the entry), it is there once, and it fits its neighbours in the gateway's chain of receipts. Where the gateway says that it is
    /// anchored, path and anchor are checked against `audit` on chain. An anchored entry cannot be altered or moved any more; that none
    /// was left out is not shown, as other charts' entries are between those of one (ADR 18).
    pub async fn reads(&self, chart: B256) -> Result<Vec<Read>> {
        let (chain_id, records) = (self.deployment.chain_id, self.deployment.records);
        let gateway = self.gateway().await?;
        let entries = gateway.reads(chart).await?;
        let mut seen = BTreeSet::new();
        let mut before: Option<(u64, B256)> = None;
        let mut anchors = BTreeMap::new();
        let mut reads = Vec::with_capacity(entries.len());
        for entry in entries {
            let receipt = &entry.receipt;
            let fits = match before {
                None => true,
                Some((sequence, hash)) if sequence.checked_add(1) == Some(entry.sequence) => entry.previous == hash,
                Some((sequence, _)) => entry.sequence > sequence,
            };
            let is_whole = receipt.chart == chart
                && receipt.gateway == gateway.account()
                && seen.insert((receipt.reader, receipt.nonce))
                && fits
                && entry.reason == terms::reason::text(entry.reason_code)
                && entry.hash == entry.link_hash(chain_id, records);
            before = Some((entry.sequence, entry.hash));
            let signed = match is_whole {
                true => self.signed_by_reader(&entry).await?,
                false => Some(false),
            };
            let anchoring = self.anchoring(&entry, gateway.account(), &mut anchors).await?;
            let break_glass = entry.reason_code == terms::reason::EMERGENCY;
            reads.push(Read {
                entry,
                proven: signed == Some(true),
                checkable: signed.is_some(),
                anchoring,
                break_glass,
            });
        }
        Ok(reads)
    }

    /// Whether the reader has signed the entry's receipt: with a key, or, a contract, by its own word at the entry's block. `None`: our
    /// node does not know.
    async fn signed_by_reader(&self, entry: &api::ReadEntry) -> Result<Option<bool>> {
        let reader = entry.receipt.reader;
        let hash = entry
            .receipt
            .signing_hash(self.deployment.chain_id, self.deployment.records);
        match signer_of(&hash, &entry.signature) == Some(reader) {
            true => Ok(Some(true)),
            false => {
                self.chain
                    .confirms(entry.block_hash, reader, hash, &entry.signature)
                    .await
            }
        }
    }

    /// Whether the chain has the anchor that the gateway says an entry is under. `anchors`: what was asked before, by index and
    /// by the block that the gateway names.
    async fn anchoring(&self, entry: &api::ReadEntry, gateway: Address, anchors: &mut Asked) -> Result<Anchoring> {
        let since = entry.received_at;
        let Some(said) = &entry.anchor else {
            return Ok(Anchoring::Waiting { since });
        };
        let index = said.index;
        // The hash is recomputed: what is anchored is what the entry says. No other gateway's anchor counts.
        let is_whole = entry.hash == entry.link_hash(self.deployment.chain_id, self.deployment.records)
            && entry.receipt.gateway == gateway;
        let Some(stated) = entry.anchored_by().filter(|_| is_whole) else {
            return Ok(Anchoring::Refuted { index });
        };
        let asked = (index, said.block);
        let (standing, block) = match anchors.get(&asked) {
            Some(known) => *known,
            None => {
                let audit = self.deployment.audit;
                let standing = self.chain.call(audit, IAudit::anchorOfCall { gateway, index }).await?;
                let mut block = None;
                if let Some(number) = said.block.filter(|_| !standing.is_zero())
                    && self.chain.has_anchor(audit, number, standing).await?
                {
                    block = Some(number);
                }
                anchors.insert(asked, (standing, block));
                (standing, block)
            }
        };
        Ok(match standing {
            // A reorganisation took it back, or our node is behind the gateway's.
            B256::ZERO => Anchoring::Waiting { since },
            standing if standing == stated => Anchoring::Anchored { index, block },
            _ => Anchoring::Refuted { index },
        })
    }

    /// The state of a chart that we control.
    pub(crate) async fn controlled(&self, chart: B256) -> Result<ChartState> {
        let state = self.chart_state(chart).await?;
        if state.controller != self.address() {
            return Err(Error::NotController {
                chart,
                caller: self.address(),
            });
        }
        Ok(state)
    }

    /// A grant as it stands on chain, unless `revokeAll` has ended it.
    async fn standing_grant(
        &self,
        chart: B256,
        grantee: Address,
        epoch: u32,
    ) -> Result<Option<IRecords::grantOfReturn>> {
        let call = IRecords::grantOfCall { chart, grantee };
        let grant = self.chain.call(self.deployment.records, call).await?;
        Ok((grant.epoch == epoch && grant.serial != 0).then_some(grant))
    }

    /// Derives, signs and uploads the next directory, with the compartments in `held` one epoch on, under `suite` where
    /// that is to change.
    async fn rotated(&self, chart: B256, state: &ChartState, held: u64, suite: Option<Suite>) -> Result<NextDirectory> {
        let current = self.directory(chart, state).await?;
        let rotated = current
            .body
            .compartments
            .iter()
            .filter(|entry| held >> entry.compartment & 1 == 1)
            .map(|entry| (entry.compartment, suite.unwrap_or(entry.key.suite())))
            .collect();
        // The end of all grants has used one up.
        let version = state.directory_version + 1 + u32::from(state.rotation_due);
        let body = current.body.next(&mut rng(), self.identity.root(), version, &rotated)?;
        let directory = self.signed(body).await?;
        let block = dag_cbor_block(directory.encode());
        let next = NextDirectory {
            version,
            digest: digest(&block)?,
            directory,
        };
        self.gateway().await?.upload(vec![block]).await?;
        Ok(next)
    }

    /// The other grants of a chart: those whose time is over, and those in force or still to come. The gateway names
    /// the grantees; the chain says whether it is true.
    async fn others(
        &self,
        chart: B256,
        state: &ChartState,
        revoked: Address,
    ) -> Result<(Vec<GrantTerms>, BTreeMap<Address, GrantTerms>)> {
        let listed = self.for_ourselves().gateway().await?.grants(Some(chart)).await?;
        let named: BTreeSet<Address> = listed.into_iter().map(|grant| grant.grantee).collect();
        let (mut expired, mut staying) = (Vec::new(), BTreeMap::new());
        for grantee in named.into_iter().filter(|grantee| *grantee != revoked) {
            let grant = self.standing_grant(chart, grantee, state.grant_epoch).await?;
            match grant.map(|grant| grant.terms) {
                Some(terms) if terms.expiry != 0 && terms.expiry <= now() => expired.push(terms),
                Some(terms) => drop(staying.insert(grantee, terms)),
                None => (),
            }
        }
        Ok((expired, staying))
    }

    /// Seals the rotated keys to the grantees who stay and have a key to seal to, and uploads the keyrings.
    async fn reseal(
        &self,
        chart: B256,
        staying: &BTreeMap<Address, GrantTerms>,
        rotated: u64,
        directory: &Directory,
    ) -> Result<Resealed> {
        let mut blocks = Vec::new();
        let (mut keyrings, mut waiting) = (Vec::new(), Vec::new());
        for (grantee, terms) in staying.iter().filter(|(_, terms)| readable(terms) & rotated != 0) {
            let block = match self.keyring_block(chart, *grantee, terms, directory).await {
                // Who has revoked their key, or published a weaker one or none that is one, waits for a new grant; nobody holds
                // up the revocation of another.
                Err(
                    Error::NoPublishedKey { .. }
                    | Error::Vault(medlock_vault::Error::WeakerRecipient { .. } | medlock_vault::Error::BadPublicKey),
                ) => {
                    waiting.push(*grantee);
                    continue;
                }
                block => block?,
            };
            keyrings.push(IRecords::Keyring {
                grantee: *grantee,
                keyring: digest(&block)?,
            });
            blocks.push(block);
        }
        if !blocks.is_empty() {
            self.gateway().await?.upload(blocks).await?;
        }
        Ok(Resealed { keyrings, waiting })
    }

    async fn signed(&self, body: DirectoryBody) -> Result<Directory> {
        let domain = signed::domain(self.deployment.chain_id, self.deployment.records);
        let signature = self
            .identity
            .signer()
            .sign(&api::Statement::of(&body.statement()), &domain)
            .await?;
        Ok(body.with_signature(signature))
    }

    async fn keyring_block(
        &self,
        chart: B256,
        grantee: Address,
        terms: &GrantTerms,
        directory: &Directory,
    ) -> Result<Block> {
        let (key_version, key) = self.published_key(grantee).await?;
        let mut keys = Vec::new();
        // Who may not read needs no keys: a writer seals to the public ones.
        let readable = if terms.actions & terms::action::READ == 0 {
            0
        } else {
            terms.compartments
        };
        for compartment in (0..terms::COMPARTMENTS).filter(|number| readable >> number & 1 == 1) {
            let entry = directory.body.entry(compartment)?;
            keys.push(CompartmentKeys::derive(
                self.identity.root(),
                &chart.0,
                compartment,
                entry.epoch,
                entry.key.suite(),
            )?);
        }
        let scope = KeyringScope {
            chart: chart.0,
            grantee: grantee.into_array(),
            directory_version: directory.body.version,
            key_version,
        };
        let keyring = Keyring::seal(&mut rng(), &self.domain(), &scope, &key, &keys)?;
        Ok(dag_cbor_block(keyring.encode()))
    }

    /// A party's encryption key, not revoked. The gateway hands it out; its digest on chain says whether it is the one.
    pub(crate) async fn published_key(&self, party: Address) -> Result<(u32, PublicKey)> {
        let on_chain = self.published(party).await?;
        if !on_chain.current {
            return Err(Error::NoPublishedKey { party });
        }
        let key = self.gateway().await?.party_key(party, on_chain.version).await?;
        if keccak256(&key) != on_chain.digest {
            return Err(Error::Tampered {
                what: format!("the encryption key of {party}"),
                detail: "its digest is not the one on chain".into(),
            });
        }
        Ok((on_chain.version, PublicKey::new(Suite::new(on_chain.suite)?, &key)?))
    }
}

/// What a revocation did.
#[derive(Debug, Clone)]
pub struct Revoked {
    pub mined: Mined,
    /// Grantees who stay and received the rotated keys.
    pub resealed: Vec<Address>,
    /// Grantees who stay and whose published key nothing could be sealed to: grant them again once they have another.
    pub waiting: Vec<Address>,
    /// For who breaks the glass: the keys are others now.
    pub kit: Renewal,
}

/// What a rotation did; the fields are those of [`Revoked`].
#[derive(Debug, Clone, serde::Serialize)]
pub struct Rotated {
    pub mined: Mined,
    pub resealed: Vec<Address>,
    pub waiting: Vec<Address>,
    pub kit: Renewal,
}

/// What ending all grants did.
#[derive(Debug, Clone)]
pub struct RevokedAll {
    /// `None`: an earlier attempt ended them.
    pub revoked: Option<Mined>,
    pub rotated: Mined,
    /// As of [`Revoked`].
    pub kit: Renewal,
}

struct Resealed {
    keyrings: Vec<IRecords::Keyring>,
    waiting: Vec<Address>,
}

struct NextDirectory {
    version: u32,
    digest: B256,
    directory: Directory,
}

/// The compartments that a grant gives keys for.
fn readable(terms: &GrantTerms) -> u64 {
    match terms.actions & terms::action::READ {
        0 => 0,
        _ => terms.compartments,
    }
}

pub(crate) fn digest(block: &Block) -> Result<B256> {
    medlock_dag::digest(&block.cid)
        .map(B256::from)
        .map_err(|error| Error::Usage(error.to_string()))
}
