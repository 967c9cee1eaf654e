// Records of one chart: where they stand, and those that were opened. In memory only, and gone with the session.
import type { Core, CoreFault, Hex, Purpose, RecordDocument, Version } from "../core/core";
import { loadResource } from "../fhir/resource";
import { explain, type Explained } from "../ui/fault";
import { Store, useStore } from "./store";
import { working } from "./work";

export interface LibraryState {
  /** The latest versions, without the frames of imported files; null: not asked for yet. */
  versions: Version[] | null;
  documents: Map<Hex, RecordDocument>;
  /** Records that cannot be opened, and why. */
  faults: Map<Hex, CoreFault>;
  /** Of those being opened now. */
  progress: { done: number; all: number } | null;
  error: Explained | null;
}

/** What stands around the resources of an imported file: nothing for people. */
export const FRAMES = 16;
/** So that the newest are there soon, and leaving the page ends it soon. */
const BATCH = 40;

export class Library {
  readonly state = new Store<LibraryState>({ versions: null, documents: new Map(), faults: new Map(), progress: null, error: null });
  private under: Promise<void> | null = null;
  /** Deleted by us; the index may not have learned of it yet. */
  private readonly forgotten = new Set<Hex>();

  constructor(
    private readonly core: Core,
    readonly chart: Hex,
    private readonly purpose: Purpose,
  ) {}

  /** Lists, and opens what is not open yet. Each opening is a read that the access log has. */
  load(): Promise<void> {
    this.under ??= this.list().finally(() => (this.under = null));
    return this.under;
  }

  forget(record: Hex): void {
    this.forgotten.add(record);
    this.state.update((before) => ({
      ...before,
      versions: before.versions?.filter((version) => version.record_id !== record) ?? null,
      documents: without(before.documents, record),
    }));
  }

  private async list(): Promise<void> {
    this.change({ error: null });
    try {
      const versions = (await this.core.records(this.chart))
        .filter((version) => version.compartment !== FRAMES && version.status !== "shredded" && !this.forgotten.has(version.record_id))
        .sort((one, other) => other.created_at - one.created_at);
      this.change({ versions });
      await working(() => this.open(versions));
    } catch (error) {
      this.change({ error: explain(error) });
    } finally {
      this.change({ progress: null });
    }
  }

  private async open(versions: Version[]): Promise<void> {
    const { documents } = this.state.get();
    const due = versions.filter((version) => documents.get(version.record_id)?.version !== version.version).map((version) => version.record_id);
    let done = 0;
    for (let at = 0; at < due.length; at += BATCH) {
      this.change({ progress: { done, all: due.length } });
      const opened = new Map<Hex, RecordDocument>();
      const faults = new Map(this.state.get().faults);
      await this.core.readAll(this.chart, due.slice(at, at + BATCH), this.purpose, (one) => {
        done++;
        if ("document" in one) {
          opened.set(one.recordId, one.document);
          faults.delete(one.recordId);
        } else {
          faults.set(one.recordId, one.error);
        }
      });
      // Titles come from the content: parsed once, here, so that lists need not wait for it.
      await Promise.all([...opened.values()].map(loadResource));
      this.change({ documents: new Map([...this.state.get().documents, ...opened]), faults });
    }
  }

  private change(change: Partial<LibraryState>): void {
    this.state.update((before) => ({ ...before, ...change }));
  }
}

export function useLibrary(library: Library): LibraryState {
  return useStore(library.state);
}

function without<V>(map: Map<Hex, V>, key: Hex): Map<Hex, V> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
