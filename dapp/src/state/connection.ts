// Whether chain and gateway are reached, and how far the index is behind.
import type { Core, CoreFault, Heads } from "../core/core";
import { faultOf } from "../ui/fault";
import { Store } from "./store";

export interface Connection {
  /** The browser has a network, and the last thing that we asked for came back. */
  online: boolean;
  heads: Heads | null;
}

export const connection = new Store<Connection>({ online: navigator.onLine, heads: null });

/** How often it is asked how far chain and index are. */
export const POLL_MS = 5_000;
/** While somebody waits for a block of theirs. */
const POLL_EAGER_MS = 1_000;

let eager = 0;

/** Polls faster until the answer is called. */
export function pollEagerly(): () => void {
  eager++;
  let ended = false;
  return () => {
    if (!ended) eager--;
    ended = true;
  };
}

/** Follows the chain while the page is visible. */
export function followHeads(core: Core): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  // Whoever comes back to the page asks at once, while an answer may be due still: only the newest asks on, or there would be more
  // of them each time.
  let newest = 0;
  const ask = async () => {
    const mine = ++newest;
    clearTimeout(timer);
    if (document.visibilityState === "visible" && navigator.onLine) {
      try {
        const heads = await core.heads();
        if (!ended && mine === newest) connection.set({ online: true, heads });
      } catch (error) {
        if (!ended && mine === newest) noteFault(faultOf(error));
      }
    }
    if (!ended && mine === newest) timer = setTimeout(() => void ask(), eager > 0 ? POLL_EAGER_MS : POLL_MS);
  };
  const onVisible = () => {
    if (document.visibilityState === "visible") void ask();
  };
  const onNetwork = () => {
    connection.update((before) => ({ ...before, online: navigator.onLine }));
    onVisible();
  };
  document.addEventListener("visibilitychange", onVisible);
  addEventListener("online", onNetwork);
  addEventListener("offline", onNetwork);
  void ask();
  return () => {
    ended = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisible);
    removeEventListener("online", onNetwork);
    removeEventListener("offline", onNetwork);
  };
}

export function noteFault(fault: CoreFault): void {
  if (fault.kind === "offline") connection.update((before) => ({ ...before, online: false }));
}
