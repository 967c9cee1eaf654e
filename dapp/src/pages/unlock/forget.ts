import type { Hex } from "../../core/core";
import { listKeys, removeKey, type StoredKey } from "../../core/vault";
import { accountOf } from "../../state/keys";
import { prefer, preferences } from "../../state/preferences";
import { clear as clearVerdicts } from "../insurer/history";

/** Removes a key, and what this browser keeps of its account: whoever comes next must not find it. */
export async function forgetKey(key: StoredKey): Promise<void> {
  await removeKey(key.address);
  const account = accountOf(key);
  // Several keys may go with one wallet.
  if ((await listKeys()).some((one) => accountOf(one) === account)) return;
  clearPlaces(account);
  const { wordsDue, charts } = preferences.get();
  const { [account]: _, ...others } = charts;
  prefer({ wordsDue: wordsDue.filter((one) => one !== account), charts: others });
  await clearVerdicts(account);
}

/** Each kind has a place for each account, whose name ends with it: names, requests, when a chart was looked at. */
function clearPlaces(account: Hex): void {
  for (const place of Object.keys(localStorage)) {
    if (place.startsWith("medlock.") && place.endsWith(`.${account}`)) localStorage.removeItem(place);
  }
}
