//! The command line, and nothing else: what can be said, and how it is explained.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use alloy::primitives::{Address, B256};
use clap::{Args, Parser, Subcommand};
use medlock_client::{
    Suite,
    api::claims::ClaimState,
    drugs::{Day, Gtin, Lot, plan::Run},
};
use medlock_deploy::Terms;
use medlock_gateway::{Network, RelayLimits, Upkeep};

use crate::{demo::Ledger, settings::Setting, stores::Stores, supply};

/// Health records that belong to the patient.
///
/// Record pointers and grants stand on an Arbitrum chain; the records themselves are encrypted on this
/// machine before they leave it. Start with `medlock dev`, which runs everything in one process.
#[derive(Debug, Parser)]
#[command(name = "medlock", version, max_term_width = 100)]
#[command(after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done          1  failed                  2  the command line is wrong
  3  refused (no grant, no credential, ...)   4  chain or gateway not reachable, try again
  5  tampered data: nothing was released      6  key file or passphrase
  7  the answer is no (medlock check); of `medlock index status`, 3 means that the index lags;
     of `medlock index verify` and `medlock deploy verify`, 5 means that something differs";

#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Folder that `medlock dev` keeps; its chain, gateway and deployment are the defaults below.
    #[arg(
        long,
        global = true,
        env = "MEDLOCK_HOME",
        default_value = ".medlock/dev",
        value_name = "DIR"
    )]
    pub home: PathBuf,
    /// Ethereum JSON-RPC endpoint. `index` and `gateway` take several, the preferred first: repeat it, or join them with commas.
    #[arg(
        long,
        global = true,
        env = "MEDLOCK_RPC",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "URL"
    )]
    pub rpc: Vec<String>,
    /// Medlock gateway.
    #[arg(long, global = true, env = "MEDLOCK_GATEWAY", value_name = "URL")]
    pub gateway: Option<String>,
    /// Deployment file: which contracts on which chain.
    #[arg(long, global = true, env = "MEDLOCK_DEPLOYMENT", value_name = "FILE")]
    pub deployment: Option<PathBuf>,
    /// Your key file.
    #[arg(long, short, global = true, env = "MEDLOCK_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// File whose first line is the passphrase. Otherwise MEDLOCK_PASSPHRASE, otherwise you are asked.
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Act for this organisation, as its member: `chart`, `record` and `grant` read and write what was granted to it. On charts of
    /// your own you go on to act for yourself.
    #[arg(long, global = true, env = "MEDLOCK_ORGANISATION", value_name = "ACCOUNT")]
    pub organisation: Option<Address>,
    /// Sign, and have the gateway submit it and pay: for accounts without funds. What takes a transaction of your own is refused.
    #[arg(long, global = true)]
    pub relay: bool,
    /// Print JSON: one value on standard output, errors as an object on standard error.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run chain, indexer and gateway in one process, with state kept in the home folder.
    Dev(DevArgs),
    /// Show the whole of Medlock on a real bundle, and check every step.
    Demo(DemoArgs),
    /// Key files: make, show, publish, rotate, write down, sign out, change the passphrase.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The registry: credentials of parties and who issues them.
    #[command(subcommand)]
    Party(PartyCommand),
    /// Members of an organisation, who act for it: set, remove, list, seal the organisation's keys to them.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Charts: open, show, rotate the keys, back up, restore.
    #[command(subcommand)]
    Chart(ChartCommand),
    /// Records: import, list, read, add, amend, export, shred.
    #[command(subcommand)]
    Record(RecordCommand),
    /// Grants: give, revoke, list.
    #[command(subcommand)]
    Grant(GrantCommand),
    /// Claims: submit, list, show, decide, appeal, pay.
    #[command(subcommand)]
    Claim(ClaimCommand),
    /// What an insurer accepts: currencies, and whether it shares the registry of services.
    #[command(subcommand)]
    Insurer(InsurerCommand),
    /// Drugs: register batches, ship, dispense, recall, and see what a package in hand is.
    #[command(subcommand)]
    Supply(SupplyCommand),
    /// Clinical trials: register, consent, anchor data and results; check a published trial against the chain.
    #[command(subcommand)]
    Trial(TrialCommand),
    /// Emergencies: what may be opened without asking you, and by whose help; break the glass, list, close.
    #[command(subcommand)]
    Emergency(EmergencyCommand),
    /// Keep shares of patients' emergency keys, and hand them on where the chain says that the glass is broken.
    Custodian(CustodianArgs),
    /// Ask whether you may use a compartment for a purpose. No data is served with the answer.
    Check(CheckArgs),
    /// Check a verdict on file against the chain: its signature, its block, and its proof. No gateway is asked.
    Verify(VerdictArgs),
    /// What a gateway has submitted for you (`--relay`): list, show, cancel.
    #[command(subcommand)]
    Relay(RelayCommand),
    /// Who read what, when, and why (the chart's controller).
    Log { chart: B256 },
    /// Run an indexer alone, or ask how an index is doing.
    Index(IndexArgs),
    /// Run an indexer and a gateway against a chain that runs elsewhere.
    Gateway(Box<GatewayArgs>),
    /// Deploy the contracts: what it would take, doing it, and comparing a chain with it.
    #[command(subcommand)]
    Deploy(DeployCommand),
    /// A gateway's folder of blocks, while no gateway runs on it.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Print a completion script for your shell.
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Args)]
pub struct DevArgs {
    /// Port of the chain's JSON-RPC (0: any free port).
    #[arg(long, default_value_t = 8547)]
    pub rpc_port: u16,
    /// Port of the gateway (0: any free port).
    #[arg(long, default_value_t = 8480)]
    pub gateway_port: u16,
    #[command(flatten)]
    pub store: StoreArgs,
    #[command(flatten)]
    pub artifacts: ArtifactsArgs,
    #[command(subcommand)]
    pub command: Option<DevCommand>,
}

#[derive(Debug, Subcommand)]
pub enum DevCommand {
    /// Give an account funds on the development chain.
    Fund {
        account: Address,
        /// In ether.
        #[arg(long, default_value_t = 10)]
        ether: u64,
    },
}

#[derive(Debug, Clone, Args)]
pub struct ArtifactsArgs {
    /// Folder with the built contracts (`make contracts`).
    #[arg(
        long,
        env = "MEDLOCK_ARTIFACTS",
        default_value = "contracts/target/artifacts",
        value_name = "DIR"
    )]
    pub artifacts: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// Where payloads are kept: a folder, or the URL of an IPFS node's RPC interface (http://127.0.0.1:5001). Several hold the
    /// same; the nearest first. Without it: a folder of its own.
    #[arg(
        long = "store",
        env = "MEDLOCK_STORES",
        value_delimiter = ',',
        value_name = "DIR|URL"
    )]
    pub stores: Vec<String>,
    /// How many of several stores an upload waits for [default: more than half].
    #[arg(long, env = "MEDLOCK_STORE_QUORUM", value_name = "COUNT")]
    pub store_quorum: Option<usize>,
    /// Hours between two rounds of upkeep: what the chain does not refer to is removed, what it refers to is repaired
    /// (0: never).
    #[arg(long, env = "MEDLOCK_UPKEEP_HOURS", default_value_t = 24, value_name = "HOURS")]
    pub upkeep_hours: u64,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// One ledger's story alone, which goes deeper than its chapter of the whole demo.
    #[arg(value_enum)]
    pub ledger: Option<Ledger>,
    /// FHIR R4 bundle to import (the whole demo, and claims).
    #[arg(long, default_value = "tests/fixtures/bundles/adolescent.json", value_name = "FILE")]
    pub bundle: PathBuf,
    /// Folder for the demo's state and its report.json; emptied first.
    #[arg(long, default_value = ".medlock/demo", value_name = "DIR")]
    pub dir: PathBuf,
    #[command(flatten)]
    pub artifacts: ArtifactsArgs,
}

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a new key file. It is all that a backup needs: keep a copy, and remember the passphrase.
    New {
        file: PathBuf,
        /// Of the encryption key: x25519, or x-wing (post-quantum).
        #[arg(long, default_value = "x25519", value_parser = suite)]
        suite: Suite,
        /// Ask for the 24 words of a root secret (or MEDLOCK_WORDS), and keep that: the new account opens what was sealed
        /// under it.
        #[arg(long)]
        words: bool,
    },
    /// Show the root secret of your key file as 24 words, to be written on paper. Whoever has them can read your charts.
    Words,
    /// Show the account and public encryption key of a key file.
    Show { file: PathBuf },
    /// Publish your encryption key in the registry, so that others can seal to you.
    Publish,
    /// Draw another encryption key into your key file and publish it; what is sealed to the present one still opens.
    Rotate {
        /// x25519, or x-wing (post-quantum).
        #[arg(long, default_value = "x25519", value_parser = suite)]
        suite: Suite,
    },
    /// End every session of your account at the gateway, as after a device was lost.
    SignOut,
    /// Change the passphrase of your key file (the new one: MEDLOCK_NEW_PASSPHRASE, or you are asked).
    Passphrase,
}

#[derive(Debug, Subcommand)]
pub enum PartyCommand {
    /// Show a party's credential and encryption key.
    Show { account: Address },
    /// Issue a credential (issuers).
    Credential {
        account: Address,
        /// organisation, practitioner, insurer, provider, gateway, maker, distributor, pharmacy, sponsor, site, regulator
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
        /// Valid for this long: 90d, 12h, ... Without it: until revoked.
        #[arg(long = "for", value_name = "DURATION")]
        valid_for: Option<String>,
        /// The credential's document; its digest goes on chain.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// Revoke a party's credential (its issuer, or the registry's owner).
    Revoke { account: Address },
    /// Let an account issue credentials, or stop it (the registry's owner).
    Issuer {
        account: Address,
        #[arg(long)]
        remove: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// Make an account a member of your organisation, or set another end, and seal the organisation's keys to it.
    Set {
        account: Address,
        /// Ends after this long: 90d, 12h, ... Without it: when it is removed.
        #[arg(long = "for", value_name = "DURATION")]
        valid_for: Option<String>,
    },
    /// End a membership; then draw and publish another encryption key, and seal it to those who stay. The member is refused at once.
    /// What was in their hands already, and what is sealed to the key before, they may open for ever.
    Remove { account: Address },
    /// List who is a member of yours, and of whom you are one.
    List,
    /// Seal your keys to the members who have none or older ones, as after `keys rotate`.
    Seal,
}

#[derive(Debug, Subcommand)]
pub enum ChartCommand {
    /// Open a chart of your own.
    Open {
        /// Of the chart's keys: x25519, or x-wing (post-quantum; readers then need x-wing keys as well).
        #[arg(long, default_value = "x25519", value_parser = suite)]
        suite: Suite,
    },
    /// Move every compartment of a chart to new keys, and hand them to its grantees. Safe to repeat.
    Rotate {
        chart: B256,
        /// Change to x25519 or x-wing; without it, each compartment stays with what it has.
        #[arg(long, value_parser = suite)]
        suite: Option<Suite>,
    },
    /// Show a chart: controller, directory, compartments.
    Show { chart: B256 },
    /// Write a chart with all its records, as they are sealed, to one CAR file.
    Backup { chart: B256, file: PathBuf },
    /// Bring the blocks of a backup back to a gateway that has lost them. `chart rotate` then hands the keys to grantees
    /// anew.
    Restore { file: PathBuf },
}

#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// Encrypt files and add them: FHIR R4 (a Bundle, one resource, or one a line) a record for each resource, in the
    /// compartment that fits it; HL7 v2, DICOM, PDF, images and others whole. Repeating it adds nothing twice, amends what has
    /// changed, and completes what was interrupted.
    Import(ImportArgs),
    /// Write all that you may read to one file: a FHIR R4 Bundle.
    Export(ExportArgs),
    /// List the records that you may read.
    List {
        chart: B256,
        #[arg(long)]
        compartment: Option<u8>,
    },
    /// Read and decrypt one record. Signs a receipt that the patient sees.
    Show {
        chart: B256,
        record: B256,
        /// The latest without it.
        #[arg(long)]
        version: Option<u32>,
        #[arg(long, default_value = "TREAT")]
        purpose: String,
        /// These bytes of the content alone, both counted, from 0: of a large file, no more is fetched than they take.
        #[arg(long, value_parser = byte_range, value_name = "FROM-TO")]
        bytes: Option<(u64, u64)>,
        /// Write the content here instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Add one file of any type as a record. One over 8 MiB goes on where it was, if it is repeated after it was broken off.
    Add {
        chart: B256,
        file: PathBuf,
        #[arg(long)]
        compartment: u8,
        #[arg(long, default_value = "application/octet-stream")]
        media_type: String,
        #[arg(long)]
        title: Option<String>,
    },
    /// End a record for good, with all its versions: nobody can read it again (the chart's controller). The gateway removes the sealed
    /// keys at once, and says what is left.
    Shred { chart: B256, record: B256 },
    /// Have the gateway remove the sealed keys of a shredded record once more, and say what is left of it.
    Erasure { chart: B256, record: B256 },
    /// Replace a record's content; earlier versions stay readable and linked.
    Amend {
        chart: B256,
        record: B256,
        file: PathBuf,
        #[arg(long, default_value = "TREAT")]
        purpose: String,
    },
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    pub chart: B256,
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Say what would become which record, and do nothing. (What is there already may have to be read for that.)
    #[arg(long)]
    pub dry_run: bool,
    /// fhir, hl7v2, dicom or document, in place of what the content looks like. A document is kept as it is.
    #[arg(long)]
    pub kind: Option<String>,
    /// All of it goes into the sensitive compartment. The content of documents is not looked at for that.
    #[arg(long)]
    pub sensitive: bool,
    /// Of documents: labs, imaging, documents, ... Without it, what the kind of file suggests.
    #[arg(long)]
    pub category: Option<String>,
    /// Of documents. Without it, what the content looks like.
    #[arg(long)]
    pub media_type: Option<String>,
    /// Of documents. Without it, what the header says, or the file's name.
    #[arg(long)]
    pub title: Option<String>,
    /// Whose ids resources have that come without a fullUrl, as in Bulk Data exports: a name that you choose for the server. With
    /// it, what has the same type and id is the same record; without it, what has the same content.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Take a file about several patients, and a Patient that was born on another day than the chart's.
    #[arg(long)]
    pub any_patient: bool,
    /// For reading what is there already, to compare it.
    #[arg(long, default_value = "TREAT")]
    pub purpose: String,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    pub chart: B256,
    /// `-`: standard output.
    pub out: PathBuf,
    #[arg(long, default_value = "TREAT")]
    pub purpose: String,
    /// One imported file of resources instead, byte for byte as it came, whatever was amended since: that of this record of the
    /// compartment `bundles`; the last without one.
    #[arg(long, value_name = "RECORD", num_args = 0..=1, require_equals = true)]
    pub original: Option<Option<B256>>,
    /// Replace the file if there is one.
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Subcommand)]
pub enum GrantCommand {
    /// Grant a party rights on a chart of yours.
    Give {
        chart: B256,
        grantee: Address,
        /// Compartment numbers or labels: 1,4,labs ; or `all`.
        #[arg(long, value_delimiter = ',', required = true)]
        compartments: Vec<String>,
        /// TREAT, ETREAT, HPAYMT, HOPERAT, HRESCH, PATRQT, PUBHLTH
        #[arg(long, value_delimiter = ',', required = true)]
        purposes: Vec<String>,
        #[arg(long, value_delimiter = ',', default_value = "read")]
        actions: Vec<String>,
        /// Ends after this long: 90d, 12h, ... Without it: until revoked.
        #[arg(long = "for", value_name = "DURATION")]
        valid_for: Option<String>,
    },
    /// Revoke a party's grant and rotate the keys that it held.
    Revoke { chart: B256, grantee: Address },
    /// Revoke every grant of a chart, then rotate its keys; repeat it where the second step fails.
    RevokeAll { chart: B256 },
    /// List the grants of a chart of yours; without a chart, those given to you, or to your --organisation.
    List { chart: Option<B256> },
}

#[derive(Debug, Subcommand)]
pub enum ClaimCommand {
    /// Put your chart's fingerprint key among its claims, so that nobody is billed twice for one service (the patient).
    Share { chart: B256 },
    /// Submit FHIR R4 Claims about a chart (a provider). A Claim's first item is the service, its total what is billed.
    Submit {
        chart: B256,
        /// The insurer's account.
        #[arg(long)]
        insurer: Address,
        /// A Claim, as JSON; or several, each in a file of its own: up to 16 of them in one transaction, all or none.
        #[arg(long = "claim", value_name = "FILE", required = true, num_args = 1..)]
        claims: Vec<PathBuf>,
        /// Records that bear each Claim out, beside those that it names in supportingInfo, 1 to 8 in all: the insurer must be allowed to read them for
        /// payment.
        #[arg(long = "record", value_name = "RECORD")]
        records: Vec<B256>,
        /// For which you read the chart's fingerprint key.
        #[arg(long, default_value = "HPAYMT")]
        purpose: String,
    },
    /// List claims: yours as a provider, or as an insurer, or all about a chart of yours.
    List {
        #[arg(long, conflicts_with = "insurer")]
        chart: Option<B256>,
        /// Those at you as an insurer.
        #[arg(long)]
        insurer: bool,
        /// Those that stand there alone: received, in-review, denied, ...
        #[arg(long, value_parser = claim_state)]
        state: Option<ClaimState>,
    },
    /// Show a claim, its steps and, to its parties, what its documents say, compared with the chain.
    Show {
        claim: B256,
        /// Also compute the fingerprint anew, with the chart's key, read for this purpose.
        #[arg(long = "fingerprint", value_name = "PURPOSE")]
        fingerprint: Option<String>,
    },
    /// Look for signs of fraud among claims: one service billed twice, a person in two places or at work for more than a day has, services outside
    /// of a patient's life, amounts and numbers far above what is usual, records first written long after, payments overdue. Each is a reason to
    /// look, no finding.
    Signals {
        /// Among claims about a chart of yours; else among those that you submitted.
        #[arg(long, conflicts_with = "insurer")]
        chart: Option<B256>,
        /// Among those at you as an insurer.
        #[arg(long)]
        insurer: bool,
        /// Submitted in this time: 90d, 12h, ... Without it: all.
        #[arg(long, value_name = "DURATION")]
        within: Option<String>,
        /// Also read patients' dates of birth and death, for this purpose, where you may.
        #[arg(long, value_name = "PURPOSE")]
        life: Option<String>,
    },
    /// Write a claim as a FHIR ExplanationOfBenefit (its parties).
    Export {
        claim: B256,
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Compare a FHIR ExplanationOfBenefit or ClaimResponse with the claim as it stands today: with the chain and, for its parties, with its
    /// documents. Exit code 5: something differs.
    Compare { file: PathBuf },
    /// Begin the review (the insurer).
    Review { claim: B256 },
    /// Ask the provider for information (the insurer).
    Ask { claim: B256, text: String },
    /// Answer the insurer (the provider).
    Answer { claim: B256, text: String },
    /// Approve all that is billed, or a part (the insurer).
    Approve {
        claim: B256,
        /// As 120.50, in the claim's currency; with --reason.
        #[arg(long, value_name = "AMOUNT", requires = "reason")]
        part: Option<String>,
        /// Why not all: not-covered, above-limit, ...
        #[arg(long, requires = "part")]
        reason: Option<String>,
    },
    /// Decide as a FHIR ClaimResponse of your own says (the insurer): its total benefit is what is paid, also where that is nothing, and a reason of
    /// the system urn:medlock:fhir:claim-reason says why that is not all. The provider gets it as it is.
    Decide {
        claim: B256,
        #[arg(long, value_name = "FILE")]
        response: PathBuf,
    },
    /// Deny the claim (the insurer).
    Deny {
        claim: B256,
        /// not-covered, duplicate, not-supported, ...
        #[arg(long)]
        reason: String,
    },
    /// Appeal a decision (the provider).
    Appeal { claim: B256, text: String },
    /// Be content with the part that was approved (the provider).
    Accept { claim: B256 },
    /// Say that the claim was paid, or pay it in your token (the insurer).
    Pay {
        claim: B256,
        /// Of the payment outside of the chain; nobody learns it from there.
        #[arg(long, required_unless_present = "token")]
        reference: Option<String>,
        /// Transfer what was approved in the token that you have set for the currency.
        #[arg(long, conflicts_with = "reference")]
        token: bool,
        /// First let the claims contract move exactly that much of the token, by a transaction of your own account.
        #[arg(long, requires = "token")]
        allow: bool,
    },
    /// Close a claim whose other party is overdue.
    Close { claim: B256 },
    /// Take an approval or a payment back, for good (the insurer).
    Reverse {
        claim: B256,
        #[arg(long)]
        reason: String,
    },
    /// Withdraw a claim, for good (the provider).
    Withdraw { claim: B256 },
}

#[derive(Debug, Subcommand)]
pub enum InsurerCommand {
    /// Take claims in a currency (ISO 4217, as EUR), or no more.
    Currency {
        currency: String,
        #[arg(long)]
        refuse: bool,
        /// What claims in it are paid in on chain; without it, outside of the chain.
        #[arg(long, value_name = "CONTRACT")]
        token: Option<Address>,
        /// One minor unit is 10^SCALE units of the token.
        #[arg(long, default_value_t = 0, requires = "token")]
        scale: u8,
    },
    /// Share the registry of services with other insurers, which pay none that another holds.
    Registry {
        /// Have one of your own again.
        #[arg(long)]
        leave: bool,
    },
    /// Show what an insurer accepts; yours without an account.
    Show { account: Option<Address> },
}

#[derive(Debug, Subcommand)]
pub enum SupplyCommand {
    /// Register a batch (a maker): its serials' tree goes on chain, and no serial.
    Register {
        /// 14 digits, the last of which is the check digit.
        #[arg(long)]
        gtin: Gtin,
        #[arg(long)]
        lot: Lot,
        /// The last day of use, as 2027-06-30: what is printed on the packages.
        #[arg(long, value_name = "DAY")]
        expiry: Day,
        /// A serial a line, as they are packed.
        #[arg(long, value_name = "FILE")]
        serials: PathBuf,
        /// A new file, for a ticket a line: what whoever has the package needs to verify and dispense it.
        #[arg(long, value_name = "FILE")]
        tickets: PathBuf,
        /// An EPCIS 2.0 document about it: its salted digest goes on chain.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// Offer packages to another account. They are theirs once they accept.
    Ship {
        to: Address,
        /// BATCH:FIRST-LAST, packages by their numbers from 0; several times.
        #[arg(long = "packages", value_name = "RUN", value_parser = supply::run, required = true)]
        packages: Vec<Run>,
        /// Back to who has had them before.
        #[arg(long = "return")]
        give_back: bool,
        /// An EPCIS 2.0 document about it: its salted digest goes on chain.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// Take what was offered to you.
    Accept {
        shipment: u64,
        /// An EPCIS 2.0 document about it: its salted digest goes on chain.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// Do not take what was offered to you.
    Refuse { shipment: u64 },
    /// Take back an offer that nobody has accepted.
    Withdraw { shipment: u64 },
    /// List shipments to you, or from you.
    Shipments {
        /// Those from you.
        #[arg(long)]
        sent: bool,
        /// Those alone that nobody has closed.
        #[arg(long)]
        open: bool,
    },
    /// List what you hold: what of it has expired, and which recalls reach it.
    Held,
    /// Say what a package in hand is, by the chain: genuine, expired, recalled, dispensed already, never made; and who made it. Exit code 7: do
    /// not use it, or not before you have made sure of what it warns of; 1: it cannot be checked without its ticket.
    Verify {
        /// The package's ticket, or a file that has it among others.
        #[arg(long, value_name = "FILE", required_unless_present = "scan")]
        tickets: Option<PathBuf>,
        /// What the scanner says of its GS1 DataMatrix, or the text beside it: (01)…(17)…(10)…(21)…
        #[arg(long)]
        scan: Option<String>,
        /// Whose package it is to be: one of another maker is false.
        #[arg(long, value_name = "ACCOUNT")]
        maker: Option<Address>,
        /// You were given it: that it was dispensed is what you expect.
        #[arg(long)]
        patient: bool,
        /// By this pharmacy's account.
        #[arg(long, value_name = "ACCOUNT")]
        pharmacy: Option<Address>,
        /// Your chart, which tells whether it was dispensed to you.
        #[arg(long, conflicts_with = "pharmacy")]
        chart: Option<B256>,
        /// For which you read the chart's packages.
        #[arg(long, default_value = "PATRQT")]
        purpose: String,
    },
    /// Dispense a package that you hold (a pharmacy), where it is genuine and may be. Repeat it where it failed: a package that you have
    /// dispensed, and no chart tells of, is then written into the chart, and not dispensed again.
    Dispense {
        #[arg(long, value_name = "FILE")]
        tickets: PathBuf,
        #[arg(long)]
        scan: String,
        /// Whose package it is to be: then it is dispensed also where others registered its lot, or its maker is none any more.
        #[arg(long, value_name = "ACCOUNT")]
        maker: Option<Address>,
        /// Also write it into this chart, so that its patient learns of a recall.
        #[arg(long)]
        chart: Option<B256>,
        /// An EPCIS 2.0 document about it: its salted digest goes on chain.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// Recall packages, for good (their maker, or a regulator).
    Recall {
        batch: B256,
        /// FIRST-LAST, by their numbers from 0.
        #[arg(long, value_parser = supply::numbers)]
        packages: (u32, u32),
        /// class-i, class-ii, class-iii
        #[arg(long)]
        class: String,
        /// contaminated, wrong-strength, mislabelled, ...
        #[arg(long)]
        reason: String,
        /// An EPCIS 2.0 document about it: its salted digest goes on chain.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// List recalls; with a chart, the packages in it that one reaches (exit code 7: there are some). Nobody learns which packages you have.
    Recalls {
        chart: Option<B256>,
        /// For which you read the chart's packages.
        #[arg(long, default_value = "PATRQT")]
        purpose: String,
    },
    /// Take a unit of yours out of the supply, for good.
    Decommission {
        batch: B256,
        /// The number of its first package.
        unit: u32,
        /// destroyed, damaged, sample, stolen, lost, exported, other
        #[arg(long)]
        reason: String,
        /// An EPCIS 2.0 document about it: its salted digest goes on chain.
        #[arg(long, value_name = "FILE")]
        document: Option<PathBuf>,
    },
    /// Print the salted digest of an EPCIS document, to be compared with the one of an event; with a shipment, also what the document tells
    /// otherwise than it has (exit code 5: something differs).
    Document {
        file: PathBuf,
        #[arg(long)]
        salt: B256,
        /// An open shipment to or from you.
        #[arg(long)]
        shipment: Option<u64>,
    },
    /// Print how a package came to who holds it, back to its maker.
    History {
        #[arg(long, value_name = "FILE")]
        tickets: PathBuf,
        #[arg(long)]
        scan: Option<String>,
    },
}

/// The files of a version of a trial, whose digests go on chain.
#[derive(Debug, Args)]
pub struct VersionArgs {
    #[arg(long, value_name = "FILE")]
    pub protocol: PathBuf,
    /// The statistical analysis plan: JSON that names the outcomes.
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// The consent form, as participants are shown it.
    #[arg(long, value_name = "FILE")]
    pub form: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum TrialCommand {
    /// Register a trial before its first participant (a sponsor).
    Register {
        /// Its public registration number, as NCT01234567.
        #[arg(long)]
        registration: String,
        #[command(flatten)]
        files: VersionArgs,
    },
    /// Append a version of protocol, plan and form (the sponsor).
    Amend {
        trial: B256,
        #[command(flatten)]
        files: VersionArgs,
        /// safety, regulator, procedure, eligibility, outcomes, editorial, other
        #[arg(long)]
        reason: String,
        /// Participants must consent anew, or take no part any more.
        #[arg(long)]
        reconsent: bool,
    },
    /// Name a site, or dismiss it (the sponsor).
    Site {
        trial: B256,
        site: Address,
        #[arg(long)]
        dismiss: bool,
    },
    /// Consent to take part, under an account of this trial alone; the gateway pays.
    Consent {
        trial: B256,
        site: Address,
        /// The form as you were shown it.
        #[arg(long, value_name = "FILE")]
        form: PathBuf,
        /// Your name in the place of a signature; it stays in your file.
        #[arg(long)]
        name: Option<String>,
        /// A new file for the document and its salt.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Enrol who has consented (the site).
    Enrol {
        trial: B256,
        participant: Address,
        /// What the participant shows: checked against the chain first.
        #[arg(long, value_name = "FILE")]
        consent: Option<PathBuf>,
    },
    /// End your consent, for good.
    Leave { trial: B256 },
    /// Say where you stand in a trial.
    Standing {
        trial: B256,
        /// Also write it as a FHIR ResearchSubject.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Anchor data of a period (the site).
    Data {
        trial: B256,
        /// The site's own number of the batch, from 1.
        #[arg(long)]
        sequence: u32,
        /// UNIX seconds, or 2026-05-03T12:00:00Z.
        #[arg(long)]
        from: String,
        #[arg(long)]
        to: String,
        /// JSON lines: {"participant":1,"data":…}
        #[arg(long, value_name = "FILE")]
        rows: PathBuf,
        /// A new file for the rows with their salts, to be published.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Lock the data (the sponsor).
    Lock { trial: B256 },
    /// Anchor results by the plan of the current version (the sponsor).
    Results { trial: B256, file: PathBuf },
    /// Close a trial whose data are locked (the sponsor).
    Close { trial: B256 },
    /// List all trials.
    List,
    /// Show a trial as the chain has it.
    Show { trial: B256 },
    /// Check a published trial against the chain: changed plans, switched outcomes, missing or changed data. Exit code 5: something differs.
    Verify { folder: PathBuf },
    /// Compare a FHIR ResearchStudy or ResearchSubject with what the chain has today. Exit code 5: something differs.
    Compare { file: PathBuf },
    /// Write a trial as a FHIR ResearchStudy.
    Export {
        trial: B256,
        /// Its public registration number.
        #[arg(long)]
        registration: String,
        #[arg(long)]
        title: Option<String>,
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum EmergencyCommand {
    /// Leave keys of a chart of yours with custodians, and allow that providers break its glass. Again: replaces what you left.
    Allow {
        chart: B256,
        /// Compartment numbers or labels: 1,4,labs ; or `all`.
        #[arg(long, value_delimiter = ',', required = true)]
        compartments: Vec<String>,
        /// Who keeps a share (repeat it, or join them with commas). They must be run by parties who do not run each other: as many as
        /// the threshold, together, can read what you leave.
        #[arg(long = "custodian", value_delimiter = ',', required = true, value_name = "ACCOUNT")]
        custodians: Vec<Address>,
        /// How many of them it takes to open it: 2 at least.
        #[arg(long, value_name = "COUNT")]
        threshold: u8,
    },
    /// Forbid it: what is open ends, and what you left opens no more.
    Forbid { chart: B256 },
    /// Show what you have allowed and left.
    Show { chart: B256 },
    /// Break the glass of a chart: read it for ETREAT, for four hours, without a grant. It stands on chain under your name, and the
    /// patient sees it. With --organisation by its credential; the right is yours in person all the same.
    Break {
        chart: B256,
        /// unable-to-consent, life-threatening, public-danger, other
        #[arg(long)]
        reason: String,
    },
    /// Say how many custodians have released their shares to you, and how many it takes.
    Ready { chart: B256 },
    /// Who has broken the glass of a chart of yours, newest first; of another's, you.
    List { chart: B256 },
    /// End an emergency before its time: the patient's to do, or the party's own.
    Close {
        chart: B256,
        /// Who broke the glass; without it, you.
        party: Option<Address>,
    },
}

#[derive(Debug, Args)]
pub struct CustodianArgs {
    /// Seconds between two looks for open emergencies.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600), value_name = "SECONDS")]
    pub every_seconds: u64,
}

#[derive(Debug, Subcommand)]
pub enum RelayCommand {
    /// List the operations that you have submitted or signed.
    List,
    /// Show where one stands.
    Show { operation: B256 },
    /// Void all that you have signed and nobody has submitted.
    Cancel,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    pub chart: B256,
    #[arg(long)]
    pub compartment: u8,
    #[arg(long)]
    pub purpose: String,
    #[arg(long, default_value = "read")]
    pub action: String,
    /// Another time than now: UNIX seconds, or RFC 3339.
    #[arg(long)]
    pub at: Option<String>,
    /// With a proof of a yes, from the hash of the block: it then needs no trust in the gateway.
    #[arg(long)]
    pub prove: bool,
    /// Writes the verdict with its signature, and its proof, to a new file: for `medlock verify`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct VerdictArgs {
    /// What `medlock check --out` wrote.
    pub file: PathBuf,
    /// The hash of the verdict's block, from a source that you trust; otherwise the node at --rpc is asked for it.
    #[arg(long, value_name = "HASH")]
    pub block_hash: Option<B256>,
    /// Refuse what any other account has signed.
    #[arg(long, value_name = "ACCOUNT")]
    pub signed_by: Option<Address>,
    /// Refuse what has no proof.
    #[arg(long)]
    pub proved: bool,
}

#[derive(Debug, Args)]
pub struct IndexArgs {
    /// Where the index is: a SQLite file, or a postgres:// URL.
    #[arg(
        long,
        global = true,
        env = "MEDLOCK_DB",
        hide_env_values = true,
        default_value = "index.db",
        value_name = "DATABASE"
    )]
    pub db: String,
    /// Take settings from this TOML file as well; see `medlock gateway --help`.
    #[arg(long, global = true, env = "MEDLOCK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub run: IndexRun,
    #[command(subcommand)]
    pub command: Option<IndexCommand>,
}

/// What `medlock index` alone does.
#[derive(Debug, Args)]
pub struct IndexRun {
    /// Build the index anew: what is there is removed (of PostgreSQL at once, of SQLite once the new one has caught up).
    #[arg(long)]
    pub from_genesis: bool,
    #[command(flatten)]
    pub follow: FollowArgs,
    /// Serve /metrics, /healthz and /readyz here, to a network of your own.
    #[arg(long, env = "MEDLOCK_METRICS", value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// How many blocks the index may be behind to be called ready.
    #[arg(long, env = "MEDLOCK_READY_LAG", default_value_t = 64, value_name = "BLOCKS")]
    pub ready_lag: u64,
}

#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// How far an index is, and what it holds. Asks the database alone.
    Status {
        /// Exit with 3 where the index is further behind.
        #[arg(long, value_name = "BLOCKS")]
        lag_most: Option<u64>,
    },
    /// Compare every row with the contracts' storage at a block, and name each difference. Exits with 5 where there is one.
    Verify {
        /// Which block; the newest indexed one if none is named. The node must still hold its state.
        #[arg(long, value_name = "NUMBER")]
        block: Option<u64>,
    },
}

/// How an indexer follows the chain.
#[derive(Debug, Clone, Args)]
pub struct FollowArgs {
    /// How many of several endpoints must tell the same hash of a block before it is indexed.
    #[arg(long, env = "MEDLOCK_RPC_QUORUM", default_value_t = 1, value_name = "COUNT")]
    pub rpc_quorum: usize,
    /// Read the header of every block, not of a few in each range: for certain finds out a node that hides an old block's logs.
    #[arg(long, env = "MEDLOCK_EVERY_HEADER")]
    pub every_header: bool,
    /// How often to look for a new block, in milliseconds. Over ws:// and wss:// one is told at once.
    #[arg(long, env = "MEDLOCK_POLL_MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..), value_name = "MILLISECONDS")]
    pub poll_ms: u64,
}

#[derive(Debug, Args)]
#[command(after_help = SETTINGS_HELP)]
pub struct GatewayArgs {
    /// Take settings from this TOML file as well.
    #[arg(long, global = true, env = "MEDLOCK_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[arg(
        long,
        env = "MEDLOCK_LISTEN",
        default_value = "127.0.0.1:8480",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,
    /// The URL that clients use, where a proxy stands in front: sign-in messages name it.
    #[arg(long, env = "MEDLOCK_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Proxies in front, by address or network (10.0.0.0/8): their X-Forwarded-For says whose requests are counted together. Repeat it, or
    /// join them with commas. Without it, all requests that come by way of a proxy are one client's.
    #[arg(
        long = "trusted-proxies",
        env = "MEDLOCK_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "ADDRESS|NETWORK"
    )]
    pub trusted_proxies: Vec<Network>,
    /// Folder for index, sessions, receipts, blocks and the gateway's own key.
    #[arg(
        long,
        env = "MEDLOCK_GATEWAY_DIR",
        default_value = ".medlock/gateway",
        value_name = "DIR"
    )]
    pub dir: PathBuf,
    /// Where the index is: a SQLite file, or a postgres:// URL [default: in the folder].
    #[arg(long, env = "MEDLOCK_DB", hide_env_values = true, value_name = "DATABASE")]
    pub db: Option<String>,
    /// Where sessions and receipts are: a SQLite file, or a postgres:// URL, which may be the index's. Several gateways may share
    /// it, each with the key of its own folder or with a copy of the same [default: in the folder].
    #[arg(long, env = "MEDLOCK_STATE", hide_env_values = true, value_name = "DATABASE")]
    pub state: Option<String>,
    /// Only read the index: `medlock index` writes it, in another process.
    #[arg(long, env = "MEDLOCK_INDEX_READ_ONLY")]
    pub index_read_only: bool,
    /// The chain's JSON-RPC as browsers reach it: with it, the gateway serves the web application at /. Everybody is told this URL, so it
    /// must not hold a key that is yours alone. Without it: no application.
    #[arg(long, env = "MEDLOCK_APP_RPC", value_name = "URL")]
    pub app_rpc: Option<String>,
    /// Accounts that the web application offers to patients as custodians of emergency keys. They must be run by parties who do not run
    /// each other, nor this gateway. Repeat it, or join them with commas.
    #[arg(
        long = "custodian",
        env = "MEDLOCK_CUSTODIANS",
        value_delimiter = ',',
        value_name = "ACCOUNT"
    )]
    pub custodians: Vec<Address>,
    /// Serve /metrics (Prometheus) here, to a network of your own; never on the public port.
    #[arg(long, env = "MEDLOCK_GATEWAY_METRICS", value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    #[command(flatten)]
    pub follow: FollowArgs,
    #[command(flatten)]
    pub store: StoreArgs,
    /// Minutes that a receipt of a read waits at most before it is anchored on chain, with those since the last anchor; 0: never. The
    /// gateway's own account pays, and needs funds and a credential with the role GATEWAY: until then nothing is anchored.
    #[arg(long, env = "MEDLOCK_ANCHOR_MINUTES", default_value_t = 10, value_name = "MINUTES")]
    pub anchor_minutes: u64,
    #[command(flatten)]
    pub relay: RelayArgs,
    #[command(subcommand)]
    pub command: Option<GatewayCommand>,
    /// Every setting as it stands, and where it comes from.
    #[arg(skip)]
    pub settings: Vec<Setting>,
}

const SETTINGS_HELP: &str = "\
Each option above has an environment variable, and may stand in the file that --config names, under its own name:
  rpc = [\"wss://node.example\", \"https://other.example\"]
  [gateway]
  listen = \"0.0.0.0:8480\"
What stands above the tables is for `medlock gateway` and `medlock index` alike. The command line goes before the environment, that
before the file, that before the defaults. `medlock gateway config check` shows what comes of it.";

#[derive(Debug, Subcommand)]
pub enum GatewayCommand {
    /// The gateway's settings.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting and where it comes from, and try what they name: files, nodes, databases, stores. Changes nothing. Exits with 2
    /// where something is wrong, and with 4 where something is merely not reached.
    Check,
}

/// Whether and how far a gateway pays for others' operations.
#[derive(Debug, Clone, Args)]
pub struct RelayArgs {
    /// Relay signed operations, and pay with the account of this key: a file with a key in hex, made where it is missing. Nothing else
    /// may send from that account; gateways on one database may share it. Without it: nothing is relayed.
    #[arg(long, env = "MEDLOCK_RELAY_KEY", value_name = "FILE")]
    pub relay_key: Option<PathBuf>,
    /// Operations accepted of one account in a day (UTC).
    #[arg(long, env = "MEDLOCK_RELAY_OPERATIONS_PER_DAY", default_value_t = RelayLimits::default().operations_per_day, value_name = "COUNT")]
    pub relay_operations_per_day: u64,
    /// Gas of one account's operations in a day, by their limits.
    #[arg(long, env = "MEDLOCK_RELAY_GAS_PER_DAY", default_value_t = RelayLimits::default().gas_per_day, value_name = "GAS")]
    pub relay_gas_per_day: u64,
    /// The same of all accounts together.
    #[arg(long, env = "MEDLOCK_RELAY_GAS_PER_DAY_ALL", default_value_t = RelayLimits::default().gas_per_day_all, value_name = "GAS")]
    pub relay_gas_per_day_all: u64,
    /// The most that a unit of gas may cost, in wei; while the chain asks for more, operations wait.
    #[arg(long, env = "MEDLOCK_RELAY_FEE_MOST", default_value_t = RelayLimits::default().fee_per_gas_most, value_name = "WEI")]
    pub relay_fee_most: u64,
    /// Seconds after which a transaction that is not mined is sent with a higher fee.
    #[arg(long, env = "MEDLOCK_RELAY_RAISE_AFTER", default_value_t = RelayLimits::default().raise_after.as_secs(), value_parser = clap::value_parser!(u64).range(1..), value_name = "SECONDS")]
    pub relay_raise_after: u64,
}

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Make a folder of blocks with damaged packs open again: what is whole is kept, the damaged packs are put aside. The
    /// gateway's next round of upkeep fetches what was lost from the other stores.
    Salvage {
        dir: PathBuf,
        /// Folder for the damaged packs, outside of `dir`.
        #[arg(long, value_name = "DIR")]
        aside: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum DeployCommand {
    /// Say what `apply` would do, step by step, and what it would cost. Sends and writes nothing.
    Plan(PlanArgs),
    /// Deploy and activate the contracts, name issuers, offer the registry's ownership, and write the deployment file. Repeat it
    /// after an interruption: it goes on, and does nothing twice.
    Apply(ApplyArgs),
    /// Compare a chain with a deployment file (--deployment) and the built contracts. Exits with 5 where they differ.
    Verify(VerifyArgs),
}

/// What a deployment is to be.
#[derive(Debug, Args)]
pub struct TermsArgs {
    #[command(flatten)]
    pub artifacts: ArtifactsArgs,
    /// The deployment file to write. Until it is written, a journal stands beside it (FILE.journal).
    #[arg(long, default_value = "deployment.json", value_name = "FILE")]
    pub out: PathBuf,
    /// Who is to own the registry, as the last step: a multisig's address, which accepts by a transaction of its own. Without it the
    /// deployer stays the owner.
    #[arg(long, value_name = "ADDRESS")]
    pub owner: Option<Address>,
    /// The owner is an account with a key, no contract.
    #[arg(long, requires = "owner")]
    pub owner_is_eoa: bool,
    /// Let this account issue credentials (repeat it, or join them with commas).
    #[arg(long = "issuer", value_delimiter = ',', value_name = "ADDRESS")]
    pub issuers: Vec<Address>,
    /// The most that a unit of gas may cost, in wei.
    #[arg(long, default_value_t = Terms::default().fee_most, value_name = "WEI")]
    pub fee_most: u128,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub terms: TermsArgs,
    /// Who would deploy; without it, the account of the key.
    #[arg(long, value_name = "ADDRESS")]
    pub deployer: Option<Address>,
    /// Refuse another chain than this one.
    #[arg(long, value_name = "ID")]
    pub chain_id: Option<u64>,
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub terms: TermsArgs,
    /// The chain that is meant: 42161 is Arbitrum One, 421614 Arbitrum Sepolia, 412346 a development chain. Another is refused.
    #[arg(long, value_name = "ID")]
    pub chain_id: u64,
    /// Blocks that each step must have before it counts, its own included [default: 12; 1 on chain 412346].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100_000), value_name = "BLOCKS")]
    pub confirmations: Option<u64>,
    /// Seconds after which a transaction that is not mined is sent with a higher fee.
    #[arg(long, default_value_t = Terms::default().raise_after.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3600), value_name = "SECONDS")]
    pub raise_after: u64,
    /// Do not ask before sending.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub artifacts: ArtifactsArgs,
    /// Who must own the registry now; without it, whom the file names.
    #[arg(long, value_name = "ADDRESS")]
    pub owner: Option<Address>,
    /// Must be an issuer now (repeat it, or join them with commas).
    #[arg(long = "issuer", value_delimiter = ',', value_name = "ADDRESS")]
    pub issuers: Vec<Address>,
}

impl StoreArgs {
    pub fn stores(&self) -> Stores {
        Stores {
            places: self.stores.clone(),
            quorum: self.store_quorum,
        }
    }

    pub fn upkeep(&self) -> Option<Upkeep> {
        let hours = (self.upkeep_hours > 0).then_some(self.upkeep_hours)?;
        Some(Upkeep {
            every: Duration::from_secs(hours.saturating_mul(60 * 60)),
            ..Upkeep::DAILY
        })
    }
}

impl RelayArgs {
    pub fn limits(&self) -> RelayLimits {
        RelayLimits {
            operations_per_day: self.relay_operations_per_day,
            gas_per_day: self.relay_gas_per_day,
            gas_per_day_all: self.relay_gas_per_day_all,
            fee_per_gas_most: self.relay_fee_most,
            raise_after: Duration::from_secs(self.relay_raise_after),
            ..RelayLimits::default()
        }
    }
}

fn claim_state(text: &str) -> Result<ClaimState, String> {
    let known = ClaimState::ALL.into_iter().find(|state| state.text() == text);
    known.ok_or_else(|| format!("there are {}", ClaimState::ALL.map(ClaimState::text).join(", ")))
}

fn suite(name: &str) -> Result<Suite, String> {
    Suite::from_name(name).ok_or_else(|| "x25519 or x-wing".into())
}

fn byte_range(text: &str) -> Result<(u64, u64), String> {
    let parsed = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last && last < u64::MAX).then_some((first, last))
    });
    parsed.ok_or_else(|| "FROM-TO, in bytes from 0, both counted".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    /// clap checks names, groups and defaults of every subcommand here, and otherwise only when one is run.
    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
