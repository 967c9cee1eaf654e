// What people write or paste as an account, or as the id of a chart, a batch, a claim or a trial.
import type { Hex } from "./core/core";

export const isAddress = (value: string): value is Hex => /^0x[0-9a-fA-F]{40}$/.test(value);

/** 32 bytes; null: it is none. */
export function parseWord(written: string): Hex | null {
  const word = written.trim().toLowerCase();
  return /^(0x)?[0-9a-f]{64}$/.test(word) ? `0x${word.replace(/^0x/, "")}` : null;
}
