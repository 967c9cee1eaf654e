//! What went wrong, as a page wants it: a kind to choose by, and words that say what to do (`CoreFault` in `core.ts`).

use medlock_client::Error;
use serde::Serialize;
use wasm_bindgen::JsValue;

#[derive(Serialize)]
pub struct Fault {
    kind: &'static str,
    message: String,
    /// The contract's or gateway's stable word for it.
    reason: Option<String>,
}

impl Fault {
    fn new(kind: &'static str, message: &str) -> Self {
        Self {
            kind,
            message: message.to_owned(),
            reason: None,
        }
    }

    pub fn usage(message: &str) -> Self {
        Self::new("usage", message)
    }

    pub fn internal(error: &dyn std::error::Error) -> Self {
        Self::new("internal", &error.to_string())
    }

    /// Of what the browser itself refuses.
    pub fn browser(error: JsValue) -> Self {
        Self::new("internal", &format!("the browser does not do this: {error:?}"))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let reason = match &error {
            Error::Problem { kind, reason, .. } => Some(reason.clone().unwrap_or_else(|| kind.clone())),
            Error::Contract { fault, .. } => Some(fault.name()),
            Error::OtherPatient | Error::SeveralPatients { .. } => Some("other-patient".into()),
            _ => None,
        };
        let kind = match &error {
            Error::Vault(medlock_vault::Error::Passphrase) => "passphrase",
            Error::NoPublishedKey { .. } | Error::NoMembershipKeys { .. } => "no-key",
            Error::NotMined { .. } | Error::NotRelayed { .. } => "waiting",
            Error::ChainUnreachable { .. } | Error::GatewayUnreachable { .. } => "offline",
            Error::Tampered { .. } | Error::GatewayAnswer { .. } | Error::OtherDeployment { .. } => "tampered",
            Error::Changed { .. } | Error::GrantNarrowed { .. } => "stale",
            Error::Usage(_) => "usage",
            Error::WalletRejected => "wallet-rejected",
            Error::Problem { status: 429 | 503, .. } | Error::KeysRotated { .. } | Error::EmergencyPending { .. } => {
                "busy"
            }
            error if error.is_bad_input() => "bad-input",
            error if error.is_refusal() => "refused",
            Error::Contract { .. } | Error::Reverted { .. } => "stale",
            _ => "internal",
        };
        Self {
            kind,
            message: error.to_string(),
            reason,
        }
    }
}

impl From<medlock_vault::Error> for Fault {
    fn from(error: medlock_vault::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<Fault> for JsValue {
    fn from(fault: Fault) -> Self {
        let text = serde_json::to_string(&fault).unwrap_or_default();
        js_sys::JSON::parse(&text).unwrap_or(JsValue::UNDEFINED)
    }
}
