// What a party can do with a claim now. The contract has the last word: this is what is offered.
import type { Claim, ClaimState, ClaimStep } from "../../core/core";

/** Payment in a token takes more than a step of the claim. */
export type Offer = Exclude<ClaimStep["step"], "pay-in-token">;

export const WITH_TEXT: readonly Offer[] = ["ask", "answer", "appeal"];
export const WITH_REASON: readonly Offer[] = ["approve-part", "deny", "reverse"];

/** Against the claim: such a button is not pressed by the way. */
export const AGAINST: readonly Offer[] = ["deny", "reverse", "withdraw"];

const UNDECIDED: readonly ClaimState[] = ["received", "in-review", "appealed"];
const PAYABLE: readonly ClaimState[] = ["approved", "partly-approved"];
const APPEALABLE: readonly ClaimState[] = ["denied", "partly-approved"];

export const isPayable = (claim: Claim, us: string) => us === claim.insurer && PAYABLE.includes(claim.state);

/** Nothing closes it: whoever waits has to ask. */
export const isPaymentOverdue = (claim: Claim, now: number) =>
  claim.state === "approved" && typeof claim.deadline === "number" && claim.deadline <= now;

export function offered(claim: Claim, us: string, now: number): Offer[] {
  const { state } = claim;
  const isDue = claim.deadline !== undefined && claim.deadline !== null;
  const isOver = isDue && (claim.deadline ?? 0) <= now;
  const offers: Offer[] = [];
  const add = (offer: Offer, holds: boolean) => {
    if (holds) offers.push(offer);
  };
  if (us === claim.insurer) {
    add("review", state === "received" || state === "appealed");
    add("ask", UNDECIDED.includes(state));
    for (const offer of ["approve", "approve-part", "deny"] as const) add(offer, UNDECIDED.includes(state));
    add("close-overdue", state === "information-requested" && isOver);
    add("paid", PAYABLE.includes(state));
    add("reverse", PAYABLE.includes(state) || state === "paid");
  }
  if (us === claim.provider) {
    add("answer", state === "information-requested");
    add("accept-part", state === "partly-approved");
    add("appeal", APPEALABLE.includes(state) && isDue && !isOver);
    add("close-overdue", UNDECIDED.includes(state) && isOver);
    add("withdraw", UNDECIDED.includes(state) || state === "information-requested" || (APPEALABLE.includes(state) && isDue && !isOver));
  }
  return offers;
}
