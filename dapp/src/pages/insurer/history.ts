// What was asked from this browser, and the answers: without data of any patient but the chart's id. Kept here until it is cleared.
import { now } from "../../clock";
import type { Hex, SignedVerdict } from "../../core/core";

export interface Entry {
  /** UNIX seconds. */
  asked: number;
  chart: Hex;
  compartment: number;
  purpose: string;
  action: string;
  at: number;
  allowed: boolean;
  reason: string;
  block: number;
}

/** The oldest go first: the browser's storage is small. */
const ENTRIES_MAX = 2_000;

export function entries(account: Hex): Entry[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place(account)) ?? "[]");
    return Array.isArray(kept) ? (kept as Entry[]) : [];
  } catch {
    return [];
  }
}

/** Newest first. */
export function remember(account: Hex, verdicts: SignedVerdict[]): void {
  const asked = now();
  const added = verdicts.map(({ verdict }): Entry => ({
    asked,
    chart: verdict.chart,
    compartment: verdict.compartment,
    purpose: verdict.purpose,
    action: verdict.action,
    at: verdict.at,
    allowed: verdict.allowed,
    reason: verdict.reason,
    block: verdict.block_number,
  }));
  localStorage.setItem(place(account), JSON.stringify([...added.reverse(), ...entries(account)].slice(0, ENTRIES_MAX)));
}

export function clear(account: Hex): void {
  localStorage.removeItem(place(account));
}

const place = (account: Hex) => `medlock.insurer.history.${account}`;
