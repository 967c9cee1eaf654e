// Compiles as it stands; with any name in it misspelt it does not (tests/end_to_end/typescript.rs).
import type { ProblemType, Schemas, Session } from "@medlock/client";
import { Problem } from "@medlock/client";

export async function mayUse(session: Session, chart: `0x${string}`): Promise<boolean> {
  const question: Schemas["Question"] = { chart, compartment: 6, purpose: "TREAT", action: "read" };
  const { verdicts } = await session.decide([question]);
  return verdicts.some((verdict) => verdict.allowed && verdict.block_number > 0);
}

export function isRefused(error: unknown): boolean {
  const refused: ProblemType = "forbidden-or-unknown";
  return error instanceof Problem && error.type === refused;
}
