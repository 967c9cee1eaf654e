// What this browser remembers about how somebody likes Medlock. Nothing of it is secret, and all of it may be missing.
import type { Hex } from "../core/core";
import { Store } from "./store";

export type Theme = "system" | "light" | "dark";

export interface Preferences {
  theme: Theme;
  autoLockMinutes: number;
  /** Accounts whose 24 words were not yet written down and asked back. */
  wordsDue: Hex[];
  /** The chart that was open last, by account. */
  charts: Record<Hex, Hex>;
}

const PLACE = "medlock.preferences";
const initial: Preferences = { theme: "system", autoLockMinutes: 15, wordsDue: [], charts: {} };

export const preferences = new Store<Preferences>({ ...initial, ...stored() });

window.addEventListener("storage", (event) => {
  if (event.key !== PLACE) return;
  preferences.set({ ...initial, ...stored() });
  applyTheme();
});

export function prefer(change: Partial<Preferences>): void {
  // Read anew: another tab may have written since.
  preferences.set({ ...initial, ...stored(), ...change });
  localStorage.setItem(PLACE, JSON.stringify(preferences.get()));
  applyTheme();
}

export function applyTheme(): void {
  const { theme } = preferences.get();
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function stored(): Partial<Preferences> {
  return parsed<Partial<Preferences>>(localStorage.getItem(PLACE)) ?? {};
}

/** Another version of this page, or somebody with its console, may have written it. */
export function parsed<T>(json: string | null): T | null {
  if (json === null) return null;
  try {
    return JSON.parse(json) as T;
  } catch {
    return null;
  }
}
