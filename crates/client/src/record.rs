//! What readers and writers of a chart do: add, amend, list and read records.

use std::{fmt::Display, ops::Range, sync::Arc};

use alloy::{
    eips::BlockNumberOrTag,
    primitives::{Address, B256, Log, keccak256},
    providers::Provider,
    rpc::types::Filter,
    sol_types::SolEvent,
};
use medlock_abi::{
    records::IRecords::{self, IRecordsErrors, NewRecord},
    signed, terms,
};
use medlock_api::{self as api, Purpose, Statement};
use medlock_dag::{Block, dag_cbor_block};
use medlock_vault::{
    Binding, CompartmentKeys, Directory, Envelope, Keyring, Metadata, PayloadSeal, Suite, Zeroizing, payload,
    rand_core::Rng, seal_payload,
};
use tokio::sync::Mutex;

use crate::{
    Client,
    chain::Mined,
    chart::{ChartState, digest},
    error::{Error, Result},
    fault::Fault,
    gateway::{ALL, PAYLOAD_BYTES_MOST, Payload},
    identity::{opened_by_one, rng},
    now,
};

/// How often a batch is sealed anew because the chart's keys were rotated under it.
const ROTATION_TRIES: u32 = 3;
/// Records of one transaction, and of one signed operation: about 3 million gas, a tenth of what a block takes.
const BATCH_RECORDS: usize = 64;
/// Plaintext of one batch; what is sealed is held in memory until it is uploaded.
const BATCH_BYTES: usize = 32 << 20;

/// The longest range that is read alone, in memory.
pub const RANGE_BYTES_MOST: u64 = 64 << 20;
/// What an opener of ranges wants of a payload's start, at most: header, metadata and its tag.
const START_BYTES_MOST: u64 = (payload::HEADER_BYTES + payload::METADATA_BYTES_MAX + payload::TAG_BYTES) as u64;

/// A record that is to be added.
#[derive(Debug, Clone)]
pub struct NewDocument {
    pub record_id: B256,
    pub compartment: u8,
    pub metadata: Metadata,
    pub content: Arc<[u8]>,
}

/// A record that was added or amended.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Stored {
    pub record_id: B256,
    pub version: u32,
    pub compartment: u8,
    /// CID of the envelope.
    pub envelope: String,
    /// CID of the payload.
    pub payload: String,
    pub mined: Mined,
}

/// A record that was read and verified; `content` is `()` where it went elsewhere.
pub struct Document<C = Zeroizing<Vec<u8>>> {
    pub record_id: B256,
    pub version: u32,
    pub compartment: u8,
    /// CID digest of the version before; zero for the first.
    pub previous: B256,
    pub pointer: B256,
    pub metadata: Metadata,
    pub content: C,
}

/// A version as it is stored: nobody without the compartment's key of that epoch can open it.
pub struct SealedDocument {
    pub binding: Binding,
    pub pointer: B256,
    pub envelope: Envelope,
    pub payload: Vec<u8>,
}

impl SealedDocument {
    /// # Errors
    /// [`Error::Tampered`] where the keys, the envelope and the payload do not belong together.
    pub fn open(&self, keys: &CompartmentKeys) -> Result<(Metadata, Zeroizing<Vec<u8>>)> {
        self.envelope
            .open_record(&self.binding, keys, &self.payload)
            .map_err(tampered("the record"))
    }
}

/// What a version is, by the chain's word.
struct Placed {
    version: u32,
    compartment: u8,
    pointer: B256,
    previous: B256,
}

/// A chart with the directory and keys that its records are sealed to: opened once, used for many records.
#[derive(Clone)]
pub struct OpenChart {
    pub(crate) client: Client,
    chart: B256,
    context: Arc<Mutex<Context>>,
}

#[derive(Clone)]
struct Context {
    state: ChartState,
    directory: Arc<Directory>,
    /// Of a grantee; the controller derives its keys. Fetched when first needed: a writer may hold none.
    keyring: Option<Arc<[CompartmentKeys]>>,
    /// Of who has broken the glass: put together when first needed, out of what custodians have released.
    emergency: Option<Arc<[CompartmentKeys]>>,
}

impl Client {
    /// Fetches the chart's directory.
    pub async fn chart(&self, chart: B256) -> Result<OpenChart> {
        let client = self.at_chart(chart).await?;
        let context = client.context(chart).await?;
        Ok(OpenChart {
            client,
            chart,
            context: Arc::new(Mutex::new(context)),
        })
    }

    /// Latest versions of the records that we may read.
    pub async fn records(&self, chart: B256, compartment: Option<u8>) -> Result<Vec<api::Version>> {
        let client = self.at_chart(chart).await?;
        client.gateway().await?.records(chart, compartment).await
    }

    /// An id for a record that this identity adds from `source`: the same source gives the same id, so a repeated
    /// import adds nothing twice, and nobody without the root secret can tell what it was made from.
    pub fn record_id(&self, chart: B256, source: &[u8]) -> B256 {
        self.record_id_of(chart, keccak256(source))
    }

    /// [`Client::record_id`] by a hash of the source.
    pub(crate) fn record_id_of(&self, chart: B256, source_hash: B256) -> B256 {
        let secret = self.identity.root().expose();
        // keccak256 is a sponge: keying by prefix is sound (it has no length extension).
        let mut input = Zeroizing::new(Vec::with_capacity(128));
        input.extend_from_slice(b"medlock/v1/record-id");
        input.extend_from_slice(secret);
        input.extend_from_slice(chart.as_slice());
        input.extend_from_slice(source_hash.as_slice());
        keccak256(&*input)
    }

    async fn context(&self, chart: B256) -> Result<Context> {
        let state = self.chart_state(chart).await?;
        let directory = self.directory(chart, &state).await?;
        Ok(Context {
            state,
            directory: Arc::new(directory),
            keyring: None,
            emergency: None,
        })
    }
}

impl OpenChart {
    pub fn id(&self) -> B256 {
        self.chart
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Encrypts, uploads and adds records, in batches; `progress` is told how many are done.
    /// Records that exist already are left as they are, and not in the answer.
    pub async fn add(&self, documents: Vec<NewDocument>, progress: impl Fn(u64)) -> Result<Vec<Stored>> {
        let mut stored = Vec::with_capacity(documents.len());
        let mut done = 0;
        for batch in batches(documents) {
            stored.extend(self.add_batch(&batch).await?);
            done += batch.len() as u64;
            progress(done);
        }
        Ok(stored)
    }

    /// Adds the next version of a record in the place of `before`, which must still be the latest: who corrects a
    /// record has read what it corrects. The version before stays readable and linked.
    pub async fn amend<C>(&self, before: &Document<C>, metadata: Metadata, content: &[u8]) -> Result<Stored> {
        let binding = self.next_version(before);
        let sealed = Sealed::new(&binding, &metadata, content)?;
        self.amend_sealed(binding, sealed).await
    }

    /// Where the version after `before` belongs.
    pub(crate) fn next_version<C>(&self, before: &Document<C>) -> Binding {
        self.binding(before.record_id, before.version + 1, before.pointer, before.compartment)
    }

    pub(crate) async fn amend_sealed(&self, binding: Binding, mut sealed: Sealed) -> Result<Stored> {
        let client = &self.client;
        for _ in 0..ROTATION_TRIES {
            let context = self.context.lock().await.clone();
            let envelope = sealed.envelope(&context.directory, &binding)?;
            let mut blocks = std::mem::take(&mut sealed.blocks);
            blocks.insert(0, envelope.clone());
            client.gateway().await?.upload(blocks).await?;
            let pointer = digest(&envelope)?;
            let call = IRecords::amendRecordCall {
                actor: client.address(),
                chart: self.chart,
                organisation: client.organisation().unwrap_or_default(),
                directoryVersion: context.state.directory_version,
                recordId: binding.record_id.into(),
                previous: binding.previous.into(),
                codec: terms::CODEC_DAG_CBOR,
                pointer,
            };
            match client.act(call).await {
                Ok(mined) => return Ok(sealed.stored(&binding, &envelope, mined)),
                Err(error) if is_rotation(&error) => self.refresh().await?,
                Err(error) => return Err(error),
            }
        }
        Err(Error::KeysRotated { chart: self.chart })
    }

    /// Marks a record as entered in error: it stays readable, and nobody amends it any more. For who may write there.
    ///
    /// # Errors
    /// [`Error::Contract`] where `pointer` is no more its latest version's.
    pub async fn enter_in_error(&self, record: B256, pointer: B256) -> Result<Mined> {
        let client = &self.client;
        let call = IRecords::enterInErrorCall {
            actor: client.address(),
            chart: self.chart,
            organisation: client.organisation().unwrap_or_default(),
            recordId: record,
            previous: pointer,
        };
        client.act(call).await
    }

    /// Whether a record was ended already.
    ///
    /// # Errors
    /// [`Error::UnknownRecord`].
    pub async fn is_shredded(&self, record: B256) -> Result<bool> {
        Ok(self.latest(record).await?.status == terms::record_status::SHREDDED)
    }

    /// Ends a record for good: nobody is served it again. [`OpenChart::erase`] has the gateway remove its keys; its next round of upkeep
    /// removes the rest.
    /// The chart's controller alone may do it. What a reader kept stays with the reader.
    pub async fn shred(&self, record: B256) -> Result<Mined> {
        let client = &self.client;
        let call = IRecords::shredRecordCall {
            actor: client.address(),
            chart: self.chart,
            recordId: record,
        };
        client.act(call).await
    }

    /// Reads one version (the latest without `version`): signs a receipt, fetches, verifies, decrypts.
    pub async fn read(&self, record: B256, version: Option<u32>, purpose: Purpose) -> Result<Document> {
        let sealed = self.fetch(record, version, purpose).await?;
        let keys = self.keys_of(&sealed.envelope).await?;
        let (metadata, content) = sealed.open(&keys)?;
        Ok(Document::new(&sealed.binding, sealed.pointer, metadata, content))
    }

    /// Fetches one version with its envelope and payload still sealed, each block checked against the chain's pointer.
    /// A read like any other: it signs a receipt.
    pub async fn fetch(&self, record: B256, version: Option<u32>, purpose: Purpose) -> Result<SealedDocument> {
        let (binding, pointer, envelope) = self.fetch_envelope(record, version, purpose).await?;
        self.fetch_payload(binding, pointer, envelope).await
    }

    /// The rest of [`OpenChart::fetch`], for an envelope whose receipt is on file.
    pub(crate) async fn fetch_payload(
        &self,
        binding: Binding,
        pointer: B256,
        envelope: Envelope,
    ) -> Result<SealedDocument> {
        let payload = self.payload(&binding, &envelope, PAYLOAD_BYTES_MOST, ALL).await?;
        Ok(SealedDocument {
            binding,
            pointer,
            envelope,
            payload: payload.collect().await?,
        })
    }

    /// Signs a receipt for one version: its place and pointer by the chain's word, and its envelope.
    pub(crate) async fn fetch_envelope(
        &self,
        record: B256,
        version: Option<u32>,
        purpose: Purpose,
    ) -> Result<(Binding, B256, Envelope)> {
        let gateway = self.client.gateway().await?;
        let placed = self.placed(record, version).await?;
        let receipt = api::Receipt {
            chart: self.chart,
            record_id: record,
            version: placed.version,
            pointer: placed.pointer,
            reader: self.client.address(),
            organisation: self.client.organisation().unwrap_or_default(),
            purpose,
            gateway: gateway.account(),
            read_at: now(),
            nonce: random(),
        };
        let deployment = &self.client.deployment;
        let domain = signed::domain(deployment.chain_id, deployment.records);
        let signature = self
            .client
            .identity
            .signer()
            .sign(&Statement::of(&receipt.statement()), &domain)
            .await?;
        let request = api::ReadRequest {
            receipt,
            signature: signature.into(),
        };
        let envelope = gateway.read(&request).await?;
        let envelope = Envelope::decode(&envelope).map_err(tampered("the envelope"))?;
        let binding = self.binding(record, placed.version, placed.previous, placed.compartment);
        Ok((binding, placed.pointer, envelope))
    }

    /// Bytes `range` of the content of one version (the latest without `version`): no more is fetched than proves and opens
    /// them. A read like any other: it signs a receipt. The whole content is not checked: only that these bytes are where they were
    /// put.
    ///
    /// # Errors
    /// Also [`Error::Usage`] where the range is empty or longer than [`RANGE_BYTES_MOST`], does not lie within the content, or the content
    /// was compressed, and has no ranges.
    pub async fn read_range(
        &self,
        record: B256,
        version: Option<u32>,
        purpose: Purpose,
        range: Range<u64>,
    ) -> Result<Document> {
        if range.is_empty() || range.end - range.start > RANGE_BYTES_MOST {
            let least_most = format!("a range has 1 to {RANGE_BYTES_MOST} bytes");
            return Err(Error::Usage(least_most));
        }
        let (binding, pointer, envelope) = self.fetch_envelope(record, version, purpose).await?;
        let keys = self.keys_of(&envelope).await?;
        let fetch = async |range: Range<u64>| {
            let bytes_most = envelope.payload_bytes;
            let range = range.start..range.end.min(bytes_most);
            let payload = self.payload(&binding, &envelope, bytes_most, range.clone()).await?;
            payload.collect_range(range).await
        };
        let start = fetch(0..START_BYTES_MOST).await?;
        let opener = envelope
            .open_ranges(&binding, &keys, &start)
            .map_err(tampered("the record"))?;
        // Of the caller's making, not of who sealed it.
        let usage = |error: medlock_vault::Error| Error::Usage(error.to_string());
        let sealed = fetch(opener.sealed_range(&range).map_err(usage)?).await?;
        let content = opener.open_range(&range, &sealed).map_err(tampered("the record"))?;
        Ok(Document::new(&binding, pointer, opener.metadata().clone(), content))
    }

    /// `range` of the payload of an envelope whose receipt is on file; the blocks that hold it, to be precise.
    pub(crate) async fn payload(
        &self,
        binding: &Binding,
        envelope: &Envelope,
        bytes_most: u64,
        range: Range<u64>,
    ) -> Result<Payload> {
        let gateway = self.client.gateway().await?;
        let place = (self.chart, binding.record_id.into(), binding.version);
        gateway.payload(place, envelope.payload, bytes_most, range).await
    }

    /// Has the gateway remove what it keeps of a record that was shredded, as far as that goes at once: what is left then.
    pub async fn erase(&self, record: B256) -> Result<api::Erasure> {
        self.client.gateway().await?.erase(self.chart, record).await
    }

    /// What the gateway keeps of a record that was shredded.
    pub async fn erasure(&self, record: B256) -> Result<api::Erasure> {
        self.client.gateway().await?.erasure(self.chart, record).await
    }

    /// The compartment keys that our keyring gives us, at the epochs it was sealed with.
    ///
    /// # Errors
    /// A refusal by the gateway where we have no grant and the keyring was not fetched before.
    pub async fn keyring(&self) -> Result<Arc<[CompartmentKeys]>> {
        let mut context = self.context.lock().await;
        if let Some(keyring) = &context.keyring {
            return Ok(keyring.clone());
        }
        let keyring: Arc<[_]> = self.fetch_keyring().await?.into();
        context.keyring = Some(keyring.clone());
        Ok(keyring)
    }

    async fn add_batch(&self, documents: &[NewDocument]) -> Result<Vec<Stored>> {
        let sealed = documents.iter().map(|document| {
            let binding = self.first_version(document.record_id, document.compartment);
            let sealed = Sealed::new(&binding, &document.metadata, &document.content)?;
            Ok((binding, sealed))
        });
        self.add_sealed(sealed.collect::<Result<_>>()?).await
    }

    /// Where a new record belongs.
    pub(crate) fn first_version(&self, record: B256, compartment: u8) -> Binding {
        self.binding(record, 1, B256::ZERO, compartment)
    }

    pub(crate) async fn add_sealed(&self, mut sealed: Vec<(Binding, Sealed)>) -> Result<Vec<Stored>> {
        let client = &self.client;
        for _ in 0..ROTATION_TRIES {
            if sealed.is_empty() {
                return Ok(Vec::new());
            }
            let context = self.context.lock().await.clone();
            // Payloads are uploaded once; only envelopes depend on the keys.
            let mut blocks = Vec::new();
            let mut envelopes = Vec::with_capacity(sealed.len());
            for (binding, one) in &mut sealed {
                let envelope = one.envelope(&context.directory, binding)?;
                envelopes.push(envelope.clone());
                blocks.push(envelope);
                blocks.append(&mut one.blocks);
            }
            client.gateway().await?.upload(blocks).await?;
            let mut records = Vec::with_capacity(sealed.len());
            for ((binding, _), envelope) in sealed.iter().zip(&envelopes) {
                records.push(NewRecord {
                    recordId: binding.record_id.into(),
                    compartment: binding.compartment,
                    codec: terms::CODEC_DAG_CBOR,
                    pointer: digest(envelope)?,
                });
            }
            let call = IRecords::addRecordsCall {
                actor: client.address(),
                chart: self.chart,
                organisation: client.organisation().unwrap_or_default(),
                directoryVersion: context.state.directory_version,
                records,
            };
            match client.act(call).await {
                Ok(mined) => {
                    let stored = sealed.iter().zip(&envelopes);
                    return Ok(stored
                        .map(|((binding, one), envelope)| one.stored(binding, envelope, mined))
                        .collect());
                }
                Err(error) if is_rotation(&error) => self.refresh().await?,
                Err(error) if is_existing(&error) => {
                    let mut new = Vec::with_capacity(sealed.len());
                    for (binding, one) in sealed {
                        if !self.is_ours(binding.record_id.into(), binding.compartment).await? {
                            new.push((binding, one));
                        }
                    }
                    sealed = new;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::KeysRotated { chart: self.chart })
    }

    /// Whether we added this record before. An id that somebody else took is an error, not a success: their bytes
    /// stand there, not ours.
    pub(crate) async fn is_ours(&self, record: B256, compartment: u8) -> Result<bool> {
        let found = self.on_chain(record).await?;
        if found.version == 0 {
            return Ok(false);
        }
        let author = match found.version {
            1 => found.author,
            // Somebody may have amended it since; who added it stands in the first version's event.
            _ => self.first_author(record).await?,
        };
        if author != self.client.address() || found.compartment != compartment {
            return Err(Error::RecordTaken { record, author });
        }
        Ok(true)
    }

    async fn first_author(&self, record: B256) -> Result<Address> {
        let listed = self.listed(record, 1).await?;
        let log = self.event(record, 1, listed.block).await?;
        let (author, _) = first_version(&log).map_err(|error| Error::Tampered {
            what: format!("version 1 of record {record}"),
            detail: error.to_string(),
        })?;
        Ok(author)
    }

    pub(crate) async fn on_chain(&self, record: B256) -> Result<IRecords::recordOfReturn> {
        let call = IRecords::recordOfCall {
            chart: self.chart,
            recordId: record,
        };
        self.client.chain.call(self.client.deployment.records, call).await
    }

    pub(crate) async fn latest(&self, record: B256) -> Result<IRecords::recordOfReturn> {
        let latest = self.on_chain(record).await?;
        if latest.version == 0 {
            return Err(Error::UnknownRecord { record });
        }
        Ok(latest)
    }

    /// Storage holds the latest pointer alone. For everything else the gateway says in which block a version was
    /// written, and the event in that block says whether that is so.
    async fn placed(&self, record: B256, version: Option<u32>) -> Result<Placed> {
        let latest = self.latest(record).await?;
        let version = version.unwrap_or(latest.version);
        if version == 1 && latest.version == 1 {
            return Ok(Placed {
                version,
                compartment: latest.compartment,
                pointer: latest.pointer,
                previous: B256::ZERO,
            });
        }
        if version == 0 || version > latest.version {
            return Err(Error::UnknownVersion {
                record,
                version,
                latest: latest.version,
            });
        }
        let listed = self.listed(record, version).await?;
        let (pointer, previous) = self.written(record, version, listed.block).await?;
        Ok(Placed {
            version,
            compartment: latest.compartment,
            pointer,
            previous,
        })
    }

    /// What the gateway says of a version: where to look, not what to believe.
    async fn listed(&self, record: B256, version: u32) -> Result<api::Version> {
        let listed = self.client.gateway().await?.versions(self.chart, record).await?;
        let latest = listed.len() as u32;
        listed
            .into_iter()
            .find(|listed| listed.version == version)
            .ok_or(Error::UnknownVersion {
                record,
                version,
                latest,
            })
    }

    /// Pointer and previous pointer of a version, from its event in `block`.
    async fn written(&self, record: B256, version: u32, block: u64) -> Result<(B256, B256)> {
        let log = self.event(record, version, block).await?;
        let tampered = |error: alloy::sol_types::Error| Error::Tampered {
            what: format!("version {version} of record {record}"),
            detail: error.to_string(),
        };
        if version == 1 {
            let (_, pointer) = first_version(&log).map_err(tampered)?;
            return Ok((pointer, B256::ZERO));
        }
        let event = IRecords::RecordAmended::decode_log(&log).map_err(tampered)?;
        Ok((event.pointer, event.previous))
    }

    /// The event that wrote a version, in `block`.
    async fn event(&self, record: B256, version: u32, block: u64) -> Result<Log> {
        let signature = match version {
            1 => vec![
                IRecords::RecordAdded::SIGNATURE_HASH,
                IRecords::RecordTakenFromBatch::SIGNATURE_HASH,
            ],
            _ => vec![IRecords::RecordAmended::SIGNATURE_HASH],
        };
        let filter = Filter::new()
            .address(self.client.deployment.records)
            .event_signature(signature)
            .topic1(self.chart)
            .topic2(record)
            .from_block(BlockNumberOrTag::Number(block))
            .to_block(BlockNumberOrTag::Number(block));
        let logs = self
            .client
            .chain
            .provider()
            .get_logs(&filter)
            .await
            .map_err(|error| self.client.chain.error("eth_getLogs", error))?;
        logs.into_iter()
            .map(|log| log.inner)
            .find(|log| {
                version == 1 || IRecords::RecordAmended::decode_log(log).is_ok_and(|event| event.version == version)
            })
            .ok_or_else(|| Error::Tampered {
                what: format!("version {version} of record {record}"),
                detail: format!("the gateway says it was written in block {block}; the chain has no such event there"),
            })
    }

    /// The keys that open an envelope's data key.
    pub(crate) async fn keys_of(&self, envelope: &Envelope) -> Result<CompartmentKeys> {
        self.keys(envelope.compartment, envelope.epoch, envelope.suite).await
    }

    /// The private keys of a compartment at an epoch, under the suite that the envelope names: derived by the controller, from the keyring for everybody else.
    async fn keys(&self, compartment: u8, epoch: u32, suite: Suite) -> Result<CompartmentKeys> {
        match self.held_keys(compartment, epoch, suite).await {
            Err(Error::Vault(_) | Error::NoCompartmentKey { .. }) => {
                // The keys may have been rotated since this chart was opened.
                self.refresh().await?;
                self.held_keys(compartment, epoch, suite).await
            }
            other => other,
        }
    }

    async fn held_keys(&self, compartment: u8, epoch: u32, suite: Suite) -> Result<CompartmentKeys> {
        let client = &self.client;
        let context = self.context.lock().await.clone();
        if context.state.controller == client.address() {
            let root = client.identity.root();
            return Ok(CompartmentKeys::derive(root, &self.chart.0, compartment, epoch, suite)?);
        }
        let no_key = |detail: String| Error::NoCompartmentKey {
            compartment,
            epoch,
            detail,
        };
        let at_epoch = |keys: &[CompartmentKeys]| {
            let held = keys.iter().find(|keys| keys.compartment == compartment);
            let held = held.ok_or_else(|| no_key("it holds no key of that compartment".into()))?;
            let keys = context.directory.body.keys_at_epoch(held, epoch);
            keys.map_err(|error| no_key(error.to_string()))
        };
        // Once put together, the kit's keys are what is needed most.
        if let Some(Ok(keys)) = context.emergency.as_deref().map(at_epoch) {
            return Ok(keys);
        }
        let granted = match self.keyring().await {
            Ok(keyring) => at_epoch(&keyring),
            Err(error) if error.is_refusal() => Err(error),
            Err(error) => return Err(error),
        };
        match granted {
            // What is readable beside a grant, or without one, is so because the glass is broken.
            Err(_) if client.has_broken_glass(self.chart).await? => at_epoch(&self.emergency_keys().await?),
            granted => granted,
        }
    }

    /// The keys of the chart's emergency kit, at the epochs that stand.
    async fn emergency_keys(&self) -> Result<Arc<[CompartmentKeys]>> {
        let mut context = self.context.lock().await;
        if let Some(keys) = &context.emergency {
            return Ok(keys.clone());
        }
        let keys: Arc<[_]> = self.client.emergency_keys(self.chart).await?.keys.into();
        context.emergency = Some(keys.clone());
        Ok(keys)
    }

    async fn fetch_keyring(&self) -> Result<Vec<CompartmentKeys>> {
        let client = &self.client;
        let bytes = client.gateway().await?.keyring(self.chart).await?;
        let keyring = Keyring::decode(&bytes).map_err(tampered("the keyring"))?;
        let grantee = client.grantee().into_array();
        let keys = client.grantee_keys();
        let opened = opened_by_one(keys, keyring.suite, "keyring", |key| {
            keyring.open(&client.domain(), &self.chart.0, &grantee, key)
        });
        let error = match opened {
            Ok(keys) => return Ok(keys),
            Err(error) => error,
        };
        // Where the organisation that we act for has published another key since we were given its keys, it is sealed to that one.
        client.has_newest_keys().await?;
        Err(tampered("the keyring")(error))
    }

    async fn refresh(&self) -> Result<()> {
        let fresh = self.client.context(self.chart).await?;
        *self.context.lock().await = fresh;
        Ok(())
    }

    fn binding(&self, record: B256, version: u32, previous: B256, compartment: u8) -> Binding {
        let domain = self.client.domain();
        Binding {
            chain_id: domain.chain_id,
            records: domain.records,
            chart: self.chart.0,
            record_id: record.0,
            version,
            previous: previous.0,
            compartment,
        }
    }
}

/// Author and pointer of version 1, from the event that made the record: of its own, or out of a batch.
fn first_version(log: &Log) -> alloy::sol_types::Result<(Address, B256)> {
    if log.topics().first() == Some(&IRecords::RecordTakenFromBatch::SIGNATURE_HASH) {
        let event = IRecords::RecordTakenFromBatch::decode_log(log)?;
        return Ok((event.author, event.pointer));
    }
    let event = IRecords::RecordAdded::decode_log(log)?;
    Ok((event.author, event.pointer))
}

/// One version's payload, sealed.
pub(crate) struct Sealed {
    pub root: medlock_dag::Cid,
    pub seal: PayloadSeal,
    /// Those that are not uploaded yet.
    pub blocks: Vec<Block>,
}

impl Sealed {
    fn new(binding: &Binding, metadata: &Metadata, content: &[u8]) -> Result<Self> {
        let payload = seal_payload(&mut rng(), binding, metadata, content)?;
        let (root, blocks) = medlock_dag::file(&payload.bytes);
        Ok(Self {
            root,
            seal: payload.seal,
            blocks,
        })
    }

    /// The envelope's block, sealed to the compartment's present key.
    fn envelope(&self, directory: &Directory, binding: &Binding) -> Result<Block> {
        let entry = directory.body.entry(binding.compartment)?;
        let envelope = Envelope::seal(&mut rng(), binding, entry.epoch, &entry.key, self.root, &self.seal)?;
        Ok(dag_cbor_block(envelope.encode()))
    }

    fn stored(&self, binding: &Binding, envelope: &Block, mined: Mined) -> Stored {
        Stored {
            record_id: binding.record_id.into(),
            version: binding.version,
            compartment: binding.compartment,
            envelope: envelope.cid.to_string(),
            payload: self.root.to_string(),
            mined,
        }
    }
}

impl<C> Document<C> {
    pub(crate) fn new(binding: &Binding, pointer: B256, metadata: Metadata, content: C) -> Self {
        Self {
            record_id: binding.record_id.into(),
            version: binding.version,
            compartment: binding.compartment,
            previous: binding.previous.into(),
            pointer,
            metadata,
            content,
        }
    }
}

fn batches(documents: Vec<NewDocument>) -> Vec<Vec<NewDocument>> {
    let mut batches: Vec<Vec<NewDocument>> = Vec::new();
    let mut bytes = 0;
    for document in documents {
        let fits = bytes + document.content.len() <= BATCH_BYTES;
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_RECORDS && fits => {
                bytes += document.content.len();
                batch.push(document);
            }
            _ => {
                bytes = document.content.len();
                batches.push(vec![document]);
            }
        }
    }
    batches
}

fn is_rotation(error: &Error) -> bool {
    matches!(
        error,
        Error::Contract {
            fault: Fault::Records(IRecordsErrors::DirectoryVersion(_)),
            ..
        }
    )
}

fn is_existing(error: &Error) -> bool {
    matches!(
        error,
        Error::Contract {
            fault: Fault::Records(IRecordsErrors::RecordExists(_)),
            ..
        }
    )
}

pub(crate) fn tampered<E: Display>(what: &'static str) -> impl Fn(E) -> Error {
    move |error: E| Error::Tampered {
        what: what.into(),
        detail: error.to_string(),
    }
}

pub(crate) fn random() -> B256 {
    let mut bytes = B256::ZERO;
    rng().fill_bytes(bytes.as_mut_slice());
    bytes
}
