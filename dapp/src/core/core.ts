// What the pages ask of Medlock's own client: the Rust client (crates/client) as WASM, in a worker of this page. All keys,
// all cryptography and every check of what comes back are there; a page sees results that hold, or a CoreError.
// Numbers of seconds are UNIX seconds; `0x` texts are lower-case hex of 20 (accounts) or 32 bytes (charts, records, digests).
import type { components } from "../../../clients/typescript/src/openapi";
import type { KnownFault } from "../text";

type Schemas = components["schemas"];
export type Hex = `0x${string}`;
export type Purpose = Schemas["Question"]["purpose"];
export type Action = Schemas["Question"]["action"];
/** A grant as the index has it; its client has not checked it against the chain. */
export type Grant = Schemas["Grant"];
/** Latest version of a record: where it stands, not what is in it. `status`: "current", "entered-in-error" or "shredded". */
export type Version = Schemas["Version"];
export type Party = Schemas["Party"];
export type Question = Schemas["Question"];
/** `verdict.json`: what others can check it by. */
export interface SignedVerdict {
  chain_id: number;
  records: Hex;
  verdict: Schemas["Verdict"];
  index: number;
  count: number;
  path: Hex[];
  root: Hex;
  signature: Hex;
  proof?: unknown;
}
export type Erasure = Schemas["Erasure"];
export type RelayedOperation = Schemas["RelayedOperation"];
/** A claim as the index has it. */
export type Claim = Schemas["Claim"];
export type ClaimState = Schemas["ClaimState"];
/** Compared with the contract. */
export type ClaimHistory = Schemas["ClaimHistory"];

/** What an insurer accepts. */
export interface Insurer {
  /** Its claims are held in the registry of services that insurers share. */
  shared: boolean;
  /** Of each the latest setting. */
  currencies: AcceptedCurrency[];
}

export interface AcceptedCurrency {
  /** `EUR`. */
  currency: string;
  /** Claims name the one that held when they were submitted. */
  version: number;
  accepted: boolean;
  /** Null: it is paid outside of the chain. */
  token: Hex | null;
  /** One minor unit of the currency is 10^`scale` units of the token. */
  scale: number;
}

/** What paying a claim in a token takes. Amounts are in the token's own units, decimal. */
export interface ClaimPayment {
  /** Which the insurer had for the currency when the claim was submitted. */
  token: Hex;
  scale: number;
  value: string;
  /** What the claims contract may move of the insurer's account at present. */
  allowance: string;
}

/** `provider`, `insurer`: us, or the organisation that we act for. `chart`: one that we control. */
export type ClaimsOf = { of: "provider" } | { of: "insurer" } | { of: "chart"; chart: Hex };
/** A reason that a decision gives, by its name in the contract's terms. */
export type ClaimReason = string;
/** What a party does with a claim. */
export type ClaimStep =
  | { step: "review" | "approve" | "accept-part" | "pay-in-token" | "withdraw" | "close-overdue" }
  | { step: "ask" | "answer" | "appeal"; text: string }
  | { step: "approve-part"; amount: string; reason: ClaimReason }
  | { step: "deny" | "reverse"; reason: ClaimReason }
  | { step: "paid"; reference: string };

/** A claim as far as we may see it: its parties see the documents, and the patient what stands on chain. */
export interface SeenClaim {
  history: ClaimHistory;
  /** What came with each of the history's steps. */
  messages: (string | null)[];
  /** `120.50 EUR`; null: not for us. */
  billed: string | null;
  approved: string | null;
  /** FHIR resources. */
  claim: unknown;
  response: unknown;
}

/** What is to be claimed: a FHIR R4 Claim as JSON, and the records that bear it out. */
export interface NewClaim {
  insurer: Hex;
  claim: string;
  records: Hex[];
}

export type Shipment = Schemas["Shipment"];
/** Packages that we hold, with what the contract says of their batch. */
export type HeldUnit = Schemas["Unit"] & {
  /** 14 digits. */
  gtin: string;
  /** Of use, `2027-06-30`. */
  last_day: string;
  expired: boolean;
  /** Those that reach some of them, from one package on and below another; the most dangerous first. */
  recalls: { from: number; to: number; class: string; reason: string; at: number }[];
};
export type Recall = Schemas["Recall"];

/** A batch to be registered. */
export interface NewBatch {
  /** 14 digits, or fewer. */
  gtin: string;
  lot: string;
  /** The last day on which it may be used, `2027-06-30`. */
  expiry: string;
  /** One a line, as they are packed. */
  serials: string;
}

/** Packages of a batch by number, from 0. */
export interface Packages {
  batch: Hex;
  first: number;
  last: number;
}

/** By what an event names an EPCIS document: whoever has the document and the salt can check that it is the one. */
export interface NamedDocument {
  digest: Hex;
  salt: Hex;
}

/** What a package is, by the chain. */
export interface PackageVerdict {
  verdict: {
    level: "ok" | "warning" | "unchecked" | "stop" | "false";
    findings: { finding: string; by?: Hex }[];
    holder: Hex | null;
    /** Who registered its batch; `current`: a maker by the registry now. Null: nobody, or it may be one of several. */
    maker: { account: Hex; current: boolean } | null;
    /** Who else registered the same GTIN and lot. */
    otherMakers: Hex[];
  };
  /** In words. */
  line: string;
  /** What else is not as it should be. */
  more: string[];
}

/** How a package came to who has it. */
export interface PackageHistory {
  gtin: string;
  lot: string;
  expiry: string;
  batch: Hex;
  /** From the maker on; `kind`: "registration", "sale" or "return". `document`: the digest of the registration's or the offer's. */
  transfers: { step: number; kind: string; from?: { account: Hex }; to: { account: Hex }; at: number; shipment?: number; document?: Hex }[];
}

/** A package in a chart that was recalled; class and reason are numbers of the contract's terms. */
export interface RecalledPackage {
  record_id: Hex;
  batch: Hex;
  index: number;
  class: number;
  reason: number;
}

/** A trial as the index has it. */
export type Trial = Schemas["Trial"];

/** The files of a trial's version, which fix what is planned; on chain are their digests. */
export interface TrialFiles {
  protocol: Uint8Array;
  /** JSON, with every outcome that is to be measured. */
  plan: Uint8Array;
  /** What participants are shown. */
  form: Uint8Array;
}

/** What stands on chain about a trial, compared with the contract. */
export interface TrialFacts {
  trial: Hex;
  sponsor: Hex;
  /** Other sponsors, each with a trial of its own under the same registration number. */
  also_registered_by: Hex[];
  registered_at: number;
  /** From version 1. `reason_code`: a number of the contract's terms, 0 of the first. `enrolled_then`: how many were in it before. */
  versions: { documents: { protocol: Hex; plan: Hex; form: Hex }; at: number; reason_code: number; reconsent: boolean; enrolled_then: number }[];
  /** Every account that ever was one. */
  sites: { site: Hex; active: boolean; enrolled: number; withdrawn: number }[];
  /** In the order of the chain. `flags`: bits of the contract's terms. */
  batches: { site: Hex; sequence: number; count: number; from: number; to: number; anchored_at: number; flags: number; version: number }[];
  lock: { batches: number; data: Hex; at: number } | null;
  results: { number: number; version: number; plan: Hex; data: Hex; results: Hex; at: number }[];
  closed: boolean;
}

/** Where we stand in a trial, by the account that we have in it alone. */
export interface Participation {
  participant: Hex;
  site: Hex;
  /** At the site; 0: never enrolled. */
  number: number;
  status: "never consented" | "consented" | "enrolled" | "withdrawn";
  /** Of the trial, which we last consented to; 0: none. */
  version: number;
  /** Whether we take part no more, until we consent to the trial as it was amended. */
  must_consent_anew: boolean;
}

/** Data of a site: a period (from inclusive, to exclusive) and `{"participant":1,"data":…}` a line. */
export interface NewTrialData {
  trial: Hex;
  /** The site's own number of it, from 1. */
  sequence: number;
  from: number;
  to: number;
  rows: string;
}

/** What the check of a published trial has found. */
export interface TrialReport {
  trial: Hex;
  /** Nothing is worse than a note. */
  sound: boolean;
  findings: { severity: "note" | "unchecked" | "fault"; code: string; finding: string }[];
  checked: { documents: number; batches: number; rows: number; results: number; outcomes: number };
}

export interface ClaimSignals {
  /** How many were looked at. */
  claims: number;
  signals: { reason: string; claims: Hex[] }[];
  /** Claims that do not name who rendered each service: nobody is seen in two places there. */
  nameless: number;
  unopened: [claim: Hex, why: string][];
}

/** What this gateway tells its page (`/app/config.json`). */
export interface Config {
  /** Where the browser reaches the chain. */
  rpc: string;
  /** Whether operations can be relayed: without, an account needs money for fees. */
  relay: boolean;
  /** Accounts that patients may choose to keep shares of emergency keys. */
  custodians: Hex[];
  /** On a development chain the page can fund itself and be credentialed. */
  deployment: Schemas["Deployment"];
}

/** Who is signed in. */
export interface Me {
  address: Hex;
  /** Signs with a wallet; otherwise with the key in the key file. */
  wallet: boolean;
  /** What we sign is submitted and paid for by the gateway. */
  relayed: boolean;
}

/** A transaction of ours that is on the chain. */
export interface Mined {
  transaction: Hex;
  block: number;
  gas: number;
}

/** What a transaction of ours is going through, in this order; `signing` waits for a wallet's user. Afterwards `heads` tells whether it is indexed and final. */
export type Step =
  | { step: "sealing" }
  | { step: "signing"; doing: string }
  | { step: "relayed"; operation: Hex }
  | { step: "sent"; transaction: Hex }
  | { step: "mined"; mined: Mined };

/** Blocks: the chain's newest, the newest that the index has, and the newest that no reorganisation removes (0: the chain does not say). */
export interface Heads {
  chain: number;
  index: number;
  final: number;
}

export interface Chart {
  chart: Hex;
  /** Since when it is ours. */
  controlledSince: number;
  /** All grants were ended and the keys are not rotated yet: `revokeAll` again does it. */
  rotationDue: boolean;
}

/** What is known of a record's content before it is opened is in it too: all of it travels encrypted. */
export interface Metadata {
  mediaType: string;
  resourceType: string | null;
  /** FHIR dateTime or date. */
  date: string | null;
  title: string | null;
  source: string | null;
}

export interface RecordDocument {
  recordId: Hex;
  version: number;
  compartment: number;
  metadata: Metadata;
  /** Decrypted and verified. FHIR resources are JSON text in UTF-8. */
  content: Blob;
}

/** One of many that are opened: a record that cannot be read does not end the rest. */
export type Opened = { recordId: Hex; document: RecordDocument } | { recordId: Hex; error: CoreFault };

export interface ImportOptions {
  kind?: "fhir" | "hl7v2" | "dicom" | "document";
  /** Of documents: one of CATEGORIES. */
  category?: string;
  title?: string;
  sensitive?: boolean;
  anyPatient?: boolean;
  dryRun?: boolean;
  purpose: Purpose;
}

export interface ImportReport {
  kind: "fhir" | "hl7v2" | "dicom" | "document";
  records: number;
  entries: {
    resourceType: string | null;
    title: string | null;
    date: string | null;
    category: string;
    /** Why it is sensitive. */
    topic: string | null;
    compartment: number;
    recordId: Hex;
    version: number;
    outcome: "added" | "amended" | "unchanged" | "refused";
    why: string | null;
  }[];
}

export interface GrantTerms {
  /** Compartment numbers. */
  compartments: number[];
  purposes: Purpose[];
  actions: Action[];
  notBefore: number;
  /** 0: without an end. */
  expiry: number;
}

/** One read of a record of a chart, its proof checked. */
export interface Access {
  sequence: number;
  recordId: Hex;
  version: number;
  reader: Hex;
  /** For whom the reader acted, as a member; null: for themselves. */
  organisation: Hex | null;
  purpose: Purpose;
  /** By the reader's clock, and by the gateway's. */
  readAt: number;
  receivedAt: number;
  /** Why it was allowed: "controller", "granted", ... */
  reason: string;
  breakGlass: boolean;
  /** The reader signed for it, it is there once, and it fits its neighbours. */
  proven: boolean;
  /** False: whether it is proven cannot be found out here. */
  checkable: boolean;
  anchoring: { state: "anchored"; index: number; block: number | null } | { state: "waiting"; since: number } | { state: "refuted"; index: number };
}

/** A membership of an organisation: either of the two is us. */
export interface Membership {
  organisation: Hex;
  member: Hex;
  /** 0: without an end. */
  expiry: number;
  inForce: boolean;
  /** The organisation's keys are there for this member, sealed to the key that they have published last. */
  hasKeys: boolean;
}

/** What a patient has allowed for an emergency, and left for it. */
export interface EmergencySettings {
  allowed: boolean;
  /** Null: there is no kit, so nobody gets keys. */
  kit: {
    compartments: number[];
    custodians: Hex[];
    threshold: number;
    /** Made for the keys that stand now. */
    current: boolean;
  } | null;
}

/** Broken glass: a provider opened a chart without asking. */
export interface Emergency {
  chart: Hex;
  party: Hex;
  /** Whose credential was used; null: the party's own. */
  organisation: Hex | null;
  compartments: number[];
  /** 1: unable to consent, 2: life-threatening, 3: public danger, 4: other. */
  reasonCode: number;
  openedAt: number;
  until: number;
  /** False: ended before its time, or over. */
  open: boolean;
}

export interface Exported {
  layout: "imported" | "collection";
  resources: number;
  documents: number;
  leftOut: { recordId: Hex; compartment: number; why: string; damaged: boolean }[];
}

export interface Checked {
  gateway: Hex;
  proved: boolean;
  blockTime: number | null;
}

/** What went wrong, in words that say what to do; `kind` is for the page to choose what it offers. */
export interface CoreFault {
  kind:
    | "usage" //          asked for something that makes no sense
    | "bad-input" //      a file that nothing sensible can be made of
    | "passphrase" //     wrong passphrase, or a damaged key file
    | "refused" //        the contract or the gateway said no
    | "no-key" //         the other party has published no encryption key, or an organisation has not sealed its keys to us
    | "stale" //          somebody changed it meanwhile: look again first
    | "tampered" //       what came back is not what the chain says: nothing was released
    | "offline" //        chain or gateway not reached
    | "busy" //           try again later
    | "waiting" //        sent and not mined yet: do not repeat
    | "wallet-rejected" // the wallet's user said no
    | "internal";
  message: string;
  /** The contract's or gateway's stable word for it, where there is one. */
  reason: string | null;
}

/** One that the pages have words for: here, and in the worker, there are none. */
export function known(kind: CoreFault["kind"], reason: KnownFault): CoreFault {
  return { kind, message: reason, reason };
}

export class CoreError extends Error {
  constructor(readonly fault: CoreFault) {
    super(fault.message);
    this.name = "CoreError";
  }
}

/** A progress bar: done of all. */
export type Progress = (done: number, all: number) => void;
export type Watch = (step: Step) => void;

/** An EIP-1193 provider, as EIP-6963 announces it. */
export interface Wallet {
  address: Hex;
  provider: { request(call: { method: string; params?: unknown[] }): Promise<unknown> };
}

export interface Core {
  // Keys. A key file is JSON text that only its passphrase opens; the page keeps it (src/core/vault.ts).
  newKey(passphrase: string): Promise<{ keyFile: string; address: Hex; words: string[] }>;
  /** From the 24 words: the root secret comes back, the account is a new one. */
  restoreKey(words: string, passphrase: string): Promise<{ keyFile: string; address: Hex }>;
  /** Whose key file it is, without opening it. */
  inspectKey(keyFile: string): Promise<{ address: Hex }>;
  changePassphrase(keyFile: string, from: string, to: string): Promise<string>;
  unlock(keyFile: string, passphrase: string, wallet?: Wallet): Promise<Me>;
  /** Forgets everything: the worker ends and another begins. */
  lock(): void;
  words(): Promise<string[]>;
  /** What a browser keeps for the account: sealed to its own key. `name`: what it is; under another it does not open. */
  sealOwn(name: string, content: string): Promise<Hex>;
  openOwn(name: string, sealed: Hex): Promise<string>;

  // Ourselves and others
  /** Whether we have published the encryption key that others share to. */
  isPublished(): Promise<boolean>;
  publishKey(watch: Watch): Promise<Mined>;
  party(account: Hex): Promise<Party>;
  heads(): Promise<Heads>;
  /** The block that a transaction is in at present; null: in none, as a reorganisation of the chain has taken it back. */
  blockOf(transaction: Hex): Promise<number | null>;
  relayed(): Promise<RelayedOperation[]>;
  /** Voids everything that we have signed and nobody has submitted. */
  cancelAll(watch: Watch): Promise<Mined>;

  // Charts
  /** Those that we control. */
  charts(): Promise<Chart[]>;
  openChart(watch: Watch): Promise<{ chart: Hex; mined: Mined }>;
  /** Names of a chart's compartments, which the controller alone can open; others have the default map (CATEGORIES). */
  labels(chart: Hex): Promise<Record<number, string>>;

  // Records
  records(chart: Hex): Promise<Version[]>;
  versions(chart: Hex, record: Hex): Promise<Version[]>;
  /** A read: signs a receipt, which the patient sees. */
  read(chart: Hex, record: Hex, purpose: Purpose, version?: number): Promise<RecordDocument>;
  /** Reads many, some at once; each as it comes. */
  readAll(chart: Hex, records: Hex[], purpose: Purpose, each: (opened: Opened) => void): Promise<void>;
  importFile(chart: Hex, file: File, options: ImportOptions, progress: Progress, watch: Watch): Promise<ImportReport>;
  /** Writes the next version of a record, after `version`: refused where another one has come in between. */
  amend(chart: Hex, record: Hex, version: number, content: string, purpose: Purpose, watch: Watch): Promise<Mined>;
  /** `pointer`: of the version that is known to be wrong; refused where another one has taken its place. */
  markInError(chart: Hex, record: Hex, pointer: Hex, watch: Watch): Promise<Mined>;
  shred(chart: Hex, record: Hex, watch: Watch): Promise<Erasure>;
  /** Everything that we may read, as one FHIR Bundle. */
  exportAll(chart: Hex, purpose: Purpose, progress: Progress): Promise<{ file: Blob; report: Exported }>;

  // Sharing
  /** Of a chart of ours. */
  grants(chart: Hex): Promise<Grant[]>;
  /** Those given to us. */
  myGrants(): Promise<Grant[]>;
  grant(chart: Hex, grantee: Hex, terms: GrantTerms, watch: Watch): Promise<Mined>;
  /** `resealed`: who stays and got the rotated keys; `waiting`: who stays and has no key to seal to; `kitFault`: why the emergency kit could
   * not be made anew for them. */
  revoke(chart: Hex, grantee: Hex, watch: Watch): Promise<{ mined: Mined; resealed: Hex[]; waiting: Hex[]; kitFault: string | null }>;
  /** The emergency kit is made anew too; `emergencySettings` tells whether it is current. */
  revokeAll(chart: Hex, watch: Watch): Promise<{ mined: Mined; kitFault: string | null }>;
  accesses(chart: Hex): Promise<Access[]>;

  // Organisations and members
  /** Who is a member of ours, and of whom we are one. */
  memberships(): Promise<Membership[]>;
  /** Makes an account a member of ours, or sets another end (0: none), and seals our keys to it. */
  setMember(member: Hex, expiry: number, watch: Watch): Promise<Mined>;
  /** The member is refused from the next block on; what they have opened, they may have kept. */
  removeMember(member: Hex, watch: Watch): Promise<Mined>;
  /** Seals our keys anew to members who have none or an older one; who has published no key is in `waiting`. */
  sealToMembers(): Promise<{ sealed: Hex[]; waiting: Hex[] }>;
  /** From here on we read and write for this organisation; null: for ourselves. Refused where we are no member or have no keys yet. */
  actFor(organisation: Hex | null): Promise<void>;

  // Emergencies
  emergencySettings(chart: Hex): Promise<EmergencySettings>;
  allowEmergency(chart: Hex, compartments: number[], custodians: Hex[], threshold: number, watch: Watch): Promise<Mined>;
  forbidEmergency(chart: Hex, watch: Watch): Promise<Mined>;
  /** To the controller: all, newest first. To a provider: their own on this chart. */
  emergencies(chart: Hex): Promise<Emergency[]>;
  /** With the credential of the organisation that we act for, if there is one. The rights are ours in person: read for ourselves then. */
  breakGlass(chart: Hex, reasonCode: number, watch: Watch): Promise<Mined>;
  /** Whether enough custodians have released their shares to us by now; reads then work with purpose ETREAT. */
  emergencyReady(chart: Hex): Promise<{ released: number; threshold: number; ready: boolean }>;
  closeEmergency(chart: Hex, party: Hex, watch: Watch): Promise<Mined>;

  // Claims
  /** Lets those who may read a chart's claims compute the fingerprints of its services; null: they can already. */
  shareFingerprintKey(chart: Hex, watch: Watch): Promise<Mined | null>;
  claims(of: ClaimsOf, state?: ClaimState): Promise<Claim[]>;
  claim(claim: Hex): Promise<SeenClaim>;
  /** To a party: the claim's FHIR ExplanationOfBenefit. */
  claimExplanation(claim: Hex): Promise<string>;
  submitClaim(chart: Hex, wish: NewClaim, purpose: Purpose, watch: Watch): Promise<{ claim: Hex; mined: Mined }>;
  /** `salt`: of the reference under which a claim was paid. */
  stepClaim(claim: Hex, step: ClaimStep, watch: Watch): Promise<{ mined: Mined; salt: Hex | null }>;
  insurer(account: Hex): Promise<Insurer>;
  setInsurer(shared: boolean, watch: Watch): Promise<Mined>;
  /** For claims that come from now on. `token`: what they can be paid in, of an accepted currency alone; null: they are paid outside of the chain. */
  setCurrency(currency: string, accepted: boolean, token: Hex | null, scale: number, watch: Watch): Promise<Mined>;
  /** Of a claim that is approved; null: its insurer had no token for the currency when it was submitted. */
  claimPayment(claim: Hex): Promise<ClaimPayment | null>;
  /** The token lets the claims contract move exactly that. By a transaction of the insurer's own account, which pays the fee, also where the gateway
   * relays what else it does. */
  allowClaimPayment(claim: Hex, watch: Watch): Promise<Mined>;
  /** Signs of fraud among claims of the last seconds. */
  claimSignals(of: ClaimsOf, withinS: number): Promise<ClaimSignals>;

  // Drugs. `tickets`: what the maker hands out, a ticket a line; `scan`: what a scanner says of the package, or what is printed on it
  /** To be saved before the batch is registered: without its ticket no package can be dispensed. */
  batchTickets(wish: NewBatch): Promise<{ batch: Hex; packages: number; tickets: string }>;
  /** Refused where it is no EPCIS 2.0 document. Its salt is new each time: to be saved before the digest is anchored with an event. */
  nameDocument(document: File): Promise<NamedDocument>;
  /** By what an event names it, if it was anchored with this salt. */
  documentDigest(document: File, salt: Hex): Promise<Hex>;
  /** `document`: the digest of its EPCIS document, here and below; null: none. */
  registerBatch(wish: NewBatch, document: Hex | null, watch: Watch): Promise<Mined>;
  /** `back`: returned. What is offered is the other's once they accept. */
  ship(to: Hex, packages: Packages, back: boolean, document: Hex | null, watch: Watch): Promise<{ shipments: string[]; mined: Mined[] }>;
  stepShipment(shipment: string, act: "accept" | "refuse" | "withdraw", document: Hex | null, watch: Watch): Promise<Mined>;
  shipments(fromUs: boolean, open: boolean): Promise<Shipment[]>;
  heldUnits(): Promise<HeldUnit[]>;
  recalls(): Promise<Recall[]>;
  /** `maker`: whose package it is to be; null: not known. */
  inspectPackage(tickets: string, scan: string | null, maker: Hex | null): Promise<PackageVerdict>;
  /** For a patient, whose chart tells which packages they got. */
  inspectOwnPackage(tickets: string, scan: string | null, chart: Hex, purpose: Purpose): Promise<PackageVerdict>;
  /** Refused unless it is as it should be. With a chart, that tells of it: what we dispensed before, and no chart tells of, is not dispensed again
   * (`mined` is null). */
  dispensePackage(tickets: string, scan: string, maker: Hex | null, chart: Hex | null, watch: Watch): Promise<{ mined: Mined | null }>;
  recallPackages(packages: Packages, cls: string, reason: string, document: Hex | null, watch: Watch): Promise<Mined>;
  decommission(batch: Hex, unit: number, reason: string, watch: Watch): Promise<Mined>;
  packageHistory(tickets: string, scan: string | null): Promise<PackageHistory>;
  /** The chain is asked for all recalls, and they are compared here: from that, nobody learns which packages we have. */
  recalledPackages(chart: Hex, purpose: Purpose): Promise<RecalledPackage[]>;

  // Clinical trials
  trials(): Promise<Trial[]>;
  trialFacts(trial: Hex): Promise<TrialFacts>;
  registerTrial(registration: string, files: TrialFiles, watch: Watch): Promise<{ trial: Hex; mined: Mined }>;
  /** `reconsent`: who does not consent to this version takes no part any more. */
  amendTrial(trial: Hex, files: TrialFiles, reason: string, reconsent: boolean, watch: Watch): Promise<Mined>;
  setTrialSite(trial: Hex, site: Hex, active: boolean, watch: Watch): Promise<Mined>;
  /** `kept`: the consent with the salt of its digest. The participant keeps it; without it nobody can tell who consented. */
  consentToTrial(
    trial: Hex, site: Hex, form: Uint8Array, name: string | undefined, watch: Watch,
  ): Promise<{ participant: Hex; version: number; kept: string; mined: Mined }>;
  /** `kept`: what the participant shows, compared with the chain before. */
  enrol(trial: Hex, participant: Hex, kept: Uint8Array | undefined, watch: Watch): Promise<{ number: number; mined: Mined }>;
  leaveTrial(trial: Hex, watch: Watch): Promise<Mined>;
  participation(trial: Hex): Promise<Participation>;
  /** The batch's file, with new salts each time: to be saved before it is anchored, or the data can never be shown to be those. Its period
   * ends no later than the chain's newest block. */
  trialData(wish: NewTrialData): Promise<{ lines: string; from: number; to: number }>;
  anchorTrialData(lines: Uint8Array, watch: Watch): Promise<Mined>;
  lockTrialData(trial: Hex, watch: Watch): Promise<Mined>;
  anchorTrialResults(trial: Hex, results: Uint8Array, watch: Watch): Promise<Mined>;
  closeTrial(trial: Hex, watch: Watch): Promise<Mined>;
  /** A published trial against the chain. Names are relative to its folder. */
  verifyTrial(files: [name: string, file: File][]): Promise<TrialReport>;
  /** FHIR R4. */
  researchStudy(trial: Hex, registration: string, title: string | undefined): Promise<string>;
  researchSubject(trial: Hex): Promise<string>;

  // Questions without data, asked for ourselves
  /** `prove`: each yes with a proof, of few questions at a time (PROVED_BATCH). */
  ask(questions: Question[], prove: boolean): Promise<SignedVerdict[]>;
  /** Checks a verdict that somebody handed over, by the chain alone. */
  verify(verdict: string): Promise<Checked>;
}
