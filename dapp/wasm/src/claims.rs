//! Claims, for a page.

use medlock_client::{
    ClaimsOf, NewClaim, Ruling,
    api::claims::ClaimState,
    billing::{Amount, Currency},
    claim_reason,
};
use serde::Deserialize;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::{Core, Outcome, address, fault::Fault, js, purpose, read, word};

/// Whose claims: `{"of":"provider"}`, `{"of":"insurer"}` or `{"of":"chart","chart":…}`.
#[derive(Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
enum Of {
    Provider,
    Insurer,
    Chart { chart: alloy::primitives::B256 },
}

impl From<Of> for ClaimsOf {
    fn from(of: Of) -> Self {
        match of {
            Of::Provider => Self::Provider,
            Of::Insurer => Self::Insurer,
            Of::Chart { chart } => Self::Chart(chart),
        }
    }
}

/// What a party does with a claim.
#[derive(Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
enum Step {
    Review,
    Ask {
        text: String,
    },
    Answer {
        text: String,
    },
    Approve,
    /// `amount`: as people write it, `120.50`, in the claim's currency.
    ApprovePart {
        amount: String,
        reason: String,
    },
    Deny {
        reason: String,
    },
    Appeal {
        text: String,
    },
    AcceptPart,
    /// Outside of the chain, under a reference of which a salted digest is told.
    Paid {
        reference: String,
    },
    PayInToken,
    Reverse {
        reason: String,
    },
    Withdraw,
    CloseOverdue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    insurer: alloy::primitives::Address,
    /// A FHIR R4 Claim as JSON.
    claim: String,
    records: Vec<alloy::primitives::B256>,
}

#[wasm_bindgen]
impl Core {
    #[wasm_bindgen(js_name = shareFingerprintKey)]
    pub async fn share_fingerprint_key(&self, chart: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        js(&self.watched(watch).share_fingerprint_key(word(chart)?).await?)
    }

    pub async fn claims(&self, of: &str, state: Option<String>) -> Outcome<JsValue> {
        let state = state.map(|state| {
            let known = ClaimState::ALL.into_iter().find(|known| known.text() == state);
            known.ok_or_else(|| Fault::usage(&format!("no claim is ever {state}")))
        });
        js(&self.client().claims(read::<Of>(of)?.into(), state.transpose()?).await?)
    }

    pub async fn claim(&self, claim: &str) -> Outcome<JsValue> {
        js(&self.client().see_claim(word(claim)?, None).await?.told()?)
    }

    #[wasm_bindgen(js_name = claimExplanation)]
    pub async fn claim_explanation(&self, claim: &str) -> Outcome<String> {
        Ok(self.client().open_claim(word(claim)?, None).await?.explanation()?)
    }

    #[wasm_bindgen(js_name = submitClaim)]
    pub async fn submit_claim(
        &self,
        chart: &str,
        wish: &str,
        purpose: &str,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let wish: Wish = read(wish)?;
        let open = self.watched(watch).chart(word(chart)?).await?;
        let key = open.fingerprint_key(self::purpose(purpose)?).await?;
        let claims = vec![NewClaim {
            insurer: wish.insurer,
            claim: wish.claim.into_bytes(),
            records: wish.records,
        }];
        open.require_unbilled(&claims).await?;
        let submitted = open.submit_claims(claims, &key).await?;
        js(&json!({ "claim": submitted.claims.first(), "mined": submitted.mined }))
    }

    /// `salt`: of the reference under which it was paid.
    #[wasm_bindgen(js_name = stepClaim)]
    pub async fn step_claim(&self, claim: &str, step: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        let (claim, client) = (word(claim)?, self.watched(watch));
        let mut salt = None;
        let mined = match read::<Step>(step)? {
            Step::Review => client.review_claim(claim).await?,
            Step::Ask { text } => client.request_claim_information(claim, &text).await?,
            Step::Answer { text } => client.provide_claim_information(claim, &text).await?,
            Step::Approve => {
                let open = client.open_claim(claim, None).await?;
                client.decide_claim(&open, Ruling::Approve).await?
            }
            Step::ApprovePart { amount, reason } => {
                let open = client.open_claim(claim, None).await?;
                let amount = Amount::parse(open.claim.total.currency, &amount);
                let ruling = Ruling::ApprovePart {
                    minor: amount.map_err(|error| Fault::usage(&error.to_string()))?.minor,
                    reason: claim_reason(&reason)?,
                };
                client.decide_claim(&open, ruling).await?
            }
            Step::Deny { reason } => {
                let open = client.open_claim(claim, None).await?;
                let reason = claim_reason(&reason)?;
                client.decide_claim(&open, Ruling::Deny { reason }).await?
            }
            Step::Appeal { text } => client.appeal_claim(claim, &text).await?,
            Step::AcceptPart => client.accept_part_of_claim(claim).await?,
            Step::Paid { reference } => {
                let (mined, of_reference) = client.record_claim_payment(claim, &reference).await?;
                salt = Some(of_reference);
                mined
            }
            Step::PayInToken => {
                let open = client.open_claim(claim, None).await?;
                client.pay_claim_in_token(&open).await?
            }
            Step::Reverse { reason } => client.reverse_claim(claim, claim_reason(&reason)?).await?,
            Step::Withdraw => client.withdraw_claim(claim).await?,
            Step::CloseOverdue => client.close_overdue_claim(claim).await?,
        };
        js(&json!({ "mined": mined, "salt": salt }))
    }

    pub async fn insurer(&self, account: &str) -> Outcome<JsValue> {
        let insurer = self.client().insurer(address(account)?).await?;
        let currencies = insurer.currencies.iter().map(|setting| {
            // One that this client does not know is shown by its number.
            let known = Currency::from_numeric(setting.currency).map(|known| known.alpha().to_owned());
            let currency = known.unwrap_or_else(|_| setting.currency.to_string());
            json!({
                "currency": currency, "version": setting.version, "accepted": setting.accepted, "token": setting.token, "scale": setting.scale,
            })
        });
        js(&json!({ "shared": insurer.shared, "currencies": currencies.collect::<Vec<_>>() }))
    }

    #[wasm_bindgen(js_name = setInsurer)]
    pub async fn set_insurer(&self, shared: bool, watch: js_sys::Function) -> Outcome<JsValue> {
        js(&self.watched(watch).set_insurer(shared).await?)
    }

    /// `currency`: three letters of ISO 4217. `token`: what claims that come from now on can be paid in, one minor unit being 10^`scale` of its units;
    /// with a currency that is accepted alone.
    #[wasm_bindgen(js_name = setCurrency)]
    pub async fn set_currency(
        &self,
        currency: &str,
        accepted: bool,
        token: Option<String>,
        scale: u8,
        watch: js_sys::Function,
    ) -> Outcome<JsValue> {
        let currency = Currency::from_alpha(currency).map_err(|error| Fault::usage(&error.to_string()))?;
        let token = token.map(|token| address(&token)).transpose()?;
        let token = token.map(|token| (token, scale));
        js(&self.watched(watch).set_currency(currency, accepted, token).await?)
    }

    /// What paying an approved claim in a token takes, in the token's units as decimal text; null: in none, as its insurer had none for the currency
    /// when it was submitted.
    #[wasm_bindgen(js_name = claimPayment)]
    pub async fn claim_payment(&self, claim: &str) -> Outcome<JsValue> {
        let client = self.client();
        let open = client.open_claim(word(claim)?, None).await?;
        let payment = client.claim_payment(&open).await?.map(|payment| {
            json!({
                "token": payment.token, "scale": payment.scale, "value": payment.value.to_string(), "allowance": payment.allowance.to_string(),
            })
        });
        js(&payment)
    }

    /// By a transaction of the account itself, whoever relays what else it does.
    #[wasm_bindgen(js_name = allowClaimPayment)]
    pub async fn allow_claim_payment(&self, claim: &str, watch: js_sys::Function) -> Outcome<JsValue> {
        let client = self.watched(watch).by_own_transactions();
        let open = client.open_claim(word(claim)?, None).await?;
        js(&client.allow_claim_payment(&open).await?)
    }

    /// Among claims of the last `within_s` seconds.
    #[wasm_bindgen(js_name = claimSignals)]
    pub async fn claim_signals(&self, of: &str, within_s: f64) -> Outcome<JsValue> {
        let since = medlock_client::now().saturating_sub(within_s as u64);
        js(&self.client().claim_signals(read::<Of>(of)?.into(), since, None).await?)
    }
}
