//! The gateway as the client sees it: one method a route. It trusts nothing that comes back but a block's own hash.

use std::{
    collections::{HashSet, VecDeque},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use alloy::primitives::{Address, B256, bytes::Bytes};
use futures::{Stream, StreamExt};
use medlock_api::{self as api, claims::ClaimState, media_type, siwe};
use medlock_dag::{Block, FileReader, RAW, car, dag_cbor_cid};
use medlock_deployment::Deployment;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use crate::{
    chain::contract_error,
    claims::ClaimsOf,
    error::{Error, Result},
    now,
    platform::sleep,
    relay::check_id,
    signer::Signer,
};

/// Largest JSON answer or single block that is read into memory.
const ANSWER_BYTES_MOST: usize = 16 << 20;
/// Largest payload that is read into memory, ciphertext bytes: the largest content that the vault seals, with all that
/// sealing adds (at most an eighth of padding, and a tag for each 64 KiB).
pub const PAYLOAD_BYTES_MOST: u64 = medlock_vault::payload::CONTENT_BYTES_MAX / 4 * 5;
/// How often an answer "the index is behind" is asked again, and after which pause.
const BEHIND_TRIES: u32 = 40;
const BEHIND_PAUSE: Duration = Duration::from_millis(100);
/// What a gateway gives in one page, and after how many a listing without an end is given up.
const PAGE_ITEMS: u32 = 500;
const PAGES_MOST: u32 = 2_000;
/// How long a sign-in message may be good for. Gateways give theirs minutes; the rest is for clocks that differ.
const SIGN_IN_SECONDS_MOST: u64 = 3_600;
/// Digests in one question about what is missing: what a gateway takes.
const ASKED_MOST: usize = 512;
/// Of a payload: no part alone.
pub const ALL: Range<u64> = 0..u64::MAX;
/// In the place of a problem's kind, of an answer that is none.
const NO_PROBLEM: &str = "not-a-problem-document";
/// Blocks in one piece of an upload stream.
const UPLOAD_PIECE_BLOCKS: usize = 32;

#[cfg(not(target_arch = "wasm32"))]
fn http() -> reqwest::Result<reqwest::Client> {
    /// To connect, and between two pieces of an answer: a gateway that falls silent does not hold us for ever.
    const CONNECT_WAIT: Duration = Duration::from_secs(10);
    const READ_WAIT: Duration = Duration::from_secs(60);
    /// A connection that has been idle for as long is not used again: gateways close theirs after half a minute, and a request that meets the
    /// end of one may or may not have been read.
    const IDLE_WAIT: Duration = Duration::from_secs(15);
    reqwest::Client::builder()
        // A redirect would take session and receipts elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_WAIT)
        .read_timeout(READ_WAIT)
        .pool_idle_timeout(IDLE_WAIT)
        .build()
}

/// A browser has time-outs of its own; that a redirect takes nothing elsewhere is the page's content security policy.
#[cfg(target_arch = "wasm32")]
fn http() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().build()
}

#[derive(Clone)]
pub struct Gateway {
    http: reqwest::Client,
    base: String,
    deployment: Deployment,
    /// The account that signs verdicts and that receipts are addressed to.
    account: Address,
    signer: Signer,
    /// Whom we say we act for.
    organisation: Option<Address>,
    token: Arc<Mutex<Option<String>>>,
}

impl Gateway {
    /// Asks the gateway which deployment it serves, and refuses another than `deployment`.
    pub async fn connect(url: &str, deployment: &Deployment, signer: Signer) -> Result<Self> {
        let http = http().map_err(|error| Error::Usage(format!("cannot make an HTTP client: {error}")))?;
        let mut gateway = Self {
            http,
            base: url.trim_end_matches('/').to_owned(),
            deployment: deployment.clone(),
            account: Address::ZERO,
            signer,
            organisation: None,
            token: Arc::default(),
        };
        let served: api::Deployment = gateway.open(Method::GET, "/v1/deployment").await?;
        let differs = |field: &str| Error::OtherDeployment {
            detail: format!("its {field} is not ours"),
        };
        if served.chain_id != deployment.chain_id {
            return Err(differs("chain id"));
        }
        if served.genesis_hash != deployment.genesis_hash {
            return Err(differs("genesis block"));
        }
        let addresses = [
            served.registry,
            served.records,
            served.exceptions,
            served.relay,
            served.audit,
            served.claims,
            served.supply,
            served.trials,
        ];
        if addresses != deployment.contracts().map(|(_, address)| address) {
            return Err(differs("contract address"));
        }
        gateway.account = served.gateway;
        Ok(gateway)
    }

    pub fn account(&self) -> Address {
        self.account
    }

    /// The same session, in which we read for an organisation.
    pub(crate) fn acting_for(&self, organisation: Address) -> Self {
        Self {
            organisation: Some(organisation),
            ..self.clone()
        }
    }

    pub async fn status(&self) -> Result<api::Status> {
        self.open(Method::GET, "/v1/status").await
    }

    /// Waits a bounded time for the index to have a block. What one tells that never gets there, or says so falsely, is compared all the same.
    pub(crate) async fn reach(&self, block: u64) -> Result<()> {
        for _ in 0..BEHIND_TRIES {
            if self.status().await?.index_block >= block {
                break;
            }
            sleep(BEHIND_PAUSE).await;
        }
        Ok(())
    }

    pub async fn party(&self, account: Address) -> Result<api::Party> {
        self.open(Method::GET, &format!("/v1/parties/{account}")).await
    }

    /// The `version`th encryption key that a party published; waits a bounded time for the index to see it.
    pub async fn party_key(&self, account: Address, version: u32) -> Result<Vec<u8>> {
        for _ in 0..BEHIND_TRIES {
            if let Some(key) = self.party(account).await?.key
                && key.version >= version
            {
                return Ok(key.key.to_vec());
            }
            sleep(BEHIND_PAUSE).await;
        }
        Err(Error::GatewayAnswer {
            doing: format!("the encryption key of {account}"),
            detail: format!("version {version} stands on chain, the gateway does not have it"),
        })
    }

    /// The directory block with this digest.
    pub async fn directory(&self, chart: B256, digest: B256) -> Result<Vec<u8>> {
        let bytes = self
            .block(&format!("/v1/charts/{chart}/directory"), "directory")
            .await?;
        verified(digest, bytes, "the directory")
    }

    /// The caller's own keyring. Its digest is not checked here: it opens for nobody else and under no other
    /// chart, and a stale one opens nothing new.
    pub async fn keyring(&self, chart: B256) -> Result<Vec<u8>> {
        self.block(&format!("/v1/charts/{chart}/keyring"), "keyring").await
    }

    pub async fn records(&self, chart: B256, compartment: Option<u8>) -> Result<Vec<api::Version>> {
        let filter = compartment.map_or_else(String::new, |number| format!("&compartment={number}"));
        self.pages(
            &format!("/v1/charts/{chart}/records?limit={PAGE_ITEMS}{filter}"),
            |page: api::Records| (page.records, page.next),
        )
        .await
    }

    pub async fn versions(&self, chart: B256, record: B256) -> Result<Vec<api::Version>> {
        self.pages(
            &format!("/v1/charts/{chart}/records/{record}/versions?limit={PAGE_ITEMS}"),
            |page: api::Versions| (page.versions, page.next),
        )
        .await
    }

    /// Those that we control, by the index.
    pub async fn charts(&self) -> Result<Vec<api::Chart>> {
        self.pages(&format!("/v1/charts?limit={PAGE_ITEMS}"), |page: api::Charts| {
            (page.charts, page.next)
        })
        .await
    }

    /// Of a chart, or, without one, those given to us.
    pub async fn grants(&self, chart: Option<B256>) -> Result<Vec<api::Grant>> {
        let path = match chart {
            Some(chart) => format!("/v1/charts/{chart}/grants?limit={PAGE_ITEMS}"),
            None => format!("/v1/grants?limit={PAGE_ITEMS}"),
        };
        self.pages(&path, |page: api::Grants| (page.grants, page.next)).await
    }

    /// Claims of ours, or about a chart of ours, in the order in which they were submitted.
    pub async fn claims(&self, of: ClaimsOf, state: Option<ClaimState>) -> Result<Vec<api::claims::Claim>> {
        let of = whose(of);
        let state = state.map_or_else(String::new, |state| format!("&state={}", state.text()));
        let path = format!("/v1/claims?{of}{state}&limit={PAGE_ITEMS}");
        self.pages(&path, |page: api::claims::Claims| (page.claims, page.next))
            .await
    }

    /// The same that were submitted at `since` (UNIX seconds) or later, with the records that they rest on.
    pub async fn claim_facts(&self, of: ClaimsOf, since: u64) -> Result<Vec<api::claims::ClaimFacts>> {
        let path = format!("/v1/claims/facts?{}&since={since}&limit={PAGE_ITEMS}", whose(of));
        self.pages(&path, |page: api::claims::ClaimsFacts| (page.facts, page.next))
            .await
    }

    pub async fn claim(&self, claim: B256) -> Result<api::claims::ClaimHistory> {
        self.get(&format!("/v1/claims/{claim}")).await
    }

    /// A sealed document of a claim, unchecked.
    pub async fn claim_document(&self, claim: B256, document: B256) -> Result<Vec<u8>> {
        self.block(&format!("/v1/claims/{claim}/documents/{document}"), "document")
            .await
    }

    pub async fn insurer(&self, insurer: Address) -> Result<api::claims::Insurer> {
        self.get(&format!("/v1/insurers/{insurer}")).await
    }

    /// Shipments from us or to us, those that are open or all.
    pub async fn shipments(&self, from_us: bool, open: bool) -> Result<Vec<api::supply::Shipment>> {
        let side = if from_us { "sender" } else { "receiver" };
        let path = format!("/v1/supply/shipments?as={side}&open={open}&limit={PAGE_ITEMS}");
        self.pages(&path, |page: api::supply::Shipments| (page.shipments, page.next))
            .await
    }

    /// What we hold.
    pub async fn held_units(&self) -> Result<Vec<api::supply::Unit>> {
        let path = format!("/v1/supply/units?limit={PAGE_ITEMS}");
        self.pages(&path, |page: api::supply::Units| (page.units, page.next))
            .await
    }

    pub async fn recalls(&self) -> Result<Vec<api::supply::Recall>> {
        let path = format!("/v1/supply/recalls?limit={PAGE_ITEMS}");
        // The route gives a cursor for later too: the last page is an empty one.
        self.pages(&path, |page: api::supply::Recalls| (page.recalls, page.next))
            .await
    }

    /// How the unit with this package came to who holds it.
    pub async fn chain_of_custody(&self, batch: B256, package: u32) -> Result<api::supply::ChainOfCustody> {
        self.get(&format!("/v1/supply/batches/{batch}/custody/{package}")).await
    }

    /// All trials, in the order in which they were registered.
    pub async fn trials(&self) -> Result<Vec<api::trials::Trial>> {
        let path = format!("/v1/trials?limit={PAGE_ITEMS}");
        self.pages(&path, |page: api::trials::Trials| (page.trials, page.next))
            .await
    }

    pub async fn trial(&self, trial: B256) -> Result<api::trials::TrialHistory> {
        self.get(&format!("/v1/trials/{trial}")).await
    }

    pub async fn trial_sites(&self, trial: B256) -> Result<Vec<api::trials::TrialSite>> {
        let path = format!("/v1/trials/{trial}/sites?limit={PAGE_ITEMS}");
        self.pages(&path, |page: api::trials::TrialSites| (page.sites, page.next))
            .await
    }

    pub async fn trial_batches(&self, trial: B256) -> Result<Vec<api::trials::TrialBatch>> {
        let path = format!("/v1/trials/{trial}/batches?limit={PAGE_ITEMS}");
        self.pages(&path, |page: api::trials::TrialBatches| (page.batches, page.next))
            .await
    }

    /// Who is a member of ours, and of whom we are one.
    pub async fn memberships(&self) -> Result<Vec<api::Membership>> {
        self.pages(
            &format!("/v1/memberships?limit={PAGE_ITEMS}"),
            |page: api::Memberships| (page.memberships, page.next),
        )
        .await
    }

    /// The keys that an organisation has sealed to us, unchecked.
    pub async fn membership(&self, organisation: Address) -> Result<Vec<u8>> {
        self.block(&format!("/v1/memberships/{organisation}/keys"), "membership")
            .await
    }

    /// Has our keys kept that we have sealed to a member.
    pub async fn keep_membership(&self, member: Address, block: Vec<u8>) -> Result<()> {
        self.put_dag_cbor(&format!("/v1/memberships/{member}/keys"), block)
            .await
    }

    /// Has them removed.
    pub async fn drop_membership(&self, member: Address) -> Result<()> {
        let path = format!("/v1/memberships/{member}/keys");
        self.retrying(|token| self.request(Method::DELETE, &path, Some(token)))
            .await
            .map(|_| ())
    }

    pub async fn reads(&self, chart: B256) -> Result<Vec<api::ReadEntry>> {
        self.pages(
            &format!("/v1/charts/{chart}/reads?limit={PAGE_ITEMS}"),
            |page: api::Reads| (page.reads, page.next),
        )
        .await
    }

    pub async fn decisions(&self, questions: Vec<api::Question>, prove: bool) -> Result<api::DecisionReply> {
        self.post("/v1/decisions", &api::DecisionRequest { questions, prove })
            .await
    }

    /// Hands in a signed operation. The same one again is the same submission.
    pub async fn submit(&self, request: &api::RelayRequest) -> Result<api::RelayedOperation> {
        self.post("/v1/relay/operations", request).await
    }

    /// Where an operation of ours stands.
    pub async fn relayed(&self, operation: B256) -> Result<api::RelayedOperation> {
        check_id(operation, self.get(&format!("/v1/relay/operations/{operation}")).await?)
    }

    /// Those that we have submitted or signed, oldest first.
    pub async fn all_relayed(&self) -> Result<Vec<api::RelayedOperation>> {
        self.pages(
            &format!("/v1/relay/operations?limit={PAGE_ITEMS}"),
            |page: api::RelayedOperations| (page.operations, page.next),
        )
        .await
    }

    /// Uploads blocks as one CAR stream. They are on the gateway's disk when this returns.
    pub async fn upload(&self, blocks: Vec<Block>) -> Result<()> {
        let expected = blocks.len() as u64;
        let blocks = Arc::new(blocks);
        let answer = self
            .retrying(|token| {
                let body = car_body(&blocks);
                self.request(Method::POST, "/v1/blocks", Some(token))
                    .header(header::CONTENT_TYPE, media_type::CAR)
                    .body(body)
            })
            .await?;
        let uploaded: api::Uploaded = self.json("upload", answer).await?;
        if uploaded.blocks != expected {
            return Err(Error::GatewayAnswer {
                doing: "upload".into(),
                detail: format!("{expected} blocks were sent, {} stored", uploaded.blocks),
            });
        }
        Ok(())
    }

    /// Hands in a signed receipt; gets the envelope it is for, checked against the receipt's pointer.
    pub async fn read(&self, request: &api::ReadRequest) -> Result<Vec<u8>> {
        let receipt = &request.receipt;
        let path = format!(
            "/v1/charts/{}/records/{}/versions/{}/reads",
            receipt.chart, receipt.record_id, receipt.version
        );
        let answer = self
            .retrying(|token| self.request(Method::POST, &path, Some(token)).json(request))
            .await?;
        let bytes = self.bytes("envelope", answer).await?;
        verified(receipt.pointer, bytes, "the envelope")
    }

    /// Those of `blocks` that the gateway does not keep yet.
    pub async fn missing(&self, blocks: Vec<Block>) -> Result<Vec<Block>> {
        let mut missing = HashSet::new();
        for some in blocks.chunks(ASKED_MOST) {
            let digests = some.iter().map(|block| medlock_dag::digest(&block.cid).map(B256::from));
            let digests = digests.collect::<std::result::Result<_, _>>().map_err(tampered)?;
            let asked = api::BlocksAsked { digests };
            let answer = self
                .retrying(|token| {
                    self.request(Method::POST, "/v1/blocks/missing", Some(token))
                        .json(&asked)
                })
                .await?;
            missing.extend(self.json::<api::BlocksMissing>("missing blocks", answer).await?.missing);
        }
        let is_missing = |block: &Block| {
            let digest = medlock_dag::digest(&block.cid);
            digest.is_ok_and(|digest| missing.contains(&B256::from(digest)))
        };
        Ok(blocks.into_iter().filter(is_missing).collect())
    }

    /// See [`crate::OpenChart::erase`].
    pub async fn erase(&self, chart: B256, record: B256) -> Result<api::Erasure> {
        self.about_erasure(Method::POST, chart, record).await
    }

    /// See [`crate::OpenChart::erasure`].
    pub async fn erasure(&self, chart: B256, record: B256) -> Result<api::Erasure> {
        self.about_erasure(Method::GET, chart, record).await
    }

    /// The emergency kit of a chart, if there is one. What it says is not checked here.
    pub async fn emergency_kit(&self, chart: B256) -> Result<Option<Vec<u8>>> {
        let path = format!("/v1/charts/{chart}/emergency");
        let answer = self
            .retrying(|token| self.request(Method::GET, &path, Some(token)))
            .await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        Ok(Some(self.bytes("emergency kit", answer).await?))
    }

    /// In the place of the chart's earlier one.
    pub async fn put_emergency_kit(&self, chart: B256, kit: Vec<u8>) -> Result<()> {
        self.put_dag_cbor(&format!("/v1/charts/{chart}/emergency"), kit).await
    }

    pub async fn delete_emergency_kit(&self, chart: B256) -> Result<()> {
        let path = format!("/v1/charts/{chart}/emergency");
        self.retrying(|token| self.request(Method::DELETE, &path, Some(token)))
            .await
            .map(drop)
    }

    /// What custodians have sealed to us.
    pub async fn emergency_shares(&self, chart: B256) -> Result<Vec<api::EmergencyShare>> {
        let path = format!("/v1/charts/{chart}/emergency/shares");
        Ok(self.get::<api::EmergencyShares>(&path).await?.shares)
    }

    /// Hands in our share of a chart's kit, sealed to `party`.
    pub async fn release_share(&self, chart: B256, party: Address, share: Vec<u8>) -> Result<()> {
        self.put_dag_cbor(&format!("/v1/charts/{chart}/emergency/shares/{party}"), share)
            .await
    }

    /// Who has broken the chart's glass, newest first, by the index; of others than the controller, their own.
    pub async fn emergencies(&self, chart: B256) -> Result<Vec<api::Emergency>> {
        self.pages(
            &format!("/v1/charts/{chart}/emergencies?limit={PAGE_ITEMS}"),
            |page: api::Emergencies| (page.emergencies, page.next),
        )
        .await
    }

    /// Open emergencies that wait for a share of ours.
    pub async fn custody(&self) -> Result<Vec<api::OpenEmergency>> {
        self.pages(&format!("/v1/custody?limit={PAGE_ITEMS}"), |page: api::Custody| {
            (page.emergencies, page.next)
        })
        .await
    }

    async fn put_dag_cbor(&self, path: &str, body: Vec<u8>) -> Result<()> {
        self.retrying(|token| {
            self.request(Method::PUT, path, Some(token))
                .header(header::CONTENT_TYPE, media_type::DAG_CBOR)
                .body(body.clone())
        })
        .await
        .map(drop)
    }

    async fn about_erasure(&self, method: Method, chart: B256, record: B256) -> Result<api::Erasure> {
        let path = format!("/v1/charts/{chart}/records/{record}/erasure");
        let answer = self
            .retrying(|token| self.request(method.clone(), &path, Some(token)))
            .await?;
        self.json("erasure", answer).await
    }

    /// The blocks that hold `range` of the payload `root`, of at most `bytes_most`, as they come.
    pub async fn payload(
        &self,
        (chart, record, version): (B256, B256, u32),
        root: medlock_dag::Cid,
        bytes_most: u64,
        range: Range<u64>,
    ) -> Result<Payload> {
        let mut path = format!("/v1/charts/{chart}/records/{record}/versions/{version}/payload");
        if range != ALL {
            // The last byte is counted.
            path += &format!("?entity-bytes={}:{}", range.start, range.end.saturating_sub(1));
        }
        let answer = self
            .retrying(|token| self.request(Method::GET, &path, Some(token)))
            .await?;
        Ok(Payload {
            gateway: self.clone(),
            pieces: Box::pin(answer.bytes_stream()),
            // The file bounds them.
            blocks: Some(car::Reader::unbounded()),
            file: Some(FileReader::of_range(root, bytes_most, range).map_err(tampered)?),
            ready: VecDeque::new(),
        })
    }

    /// Ends every session of our account, on whichever device.
    pub async fn sign_out_everywhere(&self) -> Result<()> {
        self.retrying(|token| self.request(Method::DELETE, "/v1/sessions/all", Some(token)))
            .await?;
        *self.token.lock().await = None;
        Ok(())
    }

    async fn block(&self, path: &str, what: &str) -> Result<Vec<u8>> {
        let answer = self
            .retrying(|token| self.request(Method::GET, path, Some(token)))
            .await?;
        self.bytes(what, answer).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self
            .retrying(|token| self.request(Method::GET, path, Some(token)))
            .await?;
        self.json(path, answer).await
    }

    /// Every page of a listing. `path` has a query; `open` gives the items and the next page's cursor.
    async fn pages<P: DeserializeOwned, T>(
        &self,
        path: &str,
        open: impl Fn(P) -> (Vec<T>, Option<String>),
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let mut page_path = path.to_owned();
        for _ in 0..PAGES_MOST {
            let (page, next) = open(self.get(&page_path).await?);
            items.extend(page);
            match next {
                Some(next) => page_path = format!("{path}&after={next}"),
                None => return Ok(items),
            }
        }
        Err(Error::GatewayAnswer {
            doing: path.to_owned(),
            detail: format!("the listing does not end within {PAGES_MOST} pages"),
        })
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let answer = self
            .retrying(|token| self.request(Method::POST, path, Some(token)).json(body))
            .await?;
        self.json(path, answer).await
    }

    /// A route that needs no session.
    async fn open<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T> {
        let answer = self.send(self.request(method, path, None)).await?;
        self.json(path, answer).await
    }

    /// Sends with a session; signs in anew once where the session has ended, and waits a bounded time
    /// for an index that has not reached the block yet.
    async fn retrying(&self, build: impl Fn(&str) -> RequestBuilder) -> Result<Response> {
        let mut signed_in_anew = false;
        let mut behind = 0;
        loop {
            let token = self.session().await?;
            let error = match self.send(build(&token)).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match &error {
                Error::Problem { kind, .. } if *kind == api::Kind::IndexBehind.slug() && behind < BEHIND_TRIES => {
                    behind += 1;
                    sleep(BEHIND_PAUSE).await;
                }
                Error::Problem { status: 401, .. } if !signed_in_anew => {
                    signed_in_anew = true;
                    let mut held = self.token.lock().await;
                    if held.as_ref() == Some(&token) {
                        *held = None;
                    }
                }
                _ => return Err(error),
            }
        }
    }

    /// The session's token; signs in where there is none. One sign-in at a time.
    async fn session(&self) -> Result<String> {
        let mut held = self.token.lock().await;
        if let Some(token) = &*held {
            return Ok(token.clone());
        }
        let account = self.signer.address();
        let path = "/v1/sessions/challenge";
        let answer = self
            .send(
                self.request(Method::POST, path, None)
                    .json(&api::ChallengeRequest { account }),
            )
            .await?;
        let challenge: api::Challenge = self.json(path, answer).await?;
        self.check_challenge(&challenge.message)?;
        let signature = self.signer.sign_text(&challenge.message).await?;
        let request = api::SessionRequest {
            message: challenge.message,
            signature: signature.into(),
        };
        let path = "/v1/sessions";
        let answer = self.send(self.request(Method::POST, path, None).json(&request)).await?;
        let session: api::Session = self.json(path, answer).await?;
        *held = Some(session.token.clone());
        Ok(session.token)
    }

    /// A gateway could hand out another site's sign-in message to have it signed here: it must be about this
    /// account, this chain and this very gateway.
    fn check_challenge(&self, text: &str) -> Result<()> {
        let refused = |detail: String| Error::GatewayAnswer {
            doing: "sign-in".into(),
            detail,
        };
        let message = siwe::Message::parse(text).map_err(|error| refused(error.to_string()))?;
        if message.address != self.signer.address() || message.chain_id != self.deployment.chain_id {
            return Err(refused("the message is for another account or chain".into()));
        }
        let authority = self
            .base
            .split_once("://")
            .map_or(self.base.as_str(), |(_, rest)| rest)
            .split('/')
            .next()
            .unwrap_or_default();
        if message.domain != authority || message.uri != self.base {
            return Err(refused(format!(
                "the message is for {} ({}), we asked {}",
                message.domain, message.uri, self.base
            )));
        }
        // What is signed here is a sign-in, for now, and nothing else that a gateway might put before us.
        if message.statement != siwe::STATEMENT || message.expiration_time > now() + SIGN_IN_SECONDS_MOST {
            return Err(refused(
                "the message is not a plain sign-in for the next minutes".into(),
            ));
        }
        Ok(())
    }

    fn request(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match token {
            Some(token) => match self.organisation {
                Some(organisation) => request
                    .bearer_auth(token)
                    .header(api::header::ORGANISATION, organisation.to_string()),
                None => request.bearer_auth(token),
            },
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = self.bytes("problem", answer).await?;
        match problem(status, &body) {
            // Not a gateway's words: a proxy's, which has none to ask at present.
            Error::Problem { kind, .. } if kind == NO_PROBLEM && matches!(status.as_u16(), 502..=504) => {
                Err(Error::GatewayUnreachable {
                    url: self.base.clone(),
                    detail: format!("whatever stands before it answers {}", status.as_u16()),
                })
            }
            error => Err(error),
        }
    }

    async fn json<T: DeserializeOwned>(&self, doing: &str, answer: Response) -> Result<T> {
        let body = self.bytes(doing, answer).await?;
        serde_json::from_slice(&body).map_err(|error| Error::GatewayAnswer {
            doing: doing.to_owned(),
            detail: error.to_string(),
        })
    }

    async fn bytes(&self, doing: &str, answer: Response) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| self.unreachable(error))?;
            if body.len() + piece.len() > ANSWER_BYTES_MOST {
                return Err(Error::GatewayAnswer {
                    doing: doing.to_owned(),
                    detail: format!("longer than {ANSWER_BYTES_MOST} bytes"),
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        use std::error::Error as _;
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Error::GatewayUnreachable {
            url: self.base.clone(),
            detail: cause,
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
type Pieces = futures::stream::BoxStream<'static, reqwest::Result<Bytes>>;
#[cfg(target_arch = "wasm32")]
type Pieces = futures::stream::LocalBoxStream<'static, reqwest::Result<Bytes>>;

/// A payload on its way here: ciphertext, every block of it checked against its CID.
pub struct Payload {
    gateway: Gateway,
    pieces: Pieces,
    /// None once they have ended well.
    blocks: Option<car::Reader>,
    file: Option<FileReader>,
    /// With where the content of each begins.
    ready: VecDeque<(u64, Block)>,
}

impl Payload {
    /// The next bytes, in order; none at the end, which is the payload's own.
    ///
    /// # Errors
    /// As [`Payload::next_block`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        Ok(self.next_placed().await?.map(|(_, bytes)| bytes))
    }

    /// [`Payload::next`], and where in the payload these bytes begin.
    async fn next_placed(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        while let Some((at, block)) = self.next_placed_block().await? {
            // The bytes are in the leaves; what is above them is about the leaves alone.
            if block.cid.codec() == RAW {
                return Ok(Some((at, block.bytes)));
            }
        }
        Ok(None)
    }

    /// The next block of the payload's file, each node before what it links to.
    ///
    /// # Errors
    /// [`Error::Tampered`] for other blocks than the root's, or fewer; [`Error::GatewayUnreachable`].
    pub async fn next_block(&mut self) -> Result<Option<Block>> {
        Ok(self.next_placed_block().await?.map(|(_, block)| block))
    }

    async fn next_placed_block(&mut self) -> Result<Option<(u64, Block)>> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Ok(Some(ready));
            }
            let (Some(blocks), Some(file)) = (&mut self.blocks, &mut self.file) else {
                return Ok(None);
            };
            match self.pieces.next().await {
                Some(piece) => {
                    let piece = piece.map_err(|error| self.gateway.unreachable(error))?;
                    for block in blocks.push(&piece).map_err(tampered)? {
                        let at = file.position().unwrap_or_default();
                        file.check(&block).map_err(tampered)?;
                        self.ready.push_back((at, block));
                    }
                }
                None => {
                    let ended = self.blocks.take().map(car::Reader::finish);
                    ended.transpose().map_err(tampered)?;
                    let ended = self.file.take().map(FileReader::finish);
                    ended.transpose().map_err(tampered)?;
                }
            }
        }
    }

    /// `range` of it, in memory; it is what was asked for, or a part of that.
    ///
    /// # Errors
    /// As [`Payload::next`].
    pub async fn collect_range(mut self, range: Range<u64>) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        while let Some((at, bytes)) = self.next_placed().await? {
            let within = |place: u64| place.saturating_sub(at).min(bytes.len() as u64) as usize;
            content.extend_from_slice(&bytes[within(range.start)..within(range.end)]);
        }
        Ok(content)
    }

    /// All of it, in memory.
    ///
    /// # Errors
    /// As [`Payload::next`].
    pub async fn collect(mut self) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        while let Some(bytes) = self.next().await? {
            content.extend(bytes);
        }
        Ok(content)
    }
}

fn tampered(error: impl std::fmt::Display) -> Error {
    Error::Tampered {
        what: "the payload".into(),
        detail: error.to_string(),
    }
}

fn verified(digest: B256, bytes: Vec<u8>, what: &str) -> Result<Vec<u8>> {
    Block::verify(dag_cbor_cid(digest.0), bytes)
        .map(|block| block.bytes)
        .map_err(|error| Error::Tampered {
            what: what.to_owned(),
            detail: error.to_string(),
        })
}

fn problem(status: StatusCode, body: &[u8]) -> Error {
    match serde_json::from_slice::<api::Problem>(body) {
        // As if the contract had been called.
        Ok(api::Problem {
            revert: Some(revert), ..
        }) => contract_error("the operation", &revert),
        Ok(problem) => Error::Problem {
            status: status.as_u16(),
            kind: problem
                .kind()
                .map_or_else(|| problem.kind_urn.clone(), |kind| kind.slug().to_owned()),
            detail: match (&problem.detail, &problem.reason) {
                (Some(detail), _) => detail.clone(),
                (None, Some(reason)) => format!("{} ({reason})", problem.title),
                (None, None) => problem.title.clone(),
            },
            reason: problem.reason,
        },
        Err(_) => Error::Problem {
            status: status.as_u16(),
            kind: NO_PROBLEM.into(),
            detail: "is this a Medlock gateway?".into(),
            reason: None,
        },
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn car_body(blocks: &Arc<Vec<Block>>) -> reqwest::Body {
    reqwest::Body::wrap_stream(car_stream(blocks.clone()))
}

/// Browsers send no streams.
#[cfg(target_arch = "wasm32")]
fn car_body(blocks: &Arc<Vec<Block>>) -> reqwest::Body {
    use futures::FutureExt;
    let pieces = car_stream(blocks.clone())
        .map(|piece| piece.unwrap_or_default())
        .concat();
    // What it is made of is all there.
    pieces.now_or_never().unwrap_or_default().into()
}

fn car_stream(blocks: Arc<Vec<Block>>) -> impl Stream<Item = std::io::Result<Vec<u8>>> {
    // A CAR needs at least one root; ours names the first block.
    let roots: Vec<_> = blocks.first().map(|block| block.cid).into_iter().collect();
    let head = car::header(&roots).map_err(std::io::Error::other);
    let pieces = (0..blocks.len()).step_by(UPLOAD_PIECE_BLOCKS).map(move |at| {
        let end = (at + UPLOAD_PIECE_BLOCKS).min(blocks.len());
        Ok(blocks[at..end].iter().map(car::frame).collect::<Vec<_>>().concat())
    });
    futures::stream::iter(std::iter::once(head).chain(pieces))
}

/// As the routes of claims take it.
fn whose(of: ClaimsOf) -> String {
    match of {
        ClaimsOf::Provider => "as=provider".to_owned(),
        ClaimsOf::Insurer => "as=insurer".to_owned(),
        ClaimsOf::Chart(chart) => format!("chart={chart}"),
    }
}
