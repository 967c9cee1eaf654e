//! Bodies of the supply ledger's routes. Numbers that may not fit a JavaScript number (steps, shipments) are decimal strings.
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

/// Numbers of 64 bits as decimal text, so that nothing that reads JSON rounds them.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

body! {
    /// `GET /v1/supply/shipments`, in the order in which they were offered.
    pub struct Shipments {
        pub shipments: Vec<Shipment>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// Units that were offered to one account.
    pub struct Shipment {
        #[serde(with = "decimal")]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub shipment: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub sender: Address,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub receiver: Address,
        /// `sale` or `return`.
        pub kind: String,
        /// `open`, `accepted`, `refused` or `withdrawn`.
        pub state: String,
        /// UNIX seconds.
        pub offered_at: u64,
        /// UNIX seconds; absent: it is open.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub closed_at: Option<u64>,
        /// Salted digest of the EPCIS document that came with it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub document: Option<B256>,
        pub units: Vec<ShippedUnit>,
    }

    /// A unit, by the number of its first package.
    pub struct ShippedUnit {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub batch: B256,
        pub unit: u32,
    }

    /// `GET /v1/supply/units`: what the caller holds.
    pub struct Units {
        pub units: Vec<Unit>,
        /// Pass as `after` for the next page; absent on the last.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// A run of a batch's packages that one party holds.
    pub struct Unit {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub batch: B256,
        /// Its first package.
        pub unit: u32,
        /// The package after its last.
        pub to: u32,
        /// The open shipment that it is in.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub shipment: Option<String>,
        /// Why it left the supply, by name.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub decommissioned: Option<String>,
    }

    /// `GET /v1/supply/recalls`, in the order in which they were issued: who reads on from the last one misses none.
    pub struct Recalls {
        pub recalls: Vec<Recall>,
        /// Pass as `after` for the next page, also later: where the recalls end now. Absent: there are none after `after`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pub next: Option<String>,
    }

    /// Packages that are not to be sold, dispensed or used.
    pub struct Recall {
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex32))]
        pub batch: B256,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub maker: Address,
        /// 14 digits.
        pub gtin: String,
        /// Of the batch's recalls, from 0.
        pub number: u8,
        /// From this package on, below the other.
        pub from: u32,
        pub to: u32,
        /// `terms::recall`, by name.
        pub class: String,
        pub reason: String,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub issued_by: Address,
        /// UNIX seconds.
        pub at: u64,
    }

    /// `GET /v1/supply/batches/{batch}/custody/{package}`: how the unit with this package came to who holds it, the last step first.
    pub struct ChainOfCustody {
        /// Its first package.
        pub unit: u32,
        pub steps: Vec<CustodyStep>,
    }

    /// A link in a unit's chain of custody.
    pub struct CustodyStep {
        #[serde(with = "decimal")]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub step: u64,
        #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Hex20))]
        pub holder: Address,
        /// By which it came; `0`: the holder is the maker, who registered it.
        #[serde(with = "decimal")]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub shipment: u64,
        /// UNIX seconds: registered, or accepted.
        pub at: u64,
        /// Salted digest of the EPCIS document of the registration or the offer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hex32>))]
        pub document: Option<B256>,
    }
}
