// Verdicts that were given to this browser, whole: with signature and, where there is one, proof. Of a patient there is the chart's id in them,
// and no data. Kept here until they are cleared.
import { now } from "../../clock";
import type { Hex, SignedVerdict } from "../../core/core";
import { type Place, settled, within } from "../../core/database";

export interface Kept {
  id: number;
  account: Hex;
  /** UNIX seconds. */
  asked: number;
  signed: SignedVerdict;
}

/** Of an account; the oldest go first. With proofs of some 20 KiB they are 40 MB. */
export const KEPT_MAX = 2_000;

const VERDICTS: Place = {
  database: "medlock-verdicts",
  store: "verdicts",
  make: (database) => database.createObjectStore("verdicts", { keyPath: "id", autoIncrement: true }).createIndex("account", "account"),
};

/** False: this browser does not keep them. They were given all the same. */
export async function remember(account: Hex, verdicts: SignedVerdict[]): Promise<boolean> {
  const asked = now();
  try {
    await within(VERDICTS, "readwrite", async (store) => {
      await Promise.all(verdicts.map((signed) => settled(store.add({ account, asked, signed }))));
      const ids = await ofAccount(store, account);
      await forget(store, ids.slice(0, Math.max(0, ids.length - KEPT_MAX)));
    });
    return true;
  } catch {
    return false;
  }
}

/** The newest, newest first, of `all`. */
export function newest(account: Hex, most: number): Promise<{ kept: Kept[]; all: number }> {
  return within(VERDICTS, "readonly", async (store) => {
    const ids = await ofAccount(store, account);
    const kept = await Promise.all(ids.slice(-most).map((id) => settled<Kept>(store.get(id))));
    return { kept: kept.reverse(), all: ids.length };
  });
}

export function clear(account: Hex): Promise<void> {
  return within(VERDICTS, "readwrite", async (store) => forget(store, await ofAccount(store, account)));
}

/** Oldest first. */
function ofAccount(store: IDBObjectStore, account: Hex): Promise<IDBValidKey[]> {
  return settled(store.index("account").getAllKeys(account));
}

async function forget(store: IDBObjectStore, ids: IDBValidKey[]): Promise<void> {
  await Promise.all(ids.map((id) => settled(store.delete(id))));
}
