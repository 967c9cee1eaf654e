// The address book: names that the person gave to addresses. It stays in this browser.
import type { Hex } from "../core/core";
import { parsed } from "./preferences";
import { Store, useStore } from "./store";

const PLACE = "medlock.names";

export type Names = Record<Hex, string>;

export class AddressBook {
  readonly entries = new Store<Names>(parsed<Names>(localStorage.getItem(PLACE)) ?? {});

  constructor() {
    window.addEventListener("storage", (event) => {
      if (event.key === PLACE) this.entries.set(parsed<Names>(event.newValue) ?? {});
    });
  }

  get(address: Hex): string | null {
    return this.entries.get()[lower(address)] ?? null;
  }

  /** An empty name removes it. */
  set(address: Hex, name: string): void {
    const { [lower(address)]: _, ...others } = this.entries.get();
    const named = name.trim() === "" ? others : { ...others, [lower(address)]: name.trim() };
    this.entries.set(named);
    localStorage.setItem(PLACE, JSON.stringify(named));
  }

  clear(): void {
    this.entries.set({});
    localStorage.removeItem(PLACE);
  }
}

export const addressBook = new AddressBook();

/** Renders again when a name changes, in another tab too. */
export function useNames(): AddressBook {
  useStore(addressBook.entries);
  return addressBook;
}

const lower = (address: Hex) => address.toLowerCase() as Hex;
