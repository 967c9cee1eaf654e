// What page and worker say to each other. Functions do not travel: one that the worker is to call goes as its number.
import type { CoreFault } from "./core";

/** From the page: call a method. An argument `{ callback: n }` stands for a function of the page. */
export interface Call {
  id: number;
  method: string;
  args: unknown[];
}

export interface Callback {
  callback: number;
  /** The worker waits for what it gives. */
  asks: boolean;
}

/** From the worker: what became of a call, or a call of a function of the page. With `reply`, the page answers that. */
export type Said =
  | { id: number; result: unknown }
  | { id: number; fault: CoreFault }
  | { callback: number; args: unknown[]; reply?: number };

/** From the page: what a function gave that was called with `reply`. */
export type Reply = { reply: number; result: unknown } | { reply: number; error: { code: number; message: string } };

export function isCallback(value: unknown): value is Callback {
  return typeof value === "object" && value !== null && "callback" in value;
}
