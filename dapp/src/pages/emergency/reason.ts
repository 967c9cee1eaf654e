import { text } from "../../text";

/** Why somebody broke the glass, as the contracts number it. */
export function reasonText(code: number): string {
  return (text.glass.reasons as Record<number, string>)[code] ?? text.glass.otherReason(code);
}
