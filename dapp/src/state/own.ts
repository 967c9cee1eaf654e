// What this browser keeps for an account and nobody else may read, such as what people are called: sealed to the account's key.
import type { Core, Hex } from "../core/core";
import { Store } from "./store";

export class Own<T> {
  /** As far as it was opened. */
  readonly entries: Store<T>;
  private readonly place: string;
  /** Changes that are shown and not kept yet. */
  private under = 0;

  /** `name`: for each kind another. `empty`: where nothing is kept. */
  constructor(
    private readonly core: Core,
    account: Hex,
    private readonly name: string,
    private readonly empty: T,
  ) {
    this.place = `medlock.own.${name}.${account}`;
    this.entries = new Store(empty);
  }

  /** Opens what is kept, and hears of changes in other tabs until the answer is called. */
  follow(): () => void {
    const open = () => void this.alone(async () => this.show(await this.kept()));
    const hear = ({ key }: StorageEvent) => {
      // Null: everything was cleared.
      if (key === this.place || key === null) open();
    };
    open();
    window.addEventListener("storage", hear);
    return () => window.removeEventListener("storage", hear);
  }

  /** Shown at once, and kept soon. */
  change(change: (kept: T) => T): void {
    this.entries.update(change);
    this.under += 1;
    void this.alone(async () => {
      // Read anew: another tab may have written since.
      const changed = change(await this.kept());
      localStorage.setItem(this.place, await this.core.sealOwn(this.name, JSON.stringify(changed)));
      return changed;
    }).then((changed) => {
      this.under -= 1;
      if (changed !== undefined) this.show(changed);
    });
  }

  /** Not what is older than what is shown. */
  private show(kept: T): void {
    if (this.under === 0) this.entries.set(kept);
  }

  /** One after the other, in all tabs. */
  private async alone<R>(act: () => Promise<R>): Promise<R | undefined> {
    try {
      return (await navigator.locks.request(this.place, act)) as R;
    } catch {
      // Locked meanwhile, or no room: what is shown is right, and is gone with this session.
      return undefined;
    }
  }

  private async kept(): Promise<T> {
    const sealed = localStorage.getItem(this.place) as Hex | null;
    if (sealed === null) return this.empty;
    return JSON.parse(await this.core.openOwn(this.name, sealed)) as T;
  }
}
