// What this browser keeps of a key, as it is now. Other tabs change and remove keys too: nothing is written back of what was read before.
import { CoreError, type Hex, known } from "../core/core";
import { settled, within } from "../core/database";
import { KEYS, listKeys, type StoredKey } from "../core/vault";

/** Null: it was removed. */
export async function storedKey(address: Hex): Promise<StoredKey | null> {
  return (await listKeys()).find((one) => one.address === address) ?? null;
}

/** Reads and writes in one transaction. `change` gives null where the key is no longer what it expected: nothing is written then. */
export function changeKey(address: Hex, change: (now: StoredKey) => StoredKey | null): Promise<StoredKey> {
  return within(KEYS, "readwrite", async (store) => {
    const now = await settled<StoredKey | undefined>(store.get(address));
    if (now === undefined) throw new CoreError(known("stale", "key-removed"));
    const changed = change(now);
    if (changed === null) throw new CoreError(known("stale", "key-changed"));
    await settled(store.put(changed));
    return changed;
  });
}

/** Refuses one that was removed, or is opened in another way than the page asks for. */
export function requireAsShown(shown: StoredKey, now: StoredKey | null): asserts now is StoredKey {
  if (now === null) throw new CoreError(known("stale", "key-removed"));
  if ((shown.passkey === null) !== (now.passkey === null)) throw new CoreError(known("stale", "key-changed"));
}

/** Whose pages it opens: a wallet's account, where one signs. */
export const accountOf = (key: StoredKey): Hex => key.wallet ?? key.address;
