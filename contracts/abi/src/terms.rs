//! The numbers behind the names: roles, purposes, actions, suites, codecs, reasons, limits.

/// Role bits of a credential.
pub mod role {
    pub const ORGANISATION: u64 = 1 << 0;
    pub const PRACTITIONER: u64 = 1 << 1;
    pub const INSURER: u64 = 1 << 2;
    /// A party that may author clinical records: organisations and practitioners are issued it beside their own bit.
    pub const PROVIDER: u64 = 1 << 3;
    /// A party that serves envelopes against receipts, and anchors the receipts.
    pub const GATEWAY: u64 = 1 << 4;
    /// Registers and recalls batches of drugs.
    pub const MAKER: u64 = 1 << 5;
    pub const DISTRIBUTOR: u64 = 1 << 6;
    pub const PHARMACY: u64 = 1 << 7;
    /// Registers clinical trials.
    pub const SPONSOR: u64 = 1 << 8;
    /// Enrols a trial's participants and anchors their data.
    pub const SITE: u64 = 1 << 9;
    pub const REGULATOR: u64 = 1 << 10;

    /// Trading partners: any of these offers and accepts shipments.
    pub const TRADE: u64 = MAKER | DISTRIBUTOR | PHARMACY;

    pub const ALL: [(&str, u64); 11] = [
        ("organisation", ORGANISATION),
        ("practitioner", PRACTITIONER),
        ("insurer", INSURER),
        ("provider", PROVIDER),
        ("gateway", GATEWAY),
        ("maker", MAKER),
        ("distributor", DISTRIBUTOR),
        ("pharmacy", PHARMACY),
        ("sponsor", SPONSOR),
        ("site", SITE),
        ("regulator", REGULATOR),
    ];
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

/// What a delegate may do in the controller's place, as bits.
pub mod power {
    pub const READ: u8 = 1 << 0;
    pub const WRITE: u8 = 1 << 1;
    /// Grants, and rules for single records.
    pub const GRANT: u8 = 1 << 2;
    pub const REVOKE: u8 = 1 << 3;
    /// Directories, and keyrings for grants that stand.
    pub const DIRECTORY: u8 = 1 << 4;
    /// Delegates of one's own, with powers that one has.
    pub const DELEGATE: u8 = 1 << 5;
    pub const EVERY: u8 = (1 << 6) - 1;

    pub const ALL: [(&str, u8); 6] = [
        ("read", READ),
        ("write", WRITE),
        ("grant", GRANT),
        ("revoke", REVOKE),
        ("directory", DIRECTORY),
        ("delegate", DELEGATE),
    ];

    /// The power by which a delegate takes `action` (one bit); 0: none does.
    pub const fn of(action: u8) -> u8 {
        match action {
            super::action::READ => READ,
            super::action::WRITE => WRITE,
            super::action::SHARE => GRANT,
            _ => 0,
        }
    }
}

/// What a rule for one record does.
pub mod effect {
    /// No rule.
    pub const NONE: u8 = 0;
    /// Adds the record to what a grantee may use, whatever the compartments of the grant.
    pub const ALLOW: u8 = 1;
    /// Wins over everything but the controller.
    pub const DENY: u8 = 2;

    /// Stable text, for people and for JSON.
    pub const fn text(effect: u8) -> &'static str {
        match effect {
            NONE => "none",
            ALLOW => "allow",
            DENY => "deny",
            _ => "unknown-effect",
        }
    }
}

/// Where a record stands.
pub mod record_status {
    pub const CURRENT: u8 = 0;
    /// FHIR `entered-in-error`: readable, flagged, not amended any more.
    pub const ENTERED_IN_ERROR: u8 = 1;
    /// A tombstone: author, time and version remain, the pointer is gone.
    pub const SHREDDED: u8 = 2;

    /// Stable text, for people and for JSON.
    pub const fn text(status: u8) -> &'static str {
        match status {
            CURRENT => "current",
            ENTERED_IN_ERROR => "entered-in-error",
            SHREDDED => "shredded",
            _ => "unknown-status",
        }
    }
}

/// Why somebody broke the glass.
pub mod emergency {
    /// The patient cannot be asked (unconscious, confused, a small child alone).
    pub const UNABLE_TO_CONSENT: u16 = 1;
    /// Life or limb is in danger, and asking would take too long.
    pub const LIFE_THREATENING: u16 = 2;
    /// Others are in danger: an outbreak, a poisoning.
    pub const PUBLIC_DANGER: u16 = 3;
    /// Stated off chain, in the provider's own files.
    pub const OTHER: u16 = 4;

    pub const ALL: [(&str, u16); 4] = [
        ("unable-to-consent", UNABLE_TO_CONSENT),
        ("life-threatening", LIFE_THREATENING),
        ("public-danger", PUBLIC_DANGER),
        ("other", OTHER),
    ];

    /// The code's stable text, the same in every program. `other` for a code that the contract does not take.
    pub fn text(code: u16) -> &'static str {
        let named = ALL.iter().find(|(_, known)| *known == code);
        named.map_or("other", |(text, _)| text)
    }

    /// The code of a text.
    pub fn from_text(text: &str) -> Option<u16> {
        ALL.iter().find(|(known, _)| *known == text).map(|(_, code)| *code)
    }

    /// How long the rights last.
    pub const OPEN_S: u64 = 4 * 60 * 60;
    /// From one opening to the next by the same party on the same chart: the time box and 20 hours of cool-down.
    pub const AGAIN_S: u64 = 24 * 60 * 60;
    /// How far the deadline of a signed operation about an emergency may lie ahead when it is submitted. It takes effect within
    /// [`OPEN_S`] of the opening, so that it is void before the same party can break the glass again.
    pub const SIGNED_S_MOST: u64 = AGAIN_S - OPEN_S;
}

/// Where a claim stands.
pub mod claim_state {
    pub const RECEIVED: u8 = 1;
    pub const IN_REVIEW: u8 = 2;
    pub const INFORMATION_REQUESTED: u8 = 3;
    pub const APPROVED: u8 = 4;
    pub const PARTLY_APPROVED: u8 = 5;
    pub const DENIED: u8 = 6;
    pub const APPEALED: u8 = 7;
    pub const PAID: u8 = 8;
    /// The approval or the payment was taken back, for good.
    pub const REVERSED: u8 = 9;
    /// By the provider, for good.
    pub const WITHDRAWN: u8 = 10;

    /// Whether a claim keeps others for the same service out: while it is paid, or may still be. What does not hold never holds again.
    pub const fn holds(state: u8, deadline: u64, now: u64) -> bool {
        match state {
            RECEIVED | IN_REVIEW | INFORMATION_REQUESTED | APPROVED | PARTLY_APPROVED | APPEALED | PAID => true,
            DENIED => now < deadline,
            _ => false,
        }
    }

    /// Stable text, for people and for JSON.
    pub const fn text(state: u8) -> &'static str {
        match state {
            RECEIVED => "received",
            IN_REVIEW => "in-review",
            INFORMATION_REQUESTED => "information-requested",
            APPROVED => "approved",
            PARTLY_APPROVED => "partly-approved",
            DENIED => "denied",
            APPEALED => "appealed",
            PAID => "paid",
            REVERSED => "reversed",
            WITHDRAWN => "withdrawn",
            _ => "unknown-state",
        }
    }
}

/// Why a claim was denied, approved in part alone, or reversed.
pub mod claim_reason {
    pub const NOT_COVERED: u16 = 1;
    pub const NOT_NECESSARY: u16 = 2;
    /// The patient was not insured there at the time.
    pub const NOT_INSURED: u16 = 3;
    pub const NOT_AUTHORISED: u16 = 4;
    pub const TOO_LATE: u16 = 5;
    pub const ABOVE_LIMIT: u16 = 6;
    pub const DUPLICATE: u16 = 7;
    /// The records do not bear out what is billed.
    pub const NOT_SUPPORTED: u16 = 8;
    /// The fingerprint is not that of the service in the document.
    pub const OTHER_FINGERPRINT: u16 = 9;
    pub const NOT_RENDERED: u16 = 10;
    pub const PAID_IN_ERROR: u16 = 11;
    /// Stated in the insurer's own document.
    pub const OTHER: u16 = 12;
    /// By `closeOverdue` alone: the provider gave no information in time.
    pub const NO_INFORMATION: u16 = 13;
    /// By `closeOverdue` alone: the insurer did not decide in time.
    pub const NO_ANSWER: u16 = 14;

    pub const ALL: [(&str, u16); 14] = [
        ("not-covered", NOT_COVERED),
        ("not-necessary", NOT_NECESSARY),
        ("not-insured", NOT_INSURED),
        ("not-authorised", NOT_AUTHORISED),
        ("too-late", TOO_LATE),
        ("above-limit", ABOVE_LIMIT),
        ("duplicate", DUPLICATE),
        ("not-supported", NOT_SUPPORTED),
        ("other-fingerprint", OTHER_FINGERPRINT),
        ("not-rendered", NOT_RENDERED),
        ("paid-in-error", PAID_IN_ERROR),
        ("other", OTHER),
        ("no-information", NO_INFORMATION),
        ("no-answer", NO_ANSWER),
    ];

    /// Whether an insurer may state it.
    pub const fn is_an_insurers(code: u16) -> bool {
        NOT_COVERED <= code && code <= OTHER
    }
}

/// Terms of claims: who has how long, and how often.
pub mod claim {
    const DAY_S: u64 = 24 * 60 * 60;
    /// The insurer's, from the claim, from the provider's information, to a decision.
    pub const DECISION_S: u64 = 30 * DAY_S;
    /// The provider's, to give information.
    pub const INFORMATION_S: u64 = 45 * DAY_S;
    /// The provider's, from a decision to an appeal.
    pub const APPEAL_S: u64 = 180 * DAY_S;
    /// The insurer's, from an appeal to a decision.
    pub const APPEAL_DECISION_S: u64 = 60 * DAY_S;
    /// The insurer's, from the approval to the payment. Nothing ends by it: what was approved stays owed, and anybody sees that it is late.
    pub const PAYMENT_S: u64 = 30 * DAY_S;
    /// How often an insurer may ask for information, so that asking is no way to never decide.
    pub const INFORMATION_ROUNDS_MOST: u8 = 3;
    pub const APPEALS_MOST: u8 = 2;
    /// Claims in one `submitClaims`: bounds its gas, with all their links, well under Arbitrum's 32 million a transaction.
    pub const BATCH_MOST: usize = 16;
    /// Records that one claim rests on.
    pub const LINKS_MOST: usize = 8;
    /// ISO 4217's last number.
    pub const CURRENCY_MOST: u16 = 999;
    /// In minor units.
    pub const AMOUNT_MOST: u64 = u64::MAX;
    /// Of a token to a currency, as a power of ten: with [`AMOUNT_MOST`] far from 2^256.
    pub const SCALE_MOST: u8 = 36;
}

/// GS1's number of a trade item, in 14 digits; shorter ones begin with zeroes.
pub mod gtin {
    pub const MOST: u64 = 99_999_999_999_999;

    /// Whether the last digit is the check digit (GS1 General Specifications, 7.9): with the others, from the right by turns three
    /// times and once, it makes a multiple of ten. Zero is nobody's number.
    pub const fn is_sound(gtin: u64) -> bool {
        let (mut sum, mut rest, mut weight) = (0, gtin, 1);
        while rest != 0 {
            sum += rest % 10 * weight;
            rest /= 10;
            weight = 4 - weight;
        }
        gtin != 0 && gtin <= MOST && sum.is_multiple_of(10)
    }
}

/// How drugs pass from hand to hand.
pub mod shipment {
    /// To somebody who has not had it.
    pub const SALE: u8 = 1;
    /// Back to somebody who has.
    pub const RETURN: u8 = 2;

    pub const KINDS: [(&str, u8); 2] = [("sale", SALE), ("return", RETURN)];

    pub const OPEN: u8 = 1;
    pub const ACCEPTED: u8 = 2;
    pub const REFUSED: u8 = 3;
    pub const WITHDRAWN: u8 = 4;

    pub const STATES: [(&str, u8); 4] = [
        ("open", OPEN),
        ("accepted", ACCEPTED),
        ("refused", REFUSED),
        ("withdrawn", WITHDRAWN),
    ];
}

/// Why packages left the supply without being dispensed.
pub mod decommission {
    pub const DESTROYED: u8 = 1;
    pub const DAMAGED: u8 = 2;
    pub const SAMPLE: u8 = 3;
    pub const STOLEN: u8 = 4;
    pub const LOST: u8 = 5;
    /// To where this ledger is not kept.
    pub const EXPORTED: u8 = 6;
    /// Stated in the document.
    pub const OTHER: u8 = 7;

    pub const ALL: [(&str, u8); 7] = [
        ("destroyed", DESTROYED),
        ("damaged", DAMAGED),
        ("sample", SAMPLE),
        ("stolen", STOLEN),
        ("lost", LOST),
        ("exported", EXPORTED),
        ("other", OTHER),
    ];
}

/// How dangerous a recalled drug is (21 CFR 7.3(m)), and what is wrong with it.
pub mod recall {
    /// May kill or do serious harm.
    pub const CLASS_I: u8 = 1;
    /// May do harm that passes.
    pub const CLASS_II: u8 = 2;
    /// Harm is unlikely.
    pub const CLASS_III: u8 = 3;

    pub const CLASSES: [(&str, u8); 3] = [("class-i", CLASS_I), ("class-ii", CLASS_II), ("class-iii", CLASS_III)];

    pub const CONTAMINATED: u8 = 1;
    pub const WRONG_STRENGTH: u8 = 2;
    pub const MISLABELLED: u8 = 3;
    pub const DEFECTIVE: u8 = 4;
    pub const ADVERSE_EVENTS: u8 = 5;
    pub const COUNTERFEIT: u8 = 6;
    /// Stated in the document.
    pub const OTHER: u8 = 7;

    pub const REASONS: [(&str, u8); 7] = [
        ("contaminated", CONTAMINATED),
        ("wrong-strength", WRONG_STRENGTH),
        ("mislabelled", MISLABELLED),
        ("defective", DEFECTIVE),
        ("adverse-events", ADVERSE_EVENTS),
        ("counterfeit", COUNTERFEIT),
        ("other", OTHER),
    ];

    /// Of one batch: what moves a unit or dispenses looks at all of them.
    pub const MOST: u8 = 8;
}

/// What a scanned package is, as bits: several may be true at once. None: never made.
pub mod package {
    /// Its serial stands under its batch's root.
    pub const MADE: u8 = 1 << 0;
    pub const EXPIRED: u8 = 1 << 1;
    pub const RECALLED: u8 = 1 << 2;
    pub const DISPENSED: u8 = 1 << 3;
    pub const DECOMMISSIONED: u8 = 1 << 4;
    /// In a shipment that is open.
    pub const IN_TRANSIT: u8 = 1 << 5;

    pub const ALL: [(&str, u8); 6] = [
        ("made", MADE),
        ("expired", EXPIRED),
        ("recalled", RECALLED),
        ("dispensed", DISPENSED),
        ("decommissioned", DECOMMISSIONED),
        ("in-transit", IN_TRANSIT),
    ];
}

/// Where a clinical trial stands.
pub mod trial {
    pub const OPEN: u8 = 1;
    /// No data come any more; results may.
    pub const LOCKED: u8 = 2;
    pub const CLOSED: u8 = 3;

    pub const STATES: [(&str, u8); 3] = [("open", OPEN), ("locked", LOCKED), ("closed", CLOSED)];

    /// Versions of one trial: its number is one byte.
    pub const VERSIONS_MOST: u8 = u8::MAX;
    /// Results of one trial, corrections among them.
    pub const RESULTS_MOST: u8 = u8::MAX;
}

/// Why a trial was amended.
pub mod amendment {
    pub const SAFETY: u8 = 1;
    pub const REGULATOR: u8 = 2;
    /// What is done to participants, when and how often.
    pub const PROCEDURE: u8 = 3;
    /// Who may take part.
    pub const ELIGIBILITY: u8 = 4;
    /// What is measured, and how it is analysed.
    pub const OUTCOMES: u8 = 5;
    /// The text alone.
    pub const EDITORIAL: u8 = 6;
    /// Stated in the document.
    pub const OTHER: u8 = 7;

    pub const ALL: [(&str, u8); 7] = [
        ("safety", SAFETY),
        ("regulator", REGULATOR),
        ("procedure", PROCEDURE),
        ("eligibility", ELIGIBILITY),
        ("outcomes", OUTCOMES),
        ("editorial", EDITORIAL),
        ("other", OTHER),
    ];
}

/// Where a trial's participant stands.
pub mod participant {
    pub const CONSENTED: u8 = 1;
    pub const ENROLLED: u8 = 2;
    /// For good.
    pub const WITHDRAWN: u8 = 3;

    pub const ALL: [(&str, u8); 3] = [
        ("consented", CONSENTED),
        ("enrolled", ENROLLED),
        ("withdrawn", WITHDRAWN),
    ];
}

/// What is to be noticed about a trial's batch of data, as bits.
pub mod batch {
    /// Anchored more than [`LATE_S`] after its period.
    pub const LATE: u8 = 1 << 0;
    /// After one of the same site with a higher number.
    pub const OUT_OF_ORDER: u8 = 1 << 1;
    /// Before one of the same site with a lower number, which may still come.
    pub const GAP: u8 = 1 << 2;

    pub const ALL: [(&str, u8); 3] = [("late", LATE), ("out-of-order", OUT_OF_ORDER), ("gap", GAP)];

    /// Thirty days: sites report by the month.
    pub const LATE_S: u64 = 30 * 24 * 60 * 60;
}

/// Sealing suites; the ids are Medlock's own and stand in every sealed object.
pub mod suite {
    /// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180).
    pub const X25519: u16 = 1;
    pub const X25519_KEY_BYTES: usize = 32;
    /// X-Wing (X25519 and ML-KEM-768, draft-connolly-cfrg-xwing-kem), HKDF-SHA256, AES-256-GCM: for secrets of decades.
    pub const XWING: u16 = 2;
    pub const XWING_KEY_BYTES: usize = 1216;

    pub const ALL: [(&str, u16); 2] = [("x25519", X25519), ("x-wing", XWING)];
}

/// Why a question was answered as it was. Below 16: allowed.
///
/// The order of the checks is part of the ABI: the first that fails names the reason, and whoever answers (contract,
/// index) follows it: `MALFORMED`, `UNKNOWN_CHART`, `NOT_MEMBER`; then [`combine`] of what the grant says and, for an
/// exceptional chart, of what stands beside it; then, where that allows and a record is asked about, the record's:
/// `UNKNOWN_RECORD`, `RECORD_COMPARTMENT`, `SHREDDED`.
pub mod reason {
    use super::{action, power};

    pub const CONTROLLER: u8 = 1;
    pub const GRANT: u8 = 2;
    /// By a power that the controller delegated.
    pub const DELEGATE: u8 = 3;
    /// By breaking the glass.
    pub const EMERGENCY: u8 = 4;
    /// By a grant in force, and a rule that adds this record to it.
    pub const RULE: u8 = 5;
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
    /// A grant is in force, but a rule denies this record.
    pub const DENIED: u8 = 27;
    pub const SHREDDED: u8 = 28;
    /// `member` is no current member of `grantee`, or `grantee` no current organisation.
    pub const NOT_MEMBER: u8 = 29;

    pub const fn is_allowed(reason: u8) -> bool {
        matches!(reason, CONTROLLER | GRANT | DELEGATE | EMERGENCY | RULE)
    }

    /// What stands beside the grants of an exceptional chart, about one question.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Facts {
        /// A rule denies the record to whoever asks.
        pub denied: bool,
        /// The directory version at which a rule that allows the record was set. 0: there is none.
        pub allowed_since: u32,
        /// Delegated powers of whoever asks (bits of `power`).
        pub powers: u8,
        /// Whoever asks has broken the glass, for this compartment, purpose and action.
        pub emergency: bool,
    }

    /// No answer is taken for this one: it can close, never open.
    pub const NO_FACTS: Facts = Facts {
        denied: true,
        allowed_since: 0,
        powers: 0,
        emergency: false,
    };

    /// What the grant says (`GRANT`, or `NO_GRANT` to `ACTION`) and what stands beside it, together.
    ///
    /// A deny rule wins, and is named only to who has a grant in force. A rule that allows overrides `COMPARTMENT` alone,
    /// and was set since the grants of this pair began (`since`). Where the grant fails, the delegate's power is tried,
    /// then the emergency; where all fail, the grant's own reason stands.
    pub const fn combine(by_grant: u8, since: u32, asked: u8, facts: Facts) -> u8 {
        if facts.denied {
            return match by_grant {
                GRANT | COMPARTMENT | PURPOSE | ACTION => DENIED,
                _ => by_grant,
            };
        }
        if by_grant == GRANT {
            GRANT
        } else if by_grant == COMPARTMENT && facts.allowed_since >= since && facts.allowed_since != 0 {
            RULE
        } else if facts.powers & power::of(asked) != 0 {
            DELEGATE
        } else if facts.emergency && asked == action::READ {
            EMERGENCY
        } else {
            by_grant
        }
    }

    /// Stable text, for people and for JSON.
    pub const fn text(reason: u8) -> &'static str {
        match reason {
            CONTROLLER => "controller",
            GRANT => "grant",
            DELEGATE => "delegate",
            EMERGENCY => "emergency",
            RULE => "rule",
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
            DENIED => "denied-by-rule",
            SHREDDED => "shredded",
            NOT_MEMBER => "not-a-member",
            _ => "unknown-reason",
        }
    }
}

/// Compartments are 0..63: one bit each in a grant.
pub const COMPARTMENTS: u8 = 64;
/// Records in one `addRecords`, keyrings in one `setKeyrings` or revocation, questions in one `decideMany`:
/// bounds the gas of one call well under Arbitrum's 32 million a transaction.
pub const BATCH_MOST: usize = 128;
/// From the controller's own delegates (1) to the last that may be named.
pub const DELEGATE_DEPTH_MOST: u8 = 3;
/// Holders in one unit's chain of custody, the maker among them: each sale walks the chain. (Drugs mostly have three or four.)
pub const HOLDERS_MOST: u8 = 16;
/// Grants of one pair between two revocations: `serial` is one byte.
pub const SERIAL_MOST: u8 = u8::MAX;
/// Times fit in 40 bits.
pub const TIME_MOST: u64 = (1 << 40) - 1;
/// The codec of an envelope (multicodec dag-cbor).
pub const CODEC_DAG_CBOR: u8 = 0x71;
