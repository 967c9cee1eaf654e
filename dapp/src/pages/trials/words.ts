// What the trials ledger has by number, in words, and days as it has them.
import type { TrialFacts } from "../../core/core";
import { own } from "../../own";
import { text } from "../../text";

/** In the order of the contract's terms, from 1. */
export const REASONS = ["safety", "regulator", "procedure", "eligibility", "outcomes", "editorial", "other"] as const;
const [LATE, OUT_OF_ORDER, GAP] = [1, 2, 4] as const;

/** A newer contract may have others. */
export function reasonName(code: number): string {
  const reason = REASONS[code - 1];
  return reason === undefined ? String(code) : text.trials.reasons[reason];
}

export function flagNames(flags: number): string[] {
  const { late, outOfOrder, gap } = text.trials.flags;
  const named = [[LATE, late], [OUT_OF_ORDER, outOfOrder], [GAP, gap]] as const;
  return named.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

export function stateName(state: string): string {
  return own(text.trials.states, state) ?? state;
}

export function stateKind(state: string): "good" | "accent" | "warning" {
  return state === "open" ? "good" : state === "locked" ? "accent" : "warning";
}

export function stateOf(facts: TrialFacts): "open" | "locked" | "closed" {
  return facts.lock === null ? "open" : facts.closed ? "closed" : "locked";
}

/** Whole days here, cut to what may have data: from the registration until now. Null: nothing is left. */
export function periodOf(first: string, last: string, registeredAt: number, now: number): { from: number; to: number } | null {
  const [begins, ends] = [midnight(first, 0), midnight(last, 1)];
  if (begins === null || ends === null) return null;
  const period = { from: Math.max(begins, registeredAt), to: Math.min(ends, now) };
  return period.from < period.to ? period : null;
}

function midnight(day: string, later: number): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) return null;
  const [year = 0, month = 1, dayOfMonth = 1] = day.split("-").map(Number);
  const at = new Date(year, month - 1, dayOfMonth + later).getTime();
  return Number.isNaN(at) ? null : Math.floor(at / 1000);
}
