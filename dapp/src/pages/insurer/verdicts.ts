// Signed verdicts as files, one or a list of them, and as they are asked for.
import { type Checked, type Config, CoreError, type Core, type Question, type SignedVerdict } from "../../core/core";
import { categoryName } from "../../fhir";
import { parsed } from "../../state/preferences";
import { text } from "../../text";
import { download } from "../../ui";
import { KEPT_MAX } from "./history";
import { isoTime } from "./words";

/** In a file that is checked: as many as an export of the history has. */
export const VERDICTS_MAX = KEPT_MAX;
/** Of it: a proof has some 20 KiB, and several times that on a chain with a deep state. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;

/** With proofs, where the chain's node still has what they take; a signed answer is one without it too. */
export async function askSigned(core: Core, questions: Question[], prove: boolean): Promise<SignedVerdict[]> {
  try {
    return await core.ask(questions, prove);
  } catch (error) {
    if (!prove || !(error instanceof CoreError) || !/proof/.test(error.fault.reason ?? "")) throw error;
    return core.ask(questions, false);
  }
}

export function hasProof(signed: SignedVerdict): boolean {
  return signed.proof !== undefined && signed.proof !== null;
}

/** What a table tells of a verdict. */
export const COLUMNS = ["chart", "category", "purpose", "action", "at", "allowed", "reason", "block"];

/** By {@link COLUMNS}. */
export function cells({ verdict }: SignedVerdict): (string | number)[] {
  return [
    verdict.chart,
    categoryName(verdict.compartment),
    verdict.purpose,
    verdict.action,
    isoTime(verdict.at),
    verdict.allowed ? "yes" : "no",
    verdict.reason,
    verdict.block_number,
  ];
}

/** Signed by the gateway of this site. */
export function isOwn({ gateway }: Checked, { deployment }: Config): boolean {
  return gateway.toLowerCase() === deployment.gateway.toLowerCase();
}

export function saveVerdict(signed: SignedVerdict): void {
  download("verdict.json", new Blob([JSON.stringify(signed, null, 2)], { type: "application/json" }));
}

/** Piece by piece: as one text it could be too long. */
export function saveVerdicts(all: SignedVerdict[]): void {
  const pieces = all.map((signed, index) => `${index === 0 ? "" : ",\n"}${JSON.stringify(signed, null, 2)}`);
  download("verdicts.json", new Blob(["[", ...pieces, "]"], { type: "application/json" }));
}

/** What the client can check one by one, of what was chosen or pasted. Whether they are verdicts, it says. */
export async function separate(source: File | string): Promise<string[]> {
  const words = text.insurer;
  if (source instanceof File && source.size > FILE_BYTES_MAX) throw badInput(words.fileTooLarge(FILE_BYTES_MAX / 1024 / 1024));
  const written = source instanceof File ? await source.text() : source;
  const list = parsed<unknown>(written);
  if (!Array.isArray(list)) return [written];
  if (list.length === 0) throw badInput(words.noVerdicts);
  if (list.length > VERDICTS_MAX) throw badInput(words.tooManyVerdicts(VERDICTS_MAX));
  return list.map((one) => JSON.stringify(one));
}

function badInput(message: string): CoreError {
  return new CoreError({ kind: "bad-input", message, reason: null });
}
