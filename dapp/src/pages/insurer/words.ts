import { own } from "../../own";
import { text } from "../../text";

/** The contract's reason in words; one that this page does not know is shown as it is. */
export function reasonWords(reason: string): string {
  const word = reason
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, "-");
  return own(text.insurer.reasons, word) ?? reason;
}

export function purposeName(purpose: string): string {
  return own(text.purposes, purpose)?.name ?? purpose;
}

export function actionName(action: string): string {
  return own(text.insurer.actions, action) ?? action;
}

export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
