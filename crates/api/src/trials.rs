//! Bodies of the trials ledger's routes: a trial's facts, as whoever checks a published one wants them. No participant is in them.
use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};

body! {
    /// `GET /v1/trials`, in the order in which they were registered.
    pub struct Trials {
        pub trials: Vec<Trial>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// A trial as it stands.
    pub struct Trial {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub trial: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub sponsor: Address,
        /// keccak256 of its public registration number.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub registration: B256,
        /// UNIX seconds.
        pub registered_at: u64,
        /// The newest, and the least that participants must have consented to.
        pub version: u8,
        pub consent_version: u8,
        /// `terms::trial`, by name.
        pub state: String,
        /// How many; nobody by name.
        pub enrolled: u32,
        /// Of the enrolled.
        pub withdrawn: u32,
        pub batches: u32,
        pub results: u8,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub lock: Option<TrialLock>,
    }

    /// From when on a trial's data are what they are.
    pub struct TrialLock {
        pub batches: u32,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub data: B256,
        /// UNIX seconds.
        pub at: u64,
    }

    /// `GET /v1/trials/{trial}`.
    pub struct TrialHistory {
        pub trial: Trial,
        /// From version 1.
        pub versions: Vec<TrialVersion>,
        /// From number 0.
        pub results: Vec<TrialResults>,
    }

    /// What was planned.
    pub struct TrialVersion {
        pub version: u8,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub protocol: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub plan: B256,
        /// The consent form.
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub form: B256,
        /// `terms::amendment`; 0: of the first.
        pub reason_code: u8,
        /// Who has not consented to this one or a later one takes no part.
        pub reconsent: bool,
        /// How many were enrolled before.
        pub enrolled_before: u32,
        /// UNIX seconds.
        pub at: u64,
    }

    pub struct TrialResults {
        pub number: u8,
        /// The trial's, by whose plan they were made.
        pub version: u8,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub plan: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub data: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub results: B256,
        /// UNIX seconds.
        pub at: u64,
    }

    /// `GET /v1/trials/{trial}/sites`: all that were ever named.
    pub struct TrialSites {
        pub sites: Vec<TrialSite>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    pub struct TrialSite {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub site: Address,
        pub active: bool,
        pub enrolled: u32,
        /// Of the enrolled.
        pub withdrawn: u32,
        /// The highest sequence number of its batches; 0: it has none.
        pub last_sequence: u32,
    }

    /// `GET /v1/trials/{trial}/batches`, in the order in which they were anchored.
    pub struct TrialBatches {
        pub batches: Vec<TrialBatch>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// Data of a site.
    pub struct TrialBatch {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub site: Address,
        /// The site's own number of it, from 1.
        pub sequence: u32,
        /// UNIX seconds: the period.
        pub from: u64,
        pub to: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub root: B256,
        pub count: u32,
        /// Bit n of word w: number 256 w + n of the site.
        #[cfg_attr(feature = "openapi", schema(value_type = Vec<crate::schema::HexNumber>))]
        pub participants: Vec<U256>,
        /// `terms::batch`: late, out of order.
        pub flags: u8,
        /// The trial's at that time.
        pub version: u8,
        /// UNIX seconds.
        pub anchored_at: u64,
    }
}
