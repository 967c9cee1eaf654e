//! Medlock's client in a browser: `crates/client` as WASM, for the worker of the web application (`dapp/src/core/worker.ts`).
//!
//! Everything secret stays in this module's memory: the page gets the results, and what went wrong in words. It adds nothing of its own
//! to what the client does but the shapes that a page wants (`shapes.rs`) and content from and for a browser (`browser.rs`).
#![cfg(target_arch = "wasm32")]

mod browser;
mod claims;
mod fault;
mod shapes;
mod supply;
mod trials;

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use alloy::{
    hex,
    primitives::{Address, B256},
};
use futures::StreamExt;
use medlock_client::{
    Client, Content, Document, Endpoints, GrantTerms, Identity, ImportOptions, Metadata, OpenChart, Renewal, Step,
    Suite,
    api::{self, Purpose},
    default_labels, identity,
    verdict::{self, VERDICT_BYTES_MOST},
};
use medlock_deployment::Deployment;
use medlock_vault::{KeyFile, Mnemonic, Secrets};
use send_wrapper::SendWrapper;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, File};

use crate::{
    browser::{BlobContent, MemorySheet, PageWallet, Parts},
    fault::Fault,
    shapes::{
        Access, Chart, EmergencyShape, EmergencyWish, GrantWish, Heads, ImportReport, ImportWish, Key, Membership,
        RecordShape,
    },
};

/// Records that are read at the same time. Each waits for the chain and the gateway.
const READS_AT_ONCE: usize = 8;

type Outcome<T> = Result<T, Fault>;

/// One identity, at the deployment that the page was configured with.
#[wasm_bindgen]
pub struct Core {
    /// As we act at present: for ourselves, or for an organisation.
    client: RefCell<Client>,
    /// Opened before: a directory is fetched once.
    open: RefCell<BTreeMap<B256, OpenChart>>,
}

/// What goes wrong in Rust itself is told in the console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// A new key file, with its words.
#[wasm_bindgen(js_name = newKey)]
pub fn new_key(passphrase: &str) -> Outcome<JsValue> {
    let secrets = Secrets::generate(&mut identity::rng(), Suite::default());
    let words = Mnemonic::of(&secrets.root);
    let words = words.expose().split(' ').map(str::to_owned).collect();
    key(&secrets, passphrase, Some(words))
}

/// A key file with the root secret of the words; account and encryption key are new.
#[wasm_bindgen(js_name = restoreKey)]
pub fn restore_key(words: &str, passphrase: &str) -> Outcome<JsValue> {
    let mut secrets = Secrets::generate(&mut identity::rng(), Suite::default());
    secrets.root = Mnemonic::read(words)?;
    key(&secrets, passphrase, None)
}

fn key(secrets: &Secrets, passphrase: &str, words: Option<Vec<String>>) -> Outcome<JsValue> {
    let sealed = identity::seal(secrets, passphrase)?;
    js(&Key {
        address: sealed.address().into(),
        key_file: sealed.to_json(),
        words,
    })
}

/// Whose key file it is.
#[wasm_bindgen(js_name = inspectKey)]
pub fn inspect_key(key_file: &str) -> Outcome<JsValue> {
    let read = KeyFile::from_json(key_file)?;
    js(&Key {
        address: read.address().into(),
        key_file: key_file.to_owned(),
        words: None,
    })
}

#[wasm_bindgen(js_name = changePassphrase)]
pub fn change_passphrase(key_file: &str, from: &str, to: &str) -> Outcome<String> {
    Ok(identity::resealed(key_file, from, to)?.to_json())
}

/// Opens a key file, and checks that the chain is the deployment's. `config`: `Config` of the page, with the gateway's URL. `account` and
/// `request`: of a wallet, which signs in the account key's place.
#[wasm_bindgen]
pub async fn unlock(
    config: &str,
    key_file: &str,
    passphrase: &str,
    account: Option<String>,
    request: Option<js_sys::Function>,
) -> Outcome<Core> {
    #[derive(Deserialize)]
    struct Config {
        rpc: String,
        gateway: String,
        relay: bool,
        deployment: Deployment,
    }
    let mut identity = Identity::unseal(key_file, passphrase)?;
    if let (Some(account), Some(request)) = (account, request) {
        identity = identity.with_wallet(address(&account)?, Arc::new(PageWallet::new(request)));
    }
    let config: Config = read(config)?;
    let endpoints = Endpoints {
        rpc: config.rpc,
        gateway: config.gateway,
    };
    let client = Client::connect(&endpoints, config.deployment, identity).await?;
    Ok(Core {
        client: RefCell::new(match config.relay {
            true => client.via_relay(),
            false => client,
        }),
        open: RefCell::default(),
    })
}

#[wasm_bindgen]
impl Core {
    pub fn address(&self) -> String {
        self.client().address().to_string().to_lowercase()
    }

    pub fn words(&self) -> Vec<String> {
        let words = self.client.borrow().identity().words();
        words.expose().split(' ').map(str::to_owned).collect()
    }

    /// What this browser keeps for the account, in hex.
    #[wasm_bindgen(js_name = sealOwn)]
    pub fn seal_own(&self, name: &str, content: &str) -> Outcome<String> {
        Ok(hex::encode_prefixed(self.client().seal_own(name, content.as_bytes())?))
    }

    #[wasm_bindgen(js_name = openOwn)]
    pub fn open_own(&self, name: &str, sealed: &str) -> Outcome<String> {
        let sealed = hex::decode(sealed).map_err(|_| Fault::usage("what was kept is no hex"))?;
        let opened = self.client().open_own(name, &sealed)?;
        let text = std::str::from_utf8(&opened).map_err(|_| Fault::usage("what was kept is no text"))?;
        Ok(text.to_owned())
    }

    #[wasm_bindgen(js_name = isPublished)]
    pub async fn is_published(&self) -> Outcome<bool> {
        Ok(self.client().is_published().await?)
    }

    #[wasm_bindgen(js_name = publishKey)]
    pub async fn publish_key(&self, watch: js_sys::Function) -> Outcome<JsValue> {
        js(&self.watched(watch).publish_key().await?)
    }

    pub async fn party(&self, account: &str) -> Outcome<JsValue> {
        js(&self.client().party(address(account)?).await?)
    }

    pub async fn heads(&self) -> Outcome<JsValue> {
        let client = self.client();
        let status = client.gateway().await?.status().await?;
        js(&Heads {
            chain: status.chain_block,
            index: status.index_block,
            r#final: client.chain().final_block().await?,
        })
    }

    #[wasm_bindgen(js_name = blockOf)]
    pub async fn block_of(&self, transaction: &str) -> Outcome<JsValue> {
        js(&self.client().chain().block_of(word(transaction)?).await?)
    }

    pub async fn relayed(&self) -> Outcome<JsValue> {
        js(&self.client().relayed().await?)
    }

    #[wasm_bindgen(js_name = cancelAll)]
    pub async fn cancel_all(&self, watch: js_sys::Function) -> Outcome<JsValue> {
        js(&self.watched(watch).cancel_all().await?)
    }

    pub async fn charts(&self) -> Outcome<JsValue> {
        let charts = self.client().charts().await?;
        let charts = charts.into_iter().map(|(listed, state)| Chart {
            chart: listed.chart,
            controlled_since: listed.controlled_since,
            rotation_due: state.rotation_due,
        });
        js(&charts.collect::<Vec<_>>())
    }

    #[wasm_bindgen(js_name = openChart)]
    pub async fn open_chart(&self, watch: js_sys::Function) -> Outcome<JsValue> {
        let opening = self.watched(watch);
        let (chart, mined) = opening.open_chart(&default_labels(), Suite::default()).await?;
        js(&serde_json::json!({ "chart": chart, "mined": mined }))
    }

    pub async fn labels(&self, chart: &str) -> Outcome<JsValue> {
        let chart = word(chart)?;
        let client = self.client();
        let state = client.chart_state(chart).await?;
        let directory = client.directory(chart, &state).await?;
        js(&client.labels(&directory)?)
    }

    pub async fn records(&self, chart: &str) -> Outcome<JsValue> {
        js(&self.client().records(word(chart)?, None).await?)
    }

    pub async fn versions(&self, chart: &str, record: &str) -> Outcome<JsValue> {
        let chart = word(chart)?;
        let client = self.client().at_chart(chart).await?;
        js(&client.gateway().await?.versions(chart, word(record)?).await?)
    }

    pub async fn read(&self, chart: &str, record: &str, purpose: &str, version: Option<u32>) -> Outcome<JsValue> {
        let open = self.opened(word(chart)?).await?;
        document(&open, word(record)?, version, self::purpose(purpose)?).await
    }

    /// Calls `each` with every record as it is opened, or with why it is not.
    #[wasm_bindgen(js_name = readAll)]
    pub async fn read_all(
        &self,
        chart: &str,
        records: Vec<String>,
        purpose: &str,
        each: js_sys::Function,
    ) -> Outcome<()> {
        let open = self.opened(word(chart)?).await?;
        let purpose = self::purpose(purpose)?;
        let records: Vec<B256> = records.iter().map(|record| word(record)).collect::<Result<_, _>>()?;
        let mut reading = futures::stream::iter(records)
            .map(|record| {
                let open = open.clone();
                async move { (record, document(&open, record, None, purpose).await) }
            })
            .buffer_unordered(READS_AT_ONCE);
        while let Some((record, read)) = reading.next().await {
            let (read, fault) = match read {
                Ok(read) => (read, JsValue::UNDEFINED),
                Err(fault) => (JsValue::UNDEFINED, fault.into()),
            };
            let record = JsValue::from_str(&record.to_string());
            // What the page does with it is the page's affair.
            let _ = each.call3(&JsValue::NULL, &record, &read, &fault);
        }
        Ok(())
    }

    #[wasm_bindgen(js_name = importFile)]
    pub async fn import_file(
        &self,
        chart: &str,
        file: File,
        options: &str,
        progress: js_sys::Function,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let open = self.watched(watch).chart(word(chart)?).await?;
        let wish: ImportWish = read(options)?;
        let options: ImportOptions = wish.try_into()?;
        let content = Content::new(BlobContent::new(file));
        let imported = open.import_file(&content, &options, told(progress)).await?;
        js(&ImportReport::from(imported))
    }

    /// `version`: the one that was edited.
    pub async fn amend(
        &self,
        chart: &str,
        record: &str,
        version: u32,
        content: &str,
        purpose: &str,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let open = self.watched(watch).chart(word(chart)?).await?;
        // Refused by the contract where another version has come after it.
        let before = open.read(word(record)?, Some(version), self::purpose(purpose)?).await?;
        let stored = open.amend(&before, before.metadata.clone(), content.as_bytes()).await?;
        js(&stored.mined)
    }

    #[wasm_bindgen(js_name = markInError)]
    pub async fn mark_in_error(
        &self,
        chart: &str,
        record: &str,
        pointer: &str,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let open = self.watched(watch).chart(word(chart)?).await?;
        js(&open.enter_in_error(word(record)?, word(pointer)?).await?)
    }

    pub async fn shred(&self, chart: &str, record: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        let open = self.watched(watch).chart(word(chart)?).await?;
        let record = word(record)?;
        if !open.is_shredded(record).await? {
            open.shred(record).await?;
        }
        // Asked for again where it failed after the first.
        js(&open.erase(record).await?)
    }

    /// `[Blob, report]`.
    #[wasm_bindgen(js_name = exportAll)]
    pub async fn export_all(&self, chart: &str, purpose: &str, progress: js_sys::Function) -> Outcome<Vec<JsValue>> {
        let open = self.opened(word(chart)?).await?;
        let sheet = MemorySheet::default();
        let exported = open
            .export_all(self::purpose(purpose)?, sheet.clone(), told(progress))
            .await?;
        let blob = sheet.into_blob(medlock_client::FHIR_MEDIA_TYPE)?;
        Ok(vec![blob.into(), js(&shapes::Exported::from(exported))?])
    }

    pub async fn grants(&self, chart: &str) -> Outcome<JsValue> {
        js(&self.client().grants(Some(word(chart)?)).await?)
    }

    #[wasm_bindgen(js_name = myGrants)]
    pub async fn my_grants(&self) -> Outcome<JsValue> {
        js(&self.client().grants(None).await?)
    }

    pub async fn grant(&self, chart: &str, grantee: &str, terms: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        let terms: GrantTerms = read::<GrantWish>(terms)?.into();
        let granting = self.watched(watch);
        js(&granting.grant(word(chart)?, address(grantee)?, terms).await?)
    }

    pub async fn revoke(&self, chart: &str, grantee: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        let revoked = self.watched(watch).revoke(word(chart)?, address(grantee)?).await?;
        js(&serde_json::json!({
            "mined": revoked.mined, "resealed": revoked.resealed, "waiting": revoked.waiting,
            "kitFault": kit_fault(revoked.kit),
        }))
    }

    #[wasm_bindgen(js_name = revokeAll)]
    pub async fn revoke_all(&self, chart: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        let revoked = self.watched(watch).revoke_all(word(chart)?).await?;
        js(&serde_json::json!({ "mined": revoked.rotated, "kitFault": kit_fault(revoked.kit) }))
    }

    pub async fn memberships(&self) -> Outcome<JsValue> {
        let memberships = self.client().memberships().await?;
        js(&memberships.into_iter().map(Membership::from).collect::<Vec<_>>())
    }

    /// `expiry`: UNIX seconds; 0: without an end.
    #[wasm_bindgen(js_name = setMember)]
    pub async fn set_member(&self, member: &str, expiry: f64, watch: js_sys::Function) -> Outcome<JsValue> {
        // A page has no larger whole numbers.
        let expiry = expiry as u64;
        js(&self.watched(watch).set_member(address(member)?, expiry).await?.mined)
    }

    #[wasm_bindgen(js_name = removeMember)]
    pub async fn remove_member(&self, member: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        js(&self.watched(watch).remove_member(address(member)?).await?)
    }

    #[wasm_bindgen(js_name = sealToMembers)]
    pub async fn seal_to_members(&self) -> Outcome<JsValue> {
        js(&self.client().seal_to_members().await?)
    }

    /// `None`: for ourselves.
    #[wasm_bindgen(js_name = actFor)]
    pub async fn act_for(&self, organisation: Option<String>) -> Outcome<()> {
        let client = match organisation {
            Some(organisation) => self.client().acting_for(address(&organisation)?).await?,
            None => self.client().for_ourselves(),
        };
        *self.client.borrow_mut() = client;
        // With the keys of whom we acted for.
        self.open.borrow_mut().clear();
        Ok(())
    }

    #[wasm_bindgen(js_name = emergencySettings)]
    pub async fn emergency_settings(&self, chart: &str) -> Outcome<JsValue> {
        let settings = self.client().emergency_settings(word(chart)?).await?;
        js(&shapes::EmergencySettings::from(settings))
    }

    #[wasm_bindgen(js_name = allowEmergency)]
    pub async fn allow_emergency(&self, chart: &str, wish: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        let wish: EmergencyWish = read(wish)?;
        let allowing = self.watched(watch);
        let (chart, compartments) = (word(chart)?, wish.compartments.0);
        js(&allowing
            .allow_emergency(chart, compartments, &wish.custodians, wish.threshold)
            .await?)
    }

    #[wasm_bindgen(js_name = forbidEmergency)]
    pub async fn forbid_emergency(&self, chart: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        js(&self.watched(watch).forbid_emergency(word(chart)?).await?)
    }

    pub async fn emergencies(&self, chart: &str) -> Outcome<JsValue> {
        let emergencies = self.client().emergencies(word(chart)?).await?;
        js(&emergencies.into_iter().map(EmergencyShape::from).collect::<Vec<_>>())
    }

    /// For every compartment: what the patient left limits what can be opened.
    #[wasm_bindgen(js_name = breakGlass)]
    pub async fn break_glass(&self, chart: &str, reason_code: u16, watch: js_sys::Function) -> Outcome<JsValue> {
        let breaking = self.watched(watch);
        // By the credential of whom we act for; the rights are ours in person all the same.
        let organisation = breaking.organisation().unwrap_or_default();
        js(&breaking
            .break_glass(word(chart)?, u64::MAX, reason_code, organisation)
            .await?)
    }

    #[wasm_bindgen(js_name = emergencyReady)]
    pub async fn emergency_ready(&self, chart: &str) -> Outcome<JsValue> {
        let ready = self.client().emergency_ready(word(chart)?).await?;
        js(&serde_json::json!({ "released": ready.released, "threshold": ready.threshold, "ready": ready.ready }))
    }

    #[wasm_bindgen(js_name = closeEmergency)]
    pub async fn close_emergency(&self, chart: &str, party: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        js(&self
            .watched(watch)
            .close_emergency(word(chart)?, address(party)?)
            .await?)
    }

    pub async fn accesses(&self, chart: &str) -> Outcome<JsValue> {
        let reads = self.client().reads(word(chart)?).await?;
        js(&reads.into_iter().map(Access::from).collect::<Vec<_>>())
    }

    /// `questions`: a JSON array.
    pub async fn ask(&self, questions: &str, prove: bool) -> Outcome<JsValue> {
        let questions: Vec<api::Question> = read(questions)?;
        js(&self.client().ask_signed(questions, prove).await?)
    }

    /// By the chain alone.
    pub async fn verify(&self, signed: &str) -> Outcome<JsValue> {
        if signed.len() as u64 > VERDICT_BYTES_MOST {
            return Err(Fault::usage("this is too long to be a verdict"));
        }
        let signed: api::SignedVerdict = read(signed)?;
        let number = signed.verdict.block_number;
        let hash = self.client().chain().block_hash(number).await?;
        let hash = hash.ok_or_else(|| Fault::usage("the chain does not have the verdict's block"))?;
        js(&shapes::Checked::from(verdict::check(
            &signed,
            self.client().deployment(),
            hash,
        )?))
    }

    fn client(&self) -> Client {
        self.client.borrow().clone()
    }

    fn watched(&self, watch: js_sys::Function) -> Client {
        let watch = SendWrapper::new(watch);
        self.client().watched(move |step: Step| {
            if let Ok(step) = js(&step) {
                // What the page does with it is the page's affair.
                let _ = watch.call1(&JsValue::NULL, &step);
            }
        })
    }

    async fn opened(&self, chart: B256) -> Outcome<OpenChart> {
        if let Some(open) = self.open.borrow().get(&chart) {
            return Ok(open.clone());
        }
        let client = self.client();
        let open = client.chart(chart).await?;
        // Unless we act for somebody else meanwhile.
        if self.client.borrow().organisation() == client.organisation() {
            self.open.borrow_mut().insert(chart, open.clone());
        }
        Ok(open)
    }
}

/// A record that is read, whose content goes into the browser's keeping piece by piece.
async fn document(open: &OpenChart, record: B256, version: Option<u32>, purpose: Purpose) -> Outcome<JsValue> {
    let parts = Parts::default();
    let read: Document<()> = open.read_to(record, version, purpose, parts.clone(), |_, _| ()).await?;
    let blob: Blob = parts.into_blob(&read.metadata.media_type)?;
    let shape = js(&RecordShape::new(&read))?;
    js_sys::Reflect::set(&shape, &"content".into(), &blob).map_err(Fault::browser)?;
    Ok(shape)
}

fn told(progress: js_sys::Function) -> impl Fn(u64, u64) {
    move |done, all| {
        // What the page does with it is the page's affair.
        let _ = progress.call2(&JsValue::NULL, &(done as f64).into(), &(all as f64).into());
    }
}

/// By way of JSON, as everything here is made for it.
fn js(value: &impl Serialize) -> Outcome<JsValue> {
    let text = serde_json::to_string(value).map_err(|error| Fault::internal(&error))?;
    js_sys::JSON::parse(&text).map_err(Fault::browser)
}

fn read<T: DeserializeOwned>(text: &str) -> Outcome<T> {
    serde_json::from_str(text).map_err(|error| Fault::usage(&format!("this cannot be read: {error}")))
}

fn word(text: &str) -> Outcome<B256> {
    text.parse()
        .map_err(|_| Fault::usage(&format!("{text} is not 32 bytes of hex")))
}

fn address(text: &str) -> Outcome<Address> {
    text.parse()
        .map_err(|_| Fault::usage(&format!("{text} is not an address: 0x and 40 hex digits")))
}

fn purpose(code: &str) -> Outcome<Purpose> {
    Purpose::from_code(code).ok_or_else(|| Fault::usage(&format!("there is no purpose {code}")))
}

/// The media type and the rest of what travels with a record.
fn metadata(metadata: &Metadata) -> shapes::MetadataShape {
    shapes::MetadataShape {
        media_type: metadata.media_type.clone(),
        resource_type: metadata.resource_type.clone(),
        date: metadata.date.clone(),
        title: metadata.title.clone(),
        source: metadata.source.clone(),
    }
}

/// Why no kit opens in an emergency, where one should.
fn kit_fault(kit: Renewal) -> Option<String> {
    match kit {
        Renewal::Failed { why } => Some(why),
        Renewal::NoKit | Renewal::Renewed => None,
    }
}
