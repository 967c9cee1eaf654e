// Who is signed in, and what all pages share while it lasts.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Chart, Config, Core, Hex, Me } from "../core/core";
import type { StoredKey } from "../core/vault";
import type { SharedChart } from "../pages/provider/shared";
import type { Library } from "./library";
import type { AddressBook } from "./names";

export interface Session {
  core: Core;
  config: Config;
  me: Me;
  /** The key file that was opened, as this browser keeps it. */
  key: StoredKey;
  /** Of this account alone. */
  names: AddressBook;
  /** Ours; null: not known yet. */
  charts: Chart[] | null;
  /** The chart that the patient's pages are about. */
  chart: Hex | null;
  selectChart(chart: Hex): void;
  reloadCharts(): Promise<Chart[]>;
  /** Records of a chart that were opened in this session. */
  library(chart: Hex): Library;
  /** For whom the provider's pages read and write; null: for ourselves. */
  organisation: Hex | null;
  actFor(organisation: Hex | null): Promise<void>;
  /** Charts of others that were looked at in this session. */
  sharedCharts: Map<Hex, SharedChart>;
  /** Changes what is kept of the key, of what is there by now; refused where it was removed meanwhile, or `change` gives null. */
  changeKey(change: (now: StoredKey) => StoredKey | null): Promise<void>;
  /** As it is kept by now, and as the session has it from now on; null: it was removed. */
  reloadKey(): Promise<StoredKey | null>;
  lock(): void;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("only pages of somebody who is signed in use the session");
  return session;
}
