// The address book of one account: names that its person gave to addresses. This browser keeps it, not encrypted, for as long as it keeps the key.
import type { Hex } from "../core/core";
import { parsed } from "./preferences";
import { useSession } from "./session";
import { Store, useStore } from "./store";

export type Names = Record<Hex, string>;

export class AddressBook {
  readonly entries: Store<Names>;
  private readonly place: string;

  constructor(account: Hex) {
    this.place = `medlock.names.${account}`;
    this.entries = new Store(this.kept());
  }

  /** Hears of changes in other tabs until the answer is called. */
  follow(): () => void {
    const hear = ({ key }: StorageEvent) => {
      // Null: everything was cleared.
      if (key === this.place || key === null) this.entries.set(this.kept());
    };
    window.addEventListener("storage", hear);
    return () => window.removeEventListener("storage", hear);
  }

  get(address: Hex): string | null {
    return this.entries.get()[lower(address)] ?? null;
  }

  /** An empty name removes it. */
  set(address: Hex, name: string): void {
    // Read anew: another tab may have written since.
    const { [lower(address)]: _, ...others } = this.kept();
    const named = name.trim() === "" ? others : { ...others, [lower(address)]: name.trim() };
    this.entries.set(named);
    localStorage.setItem(this.place, JSON.stringify(named));
  }

  private kept(): Names {
    return parsed<Names>(localStorage.getItem(this.place)) ?? {};
  }
}

// It was one book for all accounts, and no account's own.
localStorage.removeItem("medlock.names");

/** Renders again when a name changes, in another tab too. */
export function useNames(): AddressBook {
  const { names } = useSession();
  useStore(names.entries);
  return names;
}

const lower = (address: Hex) => address.toLowerCase() as Hex;
