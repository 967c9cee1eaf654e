// The address book of one account: names that its person gave to addresses.
import type { Core, Hex } from "../core/core";
import { Own } from "./own";
import { useSession } from "./session";
import { type Store, useStore } from "./store";

export type Names = Record<Hex, string>;

export class AddressBook {
  private readonly own: Own<Names>;

  constructor(core: Core, account: Hex) {
    this.own = new Own<Names>(core, account, "names", {});
  }

  get entries(): Store<Names> {
    return this.own.entries;
  }

  follow(): () => void {
    return this.own.follow();
  }

  get(address: Hex): string | null {
    return this.entries.get()[lower(address)] ?? null;
  }

  /** An empty name removes it. */
  set(address: Hex, name: string): void {
    this.own.change(({ [lower(address)]: _, ...others }) => (name.trim() === "" ? others : { ...others, [lower(address)]: name.trim() }));
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
