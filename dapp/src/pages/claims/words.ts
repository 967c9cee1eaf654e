// What the claims ledger has by name, in words.
import type { ClaimState } from "../../core/core";
import { own } from "../../own";
import { text } from "../../text";

export function stateName(state: ClaimState): string {
  return text.claims.states[state];
}

/** Reasons come from the chain: a newer contract may have others. */
export function reasonName(reason: string): string {
  return own(text.claims.reasons, reason) ?? reason;
}

export function eventName(event: string): string {
  return own(text.claims.events, event) ?? event;
}

export function stateKind(state: ClaimState): "good" | "bad" | "warning" | "accent" {
  switch (state) {
    case "approved":
    case "paid":
      return "good";
    case "denied":
    case "reversed":
    case "withdrawn":
      return "bad";
    case "partly-approved":
    case "information-requested":
      return "warning";
    default:
      return "accent";
  }
}

/** As people write it, `120.50`. */
export const isAmount = (written: string) => /^\d{1,12}([.]\d{1,3})?$/.test(written.trim());
