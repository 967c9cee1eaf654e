import type { components } from "./openapi.js";

type Body = components["schemas"]["Problem"];

/** What a gateway of this version answers with; `not-a-problem-document`: whatever answered is no gateway. */
export type ProblemType = Slug<Body["type"]> | "not-a-problem-document";
type Slug<Urn> = Urn extends `urn:medlock:problem:${infer S}` ? S : never;

/** An answer that is a problem (RFC 9457). `type` is stable and meant for programs, all text for people. */
export class Problem extends Error {
  override readonly name = "Problem";
  /** Without `urn:medlock:problem:`; a later gateway may know more. */
  readonly type: ProblemType | (string & {});
  /** The HTTP status. */
  readonly status: number;
  /** The part of the request that is at fault. */
  readonly field: string | undefined;
  /** Stable text where a type has more than one cause. */
  readonly reason: string | undefined;
  /** Of the block that is missing or corrupt. */
  readonly digest: `0x${string}` | undefined;
  /** A contract's error, as it was encoded. */
  readonly revert: `0x${string}` | undefined;
  /** When to come back; absent where coming back does not help by itself. */
  readonly retryAfterSeconds: number | undefined;
  /** What the gateway's operator finds it by. */
  readonly requestId: string | undefined;

  constructor(answer: Response, body: Body) {
    super(body.detail ?? (body.reason ? `${body.title} (${body.reason})` : body.title));
    this.type = body.type.replace("urn:medlock:problem:", "");
    this.status = answer.status;
    this.field = body.field ?? undefined;
    this.reason = body.reason ?? undefined;
    this.digest = body.digest ?? undefined;
    this.revert = body.revert ?? undefined;
    this.retryAfterSeconds = retryAfterSeconds(answer);
    this.requestId = answer.headers.get("medlock-request-id") ?? undefined;
  }
}

/** An answer of the FHIR endpoint that is an error: an OperationOutcome. */
export class Outcome extends Error {
  override readonly name = "Outcome";
  readonly status: number;
  /** The resource, as it came. */
  readonly outcome: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;
  readonly requestId: string | undefined;

  constructor(answer: Response, outcome: Record<string, unknown>) {
    super(diagnostics(outcome) ?? `HTTP ${answer.status}`);
    this.status = answer.status;
    this.outcome = outcome;
    this.retryAfterSeconds = retryAfterSeconds(answer);
    this.requestId = answer.headers.get("medlock-request-id") ?? undefined;
  }
}

/** What an answer that is no success is thrown as. */
export async function failure(answer: Response): Promise<Problem | Outcome> {
  const body = await answer.json().catch(() => undefined);
  if (isProblem(body)) return new Problem(answer, body);
  if (body?.resourceType === "OperationOutcome") return new Outcome(answer, body);
  return unreadable(answer, "is this a Medlock gateway?");
}

/** An answer that is not what its route gives. */
export function unreadable(answer: Response, detail: string): Problem {
  const type = "not-a-problem-document" as Body["type"];
  return new Problem(answer, { type, title: "The answer is not a gateway's", status: answer.status, detail });
}

function isProblem(body: unknown): body is Body {
  const { type, title } = (body ?? {}) as Partial<Body>;
  return typeof type === "string" && typeof title === "string";
}

function retryAfterSeconds(answer: Response): number | undefined {
  const text = answer.headers.get("retry-after");
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}

function diagnostics(outcome: Record<string, unknown>): string | undefined {
  const { issue } = outcome as { issue?: { diagnostics?: string }[] };
  return Array.isArray(issue) ? issue[0]?.diagnostics : undefined;
}
