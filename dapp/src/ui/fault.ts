import { CoreError, type CoreFault } from "../core/core";
import { own } from "../own";
import { text } from "../text";

export interface Explained {
  kind: CoreFault["kind"];
  title: string;
  message: string;
  /** The stable word for it, where there is one. */
  reason: string | null;
}

/** What went wrong, for people: the client's words, and what to do where they do not say it. */
export function explain(error: unknown): Explained {
  return explainFault(faultOf(error));
}

export function explainFault(fault: CoreFault): Explained {
  const known = own<{ title?: string; message: string }>(text.known, fault.reason ?? "");
  if (known) return { kind: fault.kind, title: known.title ?? text.fault[fault.kind], message: known.message, reason: fault.reason };
  const advice = {
    offline: text.advice.offline,
    busy: text.advice.busy,
    waiting: text.advice.waiting,
    stale: text.advice.stale,
    tampered: text.advice.tampered,
    "wallet-rejected": text.advice.walletRejected,
    internal: text.advice.internal,
  } as Partial<Record<CoreFault["kind"], string>>;
  const refusal = fault.kind === "refused" ? own(text.refusals, fault.reason ?? "") : undefined;
  const said = refusal ?? sentence(fault.message);
  const message = [said, advice[fault.kind]].filter(Boolean).join(" ");
  return { kind: fault.kind, title: text.fault[fault.kind], message, reason: fault.reason };
}

export function faultOf(error: unknown): CoreFault {
  if (error instanceof CoreError) return error.fault;
  // Somebody closed the browser's own dialog, or let it wait too long (WebAuthn, section 5.1.4).
  if (error instanceof DOMException && error.name === "NotAllowedError") {
    return { kind: "usage", message: text.advice.passkeyCancelled, reason: null };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "internal", message, reason: null };
}

function sentence(message: string): string {
  const trimmed = message.trim();
  if (trimmed === "") return "";
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
