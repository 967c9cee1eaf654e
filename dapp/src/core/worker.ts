// The worker: Medlock's client as WASM, and the calls that a page may make of it. What is secret stays in the module's memory, and ends with
// the worker.
import {
  type ClaimsOf, type ClaimStep, type Config, type CoreFault, type Hex, type ImportOptions, known, type Me, type NewBatch, type NewClaim, type NewTrialData,
  type Opened, type Packages, type RecordDocument, type TrialFiles,
} from "./core";
import { type Call, isCallback, type Reply, type Said } from "./protocol";
import moduleUrl from "./wasm/client_bg.wasm?url";
import init, { changePassphrase, type Core, inspectKey, newKey, restoreKey, unlock } from "./wasm/client";

const say = (said: Said) => postMessage(said);
const ready = init({ module_or_path: moduleUrl });
// Whoever calls is told.
ready.catch(() => {});
let config: Config | null = null;
let opened: Core | null = null;

function core(): Core {
  if (!opened) throw known("usage", "not-unlocked");
  return opened;
}

type Told = (...args: unknown[]) => void;
type Asked = (...args: unknown[]) => Promise<unknown>;

/** Who waits for an answer of the page. */
const asked = new Map<number, { resolve(result: unknown): void; reject(error: unknown): void }>();
let questions = 0;

/** A function of the page: `told` does not wait for it, `asked` does. */
function told(callback: number): Told {
  return (...args) => say({ callback, args });
}

function asking(callback: number): Asked {
  return (...args) =>
    new Promise((resolve, reject) => {
      const reply = questions++;
      asked.set(reply, { resolve, reject });
      say({ callback, args, reply });
    });
}

/** Everything that a page may ask, by name; arguments as the page gives them. */
const methods = {
  configure: (to: Config) => {
    config = to;
  },
  newKey: (passphrase: string) => newKey(passphrase),
  restoreKey: (words: string, passphrase: string) => restoreKey(words, passphrase),
  inspectKey: (keyFile: string) => inspectKey(keyFile),
  changePassphrase: (keyFile: string, from: string, to: string) => changePassphrase(keyFile, from, to),
  unlock: async (keyFile: string, passphrase: string, account?: Hex, request?: Asked): Promise<Me> => {
    // Whoever has a wallet is taken to have money for fees.
    const relayed = !account && (config?.relay ?? false);
    // Sign-in messages name the gateway as the page's address does.
    const all = JSON.stringify({ ...config, relay: relayed, gateway: self.location.origin });
    opened = await unlock(all, keyFile, passphrase, account ?? null, request ?? null);
    return { address: opened.address() as Hex, wallet: Boolean(account), relayed };
  },
  words: () => core().words(),
  sealOwn: (name: string, content: string) => core().sealOwn(name, content),
  openOwn: (name: string, sealed: Hex) => core().openOwn(name, sealed),

  isPublished: () => core().isPublished(),
  publishKey: (watch: Told) => core().publishKey(watch),
  party: (account: Hex) => core().party(account),
  heads: () => core().heads(),
  blockOf: (transaction: Hex) => core().blockOf(transaction),
  relayed: () => core().relayed(),
  cancelAll: (watch: Told) => core().cancelAll(watch),

  charts: () => core().charts(),
  openChart: (watch: Told) => core().openChart(watch),
  labels: (chart: Hex) => core().labels(chart),

  records: (chart: Hex) => core().records(chart),
  versions: (chart: Hex, record: Hex) => core().versions(chart, record),
  read: (chart: Hex, record: Hex, purpose: string, version?: number) => core().read(chart, record, purpose, version ?? null),
  readAll: (chart: Hex, records: Hex[], purpose: string, each: Told) =>
    core().readAll(chart, records, purpose, (recordId: Hex, document?: RecordDocument, error?: CoreFault) => {
      each((document ? { recordId, document } : { recordId, error }) as Opened);
    }),
  importFile: (chart: Hex, file: File, options: ImportOptions, progress: Told, watch: Told) =>
    core().importFile(chart, file, JSON.stringify(options), progress, watch),
  amend: (chart: Hex, record: Hex, version: number, content: string, purpose: string, watch: Told) =>
    core().amend(chart, record, version, content, purpose, watch),
  markInError: (chart: Hex, record: Hex, pointer: Hex, watch: Told) => core().markInError(chart, record, pointer, watch),
  shred: (chart: Hex, record: Hex, watch: Told) => core().shred(chart, record, watch),
  exportAll: async (chart: Hex, purpose: string, progress: Told) => {
    const [file, report] = await core().exportAll(chart, purpose, progress);
    return { file, report };
  },

  grants: (chart: Hex) => core().grants(chart),
  myGrants: () => core().myGrants(),
  grant: (chart: Hex, grantee: Hex, terms: unknown, watch: Told) => core().grant(chart, grantee, JSON.stringify(terms), watch),
  revoke: (chart: Hex, grantee: Hex, watch: Told) => core().revoke(chart, grantee, watch),
  revokeAll: (chart: Hex, watch: Told) => core().revokeAll(chart, watch),
  accesses: (chart: Hex) => core().accesses(chart),

  memberships: () => core().memberships(),
  setMember: (member: Hex, expiry: number, watch: Told) => core().setMember(member, expiry, watch),
  removeMember: (member: Hex, watch: Told) => core().removeMember(member, watch),
  sealToMembers: () => core().sealToMembers(),
  actFor: (organisation: Hex | null) => core().actFor(organisation),
  emergencySettings: (chart: Hex) => core().emergencySettings(chart),
  allowEmergency: (chart: Hex, compartments: number[], custodians: Hex[], threshold: number, watch: Told) =>
    core().allowEmergency(chart, JSON.stringify({ compartments, custodians, threshold }), watch),
  forbidEmergency: (chart: Hex, watch: Told) => core().forbidEmergency(chart, watch),
  emergencies: (chart: Hex) => core().emergencies(chart),
  breakGlass: (chart: Hex, reasonCode: number, watch: Told) => core().breakGlass(chart, reasonCode, watch),
  emergencyReady: (chart: Hex) => core().emergencyReady(chart),
  closeEmergency: (chart: Hex, party: Hex, watch: Told) => core().closeEmergency(chart, party, watch),

  shareFingerprintKey: (chart: Hex, watch: Told) => core().shareFingerprintKey(chart, watch),
  claims: (of: ClaimsOf, state?: string) => core().claims(JSON.stringify(of), state ?? null),
  claim: (claim: Hex) => core().claim(claim),
  claimExplanation: (claim: Hex) => core().claimExplanation(claim),
  submitClaim: (chart: Hex, wish: NewClaim, purpose: string, watch: Told) => core().submitClaim(chart, JSON.stringify(wish), purpose, watch),
  stepClaim: (claim: Hex, step: ClaimStep, watch: Told) => core().stepClaim(claim, JSON.stringify(step), watch),
  insurer: (account: Hex) => core().insurer(account),
  setInsurer: (shared: boolean, watch: Told) => core().setInsurer(shared, watch),
  setCurrency: (currency: string, accepted: boolean, token: Hex | null, scale: number, watch: Told) =>
    core().setCurrency(currency, accepted, token, scale, watch),
  claimPayment: (claim: Hex) => core().claimPayment(claim),
  allowClaimPayment: (claim: Hex, watch: Told) => core().allowClaimPayment(claim, watch),
  claimSignals: (of: ClaimsOf, withinS: number) => core().claimSignals(JSON.stringify(of), withinS),

  batchTickets: (wish: NewBatch) => core().batchTickets(JSON.stringify(wish)),
  nameDocument: (document: File) => core().nameDocument(document),
  documentDigest: (document: File, salt: Hex) => core().documentDigest(document, salt),
  registerBatch: (wish: NewBatch, document: Hex | null, watch: Told) => core().registerBatch(JSON.stringify(wish), document, watch),
  ship: (to: Hex, packages: Packages, back: boolean, document: Hex | null, watch: Told) =>
    core().ship(to, JSON.stringify(packages), back, document, watch),
  stepShipment: (shipment: string, act: string, document: Hex | null, watch: Told) => core().stepShipment(shipment, act, document, watch),
  shipments: (fromUs: boolean, open: boolean) => core().shipments(fromUs, open),
  heldUnits: () => core().heldUnits(),
  recalls: () => core().recalls(),
  inspectPackage: (tickets: string, scan: string | null, maker: Hex | null) => core().inspectPackage(tickets, scan, maker),
  inspectOwnPackage: (tickets: string, scan: string | null, chart: Hex, purpose: string) => core().inspectOwnPackage(tickets, scan, chart, purpose),
  dispensePackage: (tickets: string, scan: string, maker: Hex | null, chart: Hex | null, watch: Told) =>
    core().dispensePackage(tickets, scan, maker, chart, watch),
  recallPackages: (packages: Packages, cls: string, reason: string, document: Hex | null, watch: Told) =>
    core().recallPackages(JSON.stringify(packages), cls, reason, document, watch),
  decommission: (batch: Hex, unit: number, reason: string, watch: Told) => core().decommission(batch, unit, reason, watch),
  packageHistory: (tickets: string, scan: string | null) => core().packageHistory(tickets, scan),
  recalledPackages: (chart: Hex, purpose: string) => core().recalledPackages(chart, purpose),

  trials: () => core().trials(),
  trialFacts: (trial: Hex) => core().trialFacts(trial),
  registerTrial: (registration: string, { protocol, plan, form }: TrialFiles, watch: Told) =>
    core().registerTrial(registration, protocol, plan, form, watch),
  amendTrial: (trial: Hex, { protocol, plan, form }: TrialFiles, reason: string, reconsent: boolean, watch: Told) =>
    core().amendTrial(trial, protocol, plan, form, JSON.stringify({ reason, reconsent }), watch),
  setTrialSite: (trial: Hex, site: Hex, active: boolean, watch: Told) => core().setTrialSite(trial, site, active, watch),
  consentToTrial: (trial: Hex, site: Hex, form: Uint8Array, name: string | undefined, watch: Told) =>
    core().consentToTrial(trial, site, form, name, watch),
  enrol: (trial: Hex, participant: Hex, kept: Uint8Array | undefined, watch: Told) => core().enrol(trial, participant, kept, watch),
  leaveTrial: (trial: Hex, watch: Told) => core().leaveTrial(trial, watch),
  participation: (trial: Hex) => core().participation(trial),
  trialData: (wish: NewTrialData) => core().trialData(JSON.stringify(wish)),
  anchorTrialData: (lines: Uint8Array, watch: Told) => core().anchorTrialData(lines, watch),
  lockTrialData: (trial: Hex, watch: Told) => core().lockTrialData(trial, watch),
  anchorTrialResults: (trial: Hex, results: Uint8Array, watch: Told) => core().anchorTrialResults(trial, results, watch),
  closeTrial: (trial: Hex, watch: Told) => core().closeTrial(trial, watch),
  verifyTrial: (files: [string, File][]) => core().verifyTrial(files.map(([name]) => name), files.map(([, file]) => file)),
  researchStudy: (trial: Hex, registration: string, title: string | undefined) => core().researchStudy(trial, registration, title),
  researchSubject: (trial: Hex) => core().researchSubject(trial),

  ask: (questions: unknown, prove: boolean) => core().ask(JSON.stringify(questions), prove),
  verify: (verdict: string) => core().verify(verdict),
};

export type Methods = typeof methods;

/** A trap ends the module: whatever comes after it says so, too. */
function faultOf(error: unknown): CoreFault {
  if (typeof error === "object" && error !== null && "kind" in error && "message" in error) return error as CoreFault;
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "internal", message, reason: null };
}

addEventListener("message", async (event: MessageEvent<Call | Reply>) => {
  if ("reply" in event.data) {
    const waiting = asked.get(event.data.reply);
    asked.delete(event.data.reply);
    if ("error" in event.data) waiting?.reject(event.data.error);
    else waiting?.resolve(event.data.result);
    return;
  }
  const { id, method, args } = event.data;
  try {
    await ready;
    const call = methods[method as keyof Methods] as (...args: unknown[]) => unknown;
    const given = args.map((arg) => (isCallback(arg) ? (arg.asks ? asking(arg.callback) : told(arg.callback)) : arg));
    say({ id, result: await call(...given) });
  } catch (error) {
    say({ id, fault: faultOf(error) });
  }
});
