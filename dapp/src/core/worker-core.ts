// The page's side of the worker: a `Core` whose methods are calls of the worker's.
import { type Config, CoreError, type Core, type CoreFault, known, type Wallet } from "./core";
import type { Call, Callback, Reply, Said } from "./protocol";
import workerUrl from "./worker?worker&url";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The one script that this application starts is its own. */
const scripts = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("medlock", {
  createScriptURL(url) {
    if (new URL(url, location.href).href !== new URL(workerUrl, location.href).href) throw new TypeError(`not a script of ours: ${url}`);
    return url;
  },
});

const LOCKED = known("usage", "locked");
const STOPPED = known("internal", "stopped");

type Called = (...args: unknown[]) => unknown;

/** A function whose answer the worker waits for, as long as it lives. */
class Asks {
  constructor(readonly answer: Called) {}
}

/** A wallet as the worker has it: its account, and its `request` with parameters and answer as JSON. */
function walletArguments(wallet: Wallet | undefined): unknown[] {
  if (!wallet) return [];
  const request = async (method: unknown, params: unknown) =>
    JSON.stringify((await wallet.provider.request({ method: method as string, params: JSON.parse(params as string) })) ?? null);
  return [wallet.address, new Asks(request)];
}

/** One worker, and who waits for what of it. */
class Line {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: CoreError): void; callbacks: number[] }>();
  readonly #callbacks = new Map<number, Called>();
  #next = 0;
  #ended: CoreFault | null = null;

  constructor() {
    this.#worker = new Worker(scripts?.createScriptURL(workerUrl) ?? workerUrl, { type: "module" });
    this.#worker.addEventListener("message", (event: MessageEvent<Said>) => this.#hear(event.data));
    // It did not start, or a trap has ended its module, which is in no state to be asked again.
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      console.error(event.message);
      this.end(STOPPED);
    });
  }

  call(method: string, args: unknown[]): Promise<unknown> {
    if (this.#ended) return Promise.reject(new CoreError(this.#ended));
    const id = this.#next++;
    const callbacks: number[] = [];
    const sent = args.map((arg) => {
      const called = arg instanceof Asks ? arg.answer : arg;
      if (typeof called !== "function") return arg;
      const callback = this.#next++;
      this.#callbacks.set(callback, called as Called);
      if (!(arg instanceof Asks)) callbacks.push(callback);
      return { callback, asks: arg instanceof Asks } satisfies Callback;
    });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, callbacks });
      this.#worker.postMessage({ id, method, args: sent } satisfies Call);
    });
  }

  /** Whoever waits, or asks later, is told why. */
  end(why: CoreFault): void {
    this.#ended ??= why;
    this.#worker.terminate();
    for (const waiting of this.#waiting.values()) waiting.reject(new CoreError(why));
    this.#waiting.clear();
    this.#callbacks.clear();
  }

  #hear(said: Said): void {
    if ("callback" in said) {
      const called = this.#callbacks.get(said.callback);
      if (said.reply === undefined) called?.(...said.args);
      else void this.#answer(said.reply, called, said.args);
      return;
    }
    const waiting = this.#waiting.get(said.id);
    this.#waiting.delete(said.id);
    for (const callback of waiting?.callbacks ?? []) this.#callbacks.delete(callback);
    if ("fault" in said) waiting?.reject(new CoreError(said.fault));
    else waiting?.resolve(said.result);
  }

  async #answer(reply: number, called: Called | undefined, args: unknown[]): Promise<void> {
    try {
      this.#worker.postMessage({ reply, result: await called?.(...args) } satisfies Reply);
    } catch (error) {
      const { code = 0, message = String(error) } = error as { code?: number; message?: string };
      this.#worker.postMessage({ reply, error: { code, message } } satisfies Reply);
    }
  }

}

export async function connect(config: Config): Promise<Core> {
  const begin = async () => {
    const line = new Line();
    await line.call("configure", [config]);
    return line;
  };
  let line = begin();
  await line;
  const lock = () => {
    line.then((before) => before.end(LOCKED), () => {});
    line = begin();
    // Whoever asks next is told.
    line.catch(() => {});
  };
  return new Proxy({} as Core, {
    get(_, method) {
      if (method === "lock") return lock;
      // Whoever awaits this must not take it for a promise.
      if (typeof method !== "string" || method === "then") return undefined;
      return async (...args: unknown[]) => {
        const given = method === "unlock" ? [...args.slice(0, 2), ...walletArguments(args[2] as Wallet | undefined)] : args;
        return (await line).call(method, given);
      };
    },
  });
}
