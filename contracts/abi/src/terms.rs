//! The numbers behind the names: roles, purposes, actions, suites, codecs, reasons, limits.

/// Role bits of a credential.
pub mod role {
    pub const ORGANISATION: u64 = 1 << 0;
    pub const PRACTITIONER: u64 = 1 << 1;
    pub const INSURER: u64 = 1 << 2;
    /// A party that may author clinical records: organisations and practitioners are issued it beside their own bit.
    pub const PROVIDER: u64 = 1 << 3;
}

/// Where a credential stands. Whether it is in force also depends on its expiry and on its issuer.
pub mod credential_status {
    pub const NONE: u8 = 0;
    pub const ISSUED: u8 = 1;
    pub const SUSPENDED: u8 = 2;
    /// For good.
    pub const REVOKED: u8 = 3;
    /// By a later one: only of times past.
    pub const REPLACED: u8 = 4;

    /// Stable text, for people and for JSON.
    pub const fn text(status: u8) -> &'static str {
        match status {
            NONE => "none",
            ISSUED => "issued",
            SUSPENDED => "suspended",
            REVOKED => "revoked",
            REPLACED => "replaced",
            _ => "unknown-status",
        }
    }
}

/// HL7 PurposeOfUse (v3-ActReason), as bits.
pub mod purpose {
    pub const TREAT: u32 = 1 << 0;
    pub const ETREAT: u32 = 1 << 1;
    pub const HPAYMT: u32 = 1 << 2;
    pub const HOPERAT: u32 = 1 << 3;
    pub const HRESCH: u32 = 1 << 4;
    pub const PATRQT: u32 = 1 << 5;
    pub const PUBHLTH: u32 = 1 << 6;

    /// Code and bit, in bit order.
    pub const ALL: [(&str, u32); 7] = [
        ("TREAT", TREAT),
        ("ETREAT", ETREAT),
        ("HPAYMT", HPAYMT),
        ("HOPERAT", HOPERAT),
        ("HRESCH", HRESCH),
        ("PATRQT", PATRQT),
        ("PUBHLTH", PUBHLTH),
    ];
}

/// Action bits of a grant.
pub mod action {
    pub const READ: u8 = 1 << 0;
    pub const WRITE: u8 = 1 << 1;
    pub const SHARE: u8 = 1 << 2;

    pub const ALL: [(&str, u8); 3] = [("read", READ), ("write", WRITE), ("share", SHARE)];
}

/// Sealing suites; the ids are Medlock's own and stand in every sealed object.
pub mod suite {
    /// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180).
    pub const X25519: u16 = 1;
    pub const X25519_KEY_BYTES: usize = 32;
}

/// Why a question was answered as it was. Below 16: allowed.
///
/// The order of the checks is part of the ABI: the first that fails names the reason, and whoever answers
/// (contract, index) follows it: `MALFORMED`, then from `UNKNOWN_CHART` up to `RECORD_COMPARTMENT` in the
/// order of their numbers, then `CONTROLLER` or `GRANT`. For the controller the grant's checks
/// (`NO_GRANT` to `ACTION`) are left out; for a question without a record the record's two are.
pub mod reason {
    pub const CONTROLLER: u8 = 1;
    pub const GRANT: u8 = 2;
    pub const UNKNOWN_CHART: u8 = 16;
    /// No grant was given, or `revoke` has cleared it.
    pub const NO_GRANT: u8 = 17;
    /// The grant is of an epoch that `revokeAll` has ended.
    pub const REVOKED: u8 = 18;
    pub const NOT_YET_VALID: u8 = 19;
    pub const EXPIRED: u8 = 20;
    pub const COMPARTMENT: u8 = 21;
    pub const PURPOSE: u8 = 22;
    pub const ACTION: u8 = 23;
    pub const UNKNOWN_RECORD: u8 = 24;
    /// The record exists, but in another compartment than the question names.
    pub const RECORD_COMPARTMENT: u8 = 25;
    /// Compartment above 63, or not exactly one purpose bit, or not exactly one action bit.
    pub const MALFORMED: u8 = 26;

    pub const fn is_allowed(reason: u8) -> bool {
        matches!(reason, CONTROLLER | GRANT)
    }

    /// Stable text, for people and for JSON.
    pub const fn text(reason: u8) -> &'static str {
        match reason {
            CONTROLLER => "controller",
            GRANT => "grant",
            UNKNOWN_CHART => "unknown-chart",
            NO_GRANT => "no-grant",
            REVOKED => "revoked",
            NOT_YET_VALID => "not-yet-valid",
            EXPIRED => "expired",
            COMPARTMENT => "compartment-not-granted",
            PURPOSE => "purpose-not-granted",
            ACTION => "action-not-granted",
            UNKNOWN_RECORD => "unknown-record",
            RECORD_COMPARTMENT => "record-in-another-compartment",
            MALFORMED => "malformed-question",
            _ => "unknown-reason",
        }
    }
}

/// Compartments are 0..63: one bit each in a grant.
pub const COMPARTMENTS: u8 = 64;
/// Records in one `addRecords`, keyrings in one `setKeyrings`, questions in one `decideMany`:
/// bounds the gas of one call well under Arbitrum's 32 million a transaction.
pub const BATCH_MOST: usize = 128;
/// Times fit in 40 bits.
pub const TIME_MOST: u64 = (1 << 40) - 1;
/// The codec of an envelope (multicodec dag-cbor).
pub const CODEC_DAG_CBOR: u8 = 0x71;
