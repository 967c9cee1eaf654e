//! Clinical trials, for a page. Files come as bytes; what has to be kept goes back as text, for the page to save.

use std::{collections::BTreeMap, fmt::Display};

use alloy::primitives::B256;
use js_sys::Function;
use medlock_client::{
    Error, Participation, TrialFiles, participation_text,
    research::{
        self,
        batch::{Batch, Place},
        chain::ChainTrial,
        folder::{self, FILES_MAX, Folder, INDEX_BYTES_MAX, Index},
    },
    terms::{amendment, number_of, trial::CLOSED},
    trial_rows,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasm_bindgen::prelude::*;
use web_sys::File;

use crate::{Core, Outcome, address, browser, fault::Fault, js, read, word};

/// A larger one is told of as one that could not be read: this module's memory is no larger than some of them.
const FILE_BYTES_MOST: f64 = (1u64 << 29) as f64;

/// Of an amendment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amendment {
    /// `terms::amendment`, by name.
    reason: String,
    /// Who does not consent to it takes no part any more.
    reconsent: bool,
}

/// Data that are to be anchored.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataWish {
    trial: B256,
    sequence: u32,
    /// The period: from inclusive, to exclusive; UNIX seconds.
    from: u64,
    to: u64,
    /// `{"participant":1,"data":…}` a line.
    rows: String,
}

#[derive(Serialize)]
struct Facts {
    #[serde(flatten)]
    compared: ChainTrial,
    closed: bool,
}

#[wasm_bindgen]
impl Core {
    pub async fn trials(&self) -> Outcome<JsValue> {
        js(&self.client().trials().await?)
    }

    #[wasm_bindgen(js_name = trialFacts)]
    pub async fn trial_facts(&self, trial: &str) -> Outcome<JsValue> {
        let (trial, client) = (word(trial)?, self.client());
        let compared = client.trial_facts(trial).await?;
        let closed = client.trial_state(trial).await? == CLOSED;
        js(&Facts { compared, closed })
    }

    #[wasm_bindgen(js_name = registerTrial)]
    pub async fn register_trial(
        &self,
        registration: &str,
        protocol: Vec<u8>,
        plan: Vec<u8>,
        form: Vec<u8>,
        watch: Function,
    ) -> Outcome<JsValue> {
        let files = TrialFiles {
            protocol: &protocol,
            plan: &plan,
            form: &form,
        };
        let (trial, mined) = self.watched(watch).register_trial(registration, files).await?;
        js(&json!({ "trial": trial, "mined": mined }))
    }

    #[wasm_bindgen(js_name = amendTrial)]
    pub async fn amend_trial(
        &self,
        trial: &str,
        protocol: Vec<u8>,
        plan: Vec<u8>,
        form: Vec<u8>,
        wish: &str,
        watch: Function,
    ) -> Outcome<JsValue> {
        let Amendment { reason, reconsent } = read(wish)?;
        let reason = number_of(&amendment::ALL, &reason)?;
        let files = TrialFiles {
            protocol: &protocol,
            plan: &plan,
            form: &form,
        };
        let amending = self.watched(watch);
        js(&amending.amend_trial(word(trial)?, files, reason, reconsent).await?)
    }

    #[wasm_bindgen(js_name = setTrialSite)]
    pub async fn set_trial_site(&self, trial: &str, site: &str, active: bool, watch: Function) -> Outcome<JsValue> {
        let setting = self.watched(watch);
        js(&setting.set_trial_site(word(trial)?, address(site)?, active).await?)
    }

    /// `name`: as the participant typed it. `kept` is what the participant keeps, and nobody else has.
    #[wasm_bindgen(js_name = consentToTrial)]
    pub async fn consent_to_trial(
        &self,
        trial: &str,
        site: &str,
        form: Vec<u8>,
        name: Option<String>,
        watch: Function,
    ) -> Outcome<JsValue> {
        let consenting = self.watched(watch);
        let consented = consenting
            .consent_to_trial(word(trial)?, address(site)?, &form, name.as_deref())
            .await?;
        js(&json!({
            "participant": consented.participant, "version": consented.version, "kept": consented.kept(), "mined": consented.mined,
        }))
    }

    /// `kept`: what the participant shows; it is compared with the chain before anything is sent.
    pub async fn enrol(
        &self,
        trial: &str,
        participant: &str,
        kept: Option<Vec<u8>>,
        watch: Function,
    ) -> Outcome<JsValue> {
        let (trial, participant, client) = (word(trial)?, address(participant)?, self.watched(watch));
        if let Some(kept) = kept {
            client.check_kept_consent(trial, participant, &kept).await?;
        }
        let (number, mined) = client.enrol(trial, participant).await?;
        js(&json!({ "number": number, "mined": mined }))
    }

    #[wasm_bindgen(js_name = leaveTrial)]
    pub async fn leave_trial(&self, trial: &str, watch: Function) -> Outcome<JsValue> {
        js(&self.watched(watch).withdraw_from_trial(word(trial)?).await?)
    }

    pub async fn participation(&self, trial: &str) -> Outcome<JsValue> {
        let stands = self.client().participation(word(trial)?).await?;
        let must_consent_anew = stands.must_consent_anew();
        let Participation {
            participant,
            site,
            number,
            status,
            version,
            ..
        } = stands;
        js(&json!({
            "participant": participant, "site": site, "number": number, "status": participation_text(status),
            "version": version, "must_consent_anew": must_consent_anew,
        }))
    }

    /// The file of a batch, with salts that are drawn anew each time: to be saved, and then given to [`Core::anchor_trial_data`].
    #[wasm_bindgen(js_name = trialData)]
    pub async fn trial_data(&self, wish: &str) -> Outcome<JsValue> {
        let wish: DataWish = read(wish)?;
        let client = self.client();
        // No later than the chain is: the contract takes no period that is not over.
        let (_, now) = client.chain().latest().await?;
        let (from, to) = (wish.from, wish.to.min(now));
        let place = Place {
            trial: wish.trial,
            site: client.address(),
            sequence: wish.sequence,
            from,
            to,
        };
        let batch = Batch::new(place, trial_rows(&wish.rows)?).map_err(unsuitable)?;
        js(&json!({ "lines": batch.to_lines(), "from": from, "to": to }))
    }

    #[wasm_bindgen(js_name = anchorTrialData)]
    pub async fn anchor_trial_data(&self, lines: Vec<u8>, watch: Function) -> Outcome<JsValue> {
        let batch = Batch::read(&lines).map_err(unsuitable)?;
        js(&self.watched(watch).anchor_trial_data(&batch).await?)
    }

    #[wasm_bindgen(js_name = lockTrialData)]
    pub async fn lock_trial_data(&self, trial: &str, watch: Function) -> Outcome<JsValue> {
        js(&self.watched(watch).lock_trial_data(word(trial)?).await?)
    }

    #[wasm_bindgen(js_name = anchorTrialResults)]
    pub async fn anchor_trial_results(&self, trial: &str, results: Vec<u8>, watch: Function) -> Outcome<JsValue> {
        js(&self.watched(watch).anchor_trial_results(word(trial)?, &results).await?)
    }

    #[wasm_bindgen(js_name = closeTrial)]
    pub async fn close_trial(&self, trial: &str, watch: Function) -> Outcome<JsValue> {
        js(&self.watched(watch).close_trial(word(trial)?).await?)
    }

    /// `names` of `files`, relative to the folder and with `/` between. Each file is read when it is looked at, and let go of.
    #[wasm_bindgen(js_name = verifyTrial)]
    pub async fn verify_trial(&self, names: Vec<String>, files: Vec<File>) -> Outcome<JsValue> {
        if files.len() > FILES_MAX {
            return Err(unsuitable(format!("the folder has more than {FILES_MAX} files")));
        }
        let files: BTreeMap<String, File> = names.into_iter().zip(files).collect();
        let index = files.get(folder::INDEX);
        let index =
            index.ok_or_else(|| unsuitable("these files are no published trial: trial.json is not among them"))?;
        if index.size() > INDEX_BYTES_MAX as f64 {
            return Err(unsuitable("trial.json is larger than any index"));
        }
        let index = whole(index).ok_or_else(|| unsuitable("trial.json could not be read"))?;
        let trial = Index::read(&index).map_err(unsuitable)?.trial;
        let facts = self.client().trial_facts(trial).await?;
        let bytes = |name: &str| files.get(name).and_then(whole);
        js(&research::verify(&facts, &Folder::new(files.keys().cloned(), &bytes)))
    }

    #[wasm_bindgen(js_name = researchStudy)]
    pub async fn research_study(&self, trial: &str, registration: &str, title: Option<String>) -> Outcome<String> {
        Ok(self.client().research_study(word(trial)?, registration, title).await?)
    }

    #[wasm_bindgen(js_name = researchSubject)]
    pub async fn research_subject(&self, trial: &str) -> Outcome<String> {
        let (trial, client) = (word(trial)?, self.client());
        let stands = client.participation(trial).await?;
        Ok(stands.research_subject(trial, client.deployment().chain_id)?)
    }
}

/// `None`: it is too large, or was changed since it was chosen.
fn whole(file: &File) -> Option<Vec<u8>> {
    match file.size() > FILE_BYTES_MOST {
        true => None,
        false => browser::whole(file).ok(),
    }
}

fn unsuitable(why: impl Display) -> Fault {
    Error::Unsuitable(why.to_string()).into()
}
