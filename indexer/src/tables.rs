//! The state tables: their names and columns, said once for the code (and once for each database, in `migrations/`).
use alloy::primitives::{Address, B256, Bytes, U256};
use anyhow::{Context, Result, ensure};

/// `valid_to` of a row that is current.
pub const CURRENT: i64 = i64::MAX;
/// The low bits of a place: the log's index in its block, 16 million at most. The block has the others, 2^39 at most.
pub const LOG_BITS: u32 = 24;

/// Where an event stands, as one number. Fails past what [`LOG_BITS`] leaves to block and log.
pub fn place(block: u64, log: u64) -> Result<i64> {
    ensure!(
        end_of(block) < CURRENT && log < 1 << LOG_BITS,
        "log {log} of block {block} has no place"
    );
    Ok(((block << LOG_BITS) | log).cast_signed())
}

/// The first place after every event of `block`.
pub fn end_of(block: u64) -> i64 {
    let next = block.saturating_add(1);
    if next.leading_zeros() > LOG_BITS {
        (next << LOG_BITS).cast_signed()
    } else {
        CURRENT
    }
}

/// `Name = table(key columns; value columns)`, and `for_good` where no row ever ends.
macro_rules! tables {
    ($($name:ident = $table:ident($($key:ident)+; $($value:ident)*) $($good:ident)?,)+) => {
        /// A state table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Table {
            $($name,)+
        }

        impl Table {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($table),)+
                }
            }

            /// The columns that tell which thing a row is about.
            pub fn key(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$(stringify!($key)),+],)+
                }
            }

            /// What a row says of it.
            pub fn values(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$(stringify!($value)),*],)+
                }
            }

            /// Whether rows of this table end. Where they do not, there is no `valid_to`.
            pub fn ends(self) -> bool {
                match self {
                    $(Self::$name => { let good: &[&str] = &[$(stringify!($good))?]; good.is_empty() })+
                }
            }
        }
    };
}

tables! {
    Chart = chart(chart; controller control_epoch),
    ControlOffer = control_offer(chart; offered_to),
    GrantEpoch = grant_epoch(chart; epoch),
    Directory = directory(chart; version digest),
    Record = record(chart record_id; compartment author codec pointer created_at) for_good,
    RecordVersion = record_version(chart record_id; version author codec pointer previous created_at),
    RecordStatus = record_status(chart record_id; status),
    Batch = batch(chart root; author compartment codec leaves) for_good,
    Grant = grant_(chart grantee; epoch compartments purposes actions not_before expiry since serial keyring),
    Keyring = keyring(chart grantee; digest),
    Rule = rule(chart record_id grantee; effect purposes actions expiry directory_version),
    Delegate = delegate(chart delegate; parent serial powers expiry depth parent_serial control_epoch),
    EmergencyAccess = emergency_access(chart; allowed serial control_epoch),
    Emergency = emergency(chart party; organisation compartments reason_code until grant_epoch serial),
    Issuer = issuer(issuer; number epoch),
    Credential = credential(party; issuer issuer_epoch roles expiry document),
    CredentialStatus = credential_status(party; status),
    Member = member(organisation member; expiry),
    PartyKey = party_key(party; version suite key),
    KeyRevocation = key_revocation(party version;) for_good,
    Nonce = nonce(signer; nonce),
    Anchor = anchor(gateway number; anchor previous root receipts) for_good,
    Equivocation = equivocation(gateway number first second; proved_by) for_good,
    Claim = claim(claim; chart provider insurer submitted_by document fingerprint currency billed currency_version shared previous) for_good,
    ClaimLink = claim_link(claim number; record_id pointer) for_good,
    ClaimStep = claim_step(claim; serial state acted_by document amount reason_code deadline token value),
    InsurerSetting = insurer_setting(insurer; serial shared),
    CurrencySetting = currency_setting(insurer currency version; accepted token scale) for_good,
    DrugBatch = drug_batch(batch; maker gtin lot expiry root packages step document) for_good,
    Unit = unit(batch unit; cut_from) for_good,
    UnitOffer = unit_offer(batch unit step; shipment held previous) for_good,
    Shipment = shipment(shipment; sender receiver kind document),
    ShipmentClosing = shipment_closing(shipment; state closed_by document) for_good,
    Recall = recall(batch number; from_package to_package class reason_code issued_by document) for_good,
    Dispensing = dispensing(batch serial; unit package dispensed_by document) for_good,
    Decommissioning = decommissioning(batch unit; reason_code acted_by document) for_good,
    Trial = trial(trial; sponsor registration document) for_good,
    TrialVersion = trial_version(trial version; protocol plan form reason_code reconsent document) for_good,
    Site = site(trial site; serial active),
    Consent = consent(trial participant; site version document),
    Enrolment = enrolment(trial participant; site number) for_good,
    Withdrawal = withdrawal(trial participant; site number) for_good,
    DataBatch = data_batch(trial site sequence; period_from period_to root leaves participants flags version data document) for_good,
    DataLock = data_lock(trial; batches data) for_good,
    TrialResult = trial_result(trial number; version plan data results document) for_good,
    TrialClosing = trial_closing(trial;) for_good,
}

/// Whether a column of a key holds numbers, and not bytes.
pub fn is_number(key: &str) -> bool {
    matches!(
        key,
        "number" | "version" | "currency" | "unit" | "step" | "shipment" | "sequence"
    )
}

impl Table {
    /// The table of the things that this one tells more of; none is told of that is not there.
    pub fn of(self) -> Option<Self> {
        match self {
            Self::RecordVersion | Self::RecordStatus => Some(Self::Record),
            Self::Unit | Self::Recall => Some(Self::DrugBatch),
            Self::UnitOffer | Self::Dispensing | Self::Decommissioning => Some(Self::Unit),
            Self::TrialVersion | Self::Site | Self::Consent | Self::DataBatch | Self::DataLock => Some(Self::Trial),
            Self::Enrolment | Self::Withdrawal => Some(Self::Consent),
            Self::TrialResult | Self::TrialClosing => Some(Self::DataLock),
            _ => None,
        }
    }

    /// Key, values and place in time, in the order in which rows are written.
    pub fn columns(self) -> impl Iterator<Item = &'static str> {
        let place: &[&str] = if self.ends() {
            &["valid_from", "valid_to"]
        } else {
            &["valid_from"]
        };
        self.key().iter().chain(self.values()).chain(place).copied()
    }
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    Int(i64),
    Word(B256),
    Account(Address),
    Bytes(Bytes),
    Text(&'static str),
    Null,
}

impl Value {
    /// A bit set: all 64 bits count, so the top one shows as a negative number.
    pub fn bits(bits: u64) -> Self {
        Self::Int(bits.cast_signed())
    }

    /// A number. Fails past 2^63, which no column holds.
    pub fn int(value: u64) -> Result<Self> {
        let value = i64::try_from(value).with_context(|| format!("{value} does not fit a 64-bit signed column"))?;
        Ok(Self::Int(value))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}
impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Int(value.into())
    }
}
impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Int(value.into())
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}
impl From<B256> for Value {
    fn from(word: B256) -> Self {
        Self::Word(word)
    }
}
impl From<U256> for Value {
    fn from(number: U256) -> Self {
        Self::Word(number.into())
    }
}
impl From<Address> for Value {
    fn from(account: Address) -> Self {
        Self::Account(account)
    }
}
impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}
