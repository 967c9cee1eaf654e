// Charts that others share with us: what we may do in them, what is in them, and what was opened. In memory only, except for when
// we last looked, which this browser keeps.
import type { Core, CoreFault, Grant, Hex, Purpose, RecordDocument, Version } from "../../core/core";
import { FRAMES, loadResource } from "../../fhir";
import type { Session } from "../../state/session";
import { Store } from "../../state/store";
import { working } from "../../state/work";
import { explain, type Explained } from "../../ui";

export interface SharedState {
  /** Latest versions, without the frames of imported files; null: not listed yet. */
  versions: Version[] | null;
  documents: Map<Hex, RecordDocument>;
  faults: Map<Hex, CoreFault>;
  progress: { done: number; all: number } | null;
  error: Explained | null;
  /** There was a ground to read it, and there is none any more. */
  ended: boolean;
}

const nothing = (): Omit<SharedState, "ended"> => ({ versions: null, documents: new Map(), faults: new Map(), progress: null, error: null });

/** Nothing is opened unasked: every opening is a read that the patient sees. */
export class SharedChart {
  readonly state = new Store<SharedState>({ ...nothing(), ended: false });
  private busy = false;
  private had = false;
  /** What was asked for in an earlier one is not taken in any more. */
  private round = 0;

  constructor(
    private readonly core: Core,
    readonly chart: Hex,
  ) {}

  /** Whether there is a ground to read it at present. Where there was one and there is none any more, nothing that was opened stays. */
  ground(there: boolean): void {
    const { ended } = this.state.get();
    if (there && ended) this.change({ ended: false });
    if (!there && this.had && !ended) {
      this.round++;
      this.change({ ...nothing(), ended: true });
    }
    this.had ||= there;
  }

  async list(): Promise<void> {
    const { round } = this;
    if (this.state.get().ended) return;
    this.change({ error: null });
    try {
      const versions = (await this.core.records(this.chart)).filter((one) => one.compartment !== FRAMES && one.status !== "shredded");
      if (round !== this.round) return;
      const { documents, faults } = this.state.get();
      // What is listed no longer was deleted, or is not for us to read any more.
      const listed = new Set(versions.map((one) => one.record_id));
      this.change({
        versions: versions.sort((one, other) => other.created_at - one.created_at),
        documents: only(documents, listed),
        faults: only(faults, listed),
      });
    } catch (error) {
      if (round !== this.round) return;
      const explained = explain(error);
      // The chain knows before the index does that a share was stopped.
      this.change({ ...(explained.kind === "refused" ? nothing() : {}), error: explained });
    }
  }

  open(records: Hex[], purpose: Purpose): Promise<void> {
    return working(() => this.openAll(records, purpose));
  }

  private async openAll(records: Hex[], purpose: Purpose): Promise<void> {
    if (this.busy || this.state.get().ended) return;
    const { round } = this;
    this.busy = true;
    const listed = new Map(this.state.get().versions?.map((one) => [one.record_id, one.version]));
    const documents = new Map(this.state.get().documents);
    const due = records.filter((record) => documents.get(record)?.version !== listed.get(record));
    let outdated = false;
    const faults = new Map(this.state.get().faults);
    const parsing: Promise<unknown>[] = [];
    let done = 0;
    this.change({ progress: { done, all: due.length }, error: null });
    try {
      await this.core.readAll(this.chart, due, purpose, (one) => {
        if ("document" in one) {
          documents.set(one.recordId, one.document);
          faults.delete(one.recordId);
          outdated ||= one.document.version !== listed.get(one.recordId);
          parsing.push(loadResource(one.document));
        } else {
          faults.set(one.recordId, one.error);
          // Of an earlier version, if there is one.
          documents.delete(one.recordId);
        }
        done++;
        if (round === this.round) this.change({ progress: { done, all: due.length } });
      });
    } catch (error) {
      if (round === this.round) this.change({ error: explain(error) });
    }
    await Promise.all(parsing);
    this.busy = false;
    if (round !== this.round) return;
    this.change({ documents, faults, progress: null });
    // They were changed since they were listed.
    if (outdated) await this.list();
  }

  /** It was changed: its earlier text is no longer what is there. */
  forget(record: Hex): void {
    const documents = new Map(this.state.get().documents);
    documents.delete(record);
    this.change({ documents });
  }

  private change(change: Partial<SharedState>): void {
    this.state.update((before) => ({ ...before, ...change }));
  }
}

function only<V>(all: ReadonlyMap<Hex, V>, kept: ReadonlySet<string>): Map<Hex, V> {
  return new Map([...all].filter(([record]) => kept.has(record)));
}

export function sharedChart({ core, sharedCharts }: Session, chart: Hex): SharedChart {
  const found = sharedCharts.get(chart) ?? new SharedChart(core, chart);
  sharedCharts.set(chart, found);
  return found;
}

/** What was opened, if it is the version that is listed: an older one must not pass for it. */
export function openedOf(documents: ReadonlyMap<Hex, RecordDocument>, listed: Version): RecordDocument | undefined {
  const document = documents.get(listed.record_id);
  return document?.version === listed.version ? document : undefined;
}

export type Standing = "current" | "ended" | "later";

export function standing(grant: Grant, now: number): Standing {
  if (grant.expiry !== 0 && grant.expiry <= now) return "ended";
  return grant.not_before > now ? "later" : "current";
}

/** What we read for: treatment, where the share is for that. */
export function purposeOf(grant: Grant): Purpose {
  const purposes = grant.purposes as Purpose[];
  return purposes.includes("TREAT") ? "TREAT" : (purposes[0] ?? "TREAT");
}

export function mayWrite(grant: Grant): boolean {
  return grant.actions.includes("write");
}

/** When this account last looked at each chart, in UNIX seconds. */
export type Seen = Record<Hex, number>;

export function seen(account: Hex): Seen {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place(account)) ?? "{}");
    return typeof kept === "object" && kept !== null ? (kept as Seen) : {};
  } catch {
    return {};
  }
}

export function markSeen(account: Hex, chart: Hex, at: number): void {
  localStorage.setItem(place(account), JSON.stringify({ ...seen(account), [chart]: at }));
}

const place = (account: Hex) => `medlock.provider.seen.${account}`;
