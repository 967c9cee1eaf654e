// Files of a trial, looked into before anything is sent: the client checks them whole, and says less plainly which field is wrong.
import type { Hex, TrialFacts } from "../../core/core";
import { text } from "../../text";

export async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}

export async function planFault(file: File): Promise<string | null> {
  const plan = parsed(await file.text());
  const isPlan = plan?.format === "medlock/v1/trial/plan" && Array.isArray(plan.outcomes) && plan.outcomes.length > 0;
  return isPlan ? null : text.trials.planWrong;
}

/** Results that name something else than what is on chain would stand there as that. */
export async function resultsFault(file: File, facts: TrialFacts): Promise<string | null> {
  const { resultsWrong, resultsOfOther } = text.trials;
  const results = parsed(await file.text());
  if (results?.format !== "medlock/v1/trial/results") return resultsWrong;
  if (results.trial !== facts.trial) return resultsOfOther.trial;
  if (results.version !== facts.versions.length) return resultsOfOther.version;
  if (results.plan !== facts.versions.at(-1)?.documents.plan) return resultsOfOther.plan;
  return results.data === facts.lock?.data ? null : resultsOfOther.data;
}

/** Whether it is the file with this digest. Where the browser computes none (no secure context), the client alone does. */
export async function isFile(file: File, digest: Hex | undefined): Promise<boolean> {
  if (!isSecureContext) return true;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return digest === `0x${[...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Whose consent a file is, for filling in: what it says is compared with the chain later. */
export async function participantOf(file: File): Promise<string | null> {
  const participant = parsed(await file.text())?.participant;
  return typeof participant === "string" ? participant : null;
}

function parsed(content: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
