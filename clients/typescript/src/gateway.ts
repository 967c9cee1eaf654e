import type { components, paths } from "./openapi.js";
import { failure, unreadable } from "./problem.js";
import { checkChallenge, type Signer } from "./signin.js";

export type Schemas = components["schemas"];
type Hex = `0x${string}`;
/** A FHIR resource. FHIR's own types are other packages'. */
export type Resource = { readonly resourceType: string } & Record<string, unknown>;
export type SearchParameters = Readonly<Record<string, string | readonly string[]>>;
/** A CAR v1 to upload, in memory or as it comes. */
export type Readable = ReadableStream<Uint8Array> | Uint8Array | Blob;

export interface GatewayOptions {
  /** In the place of the global one, for instance with a time limit. */
  readonly fetch?: typeof fetch;
}

/** At whose state a read was allowed, and why. */
export interface Basis {
  readonly block: number;
  readonly blockHash: Hex;
  readonly reason: string;
}

const JSON_TYPE = "application/json";
const CAR = "application/vnd.ipld.car";
const DAG_CBOR = "application/vnd.ipld.dag-cbor";
const FORM = "application/x-www-form-urlencoded";
const FHIR = "application/fhir+json";

type Method = "get" | "post" | "put" | "delete";
type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];
type Operation<M extends Method, P extends PathOf<M>> = paths[P][M];
/** The values of a path's or a query's parameters, as the document has them. */
type ParametersOf<O, Kind extends string> = O extends { parameters: { [K in Kind]?: infer V } } ? V : never;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : undefined;
type Success<O> = O extends { responses: infer R }
  ? { [S in keyof R & (200 | 201 | 202)]: R[S] extends { content: { "application/json": infer J } } ? J : never }[keyof R &
      (200 | 201 | 202)]
  : never;

interface Call {
  readonly path?: Readonly<Record<string, string | number>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: BodyInit | undefined;
}
type JsonCall<O> = {
  readonly path?: ParametersOf<O, "path">;
  readonly query?: ParametersOf<O, "query">;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyOf<O>;
};

/** What every request goes through. */
class Wire {
  readonly url: string;
  readonly #fetch: typeof fetch;

  constructor(url: string, options: GatewayOptions) {
    const { protocol, origin } = new URL(url);
    if (protocol !== "https:" && protocol !== "http:") throw new Error(`${url} is not a gateway's URL: http or https`);
    this.url = origin;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** The answer, which is a success. @throws Problem, Outcome */
  async send(method: Method, path: string, call: Call, token?: string): Promise<Response> {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(call.path?.[name])));
    const query = search(call.query ?? {});
    const init: RequestInit & { duplex?: "half" } = {
      method: method.toUpperCase(),
      headers: { ...call.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      // A redirect would take session and receipts elsewhere.
      redirect: "error",
      credentials: "omit",
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.body instanceof ReadableStream ? { duplex: "half" } : {}),
    };
    const answer = await this.#fetch(`${this.url}${filled}${query && `?${query}`}`, init);
    if (!answer.ok) throw await failure(answer);
    return answer;
  }

  async json<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    call: JsonCall<Operation<M, P>>,
    token?: string,
  ): Promise<Success<Operation<M, P>>> {
    const { body, ...sent } = call as Omit<Call, "body"> & { body?: unknown };
    const answer = await this.send(
      method,
      path,
      body === undefined
        ? sent
        : { ...sent, headers: { ...sent.headers, "content-type": JSON_TYPE }, body: JSON.stringify(body) },
      token,
    );
    return (await parsed(answer)) as Success<Operation<M, P>>;
  }
}

/** What a gateway tells everybody, and sign-in. */
export class Gateway {
  readonly #wire: Wire;

  /** @param url Of the gateway: scheme, host and port, as its sign-in messages name it. */
  constructor(url: string, options: GatewayOptions = {}) {
    this.#wire = new Wire(url, options);
  }

  get url(): string {
    return this.#wire.url;
  }

  /** The process answers. */
  health(): Promise<Schemas["Health"]> {
    return this.#wire.json("get", "/health", {});
  }

  /** Chain, index, store and database answer too. */
  ready(): Promise<Schemas["Health"]> {
    return this.#wire.json("get", "/ready", {});
  }

  /** What to compare with a deployment from where it is trusted. */
  deployment(): Promise<Schemas["Deployment"]> {
    return this.#wire.json("get", "/v1/deployment", {});
  }

  status(): Promise<Schemas["Status"]> {
    return this.#wire.json("get", "/v1/status", {});
  }

  /** Credential and encryption key of an account, if it has them. */
  party(account: Hex): Promise<Schemas["Party"]> {
    return this.#wire.json("get", "/v1/parties/{account}", { path: { account } });
  }

  /** The CapabilityStatement. */
  async fhirMetadata(): Promise<Resource> {
    return resource(await this.#wire.send("get", "/fhir/metadata", { headers: { accept: FHIR } }));
  }

  /**
   * Opens a session, after a look at what is signed.
   *
   * @param chainId Of the chain that is meant: the gateway's message must name it.
   */
  async signIn(signer: Signer, chainId: number): Promise<Session> {
    const request = { account: signer.address };
    const { message } = await this.#wire.json("post", "/v1/sessions/challenge", { body: request });
    checkChallenge(message, this.url, signer.address, chainId, Date.now());
    const signature = await signer.signMessage({ message });
    const session = await this.#wire.json("post", "/v1/sessions", { body: { message, signature } });
    return new Session(this.#wire, session);
  }
}

/** A signed-in account at a gateway. The token is a secret: it is in no property that can be seen or printed. */
export class Session {
  readonly #wire: Wire;
  readonly #token: string;
  readonly #organisation: Hex | undefined;
  readonly account: Hex;
  /** UNIX seconds. After that: `Problem` of type `session-expired`; once it was ended, `no-session`. Sign in again. */
  readonly expiresAt: number;

  /** See `Gateway.signIn`. */
  constructor(wire: Wire, session: Schemas["Session"], organisation?: Hex) {
    this.#wire = wire;
    this.#token = session.token;
    this.#organisation = organisation;
    this.account = session.account;
    this.expiresAt = session.expires_at;
  }

  /** The same session, in which the account reads for an organisation that it is a member of. Receipts name the organisation, too. */
  actingFor(organisation: Hex): Session {
    return new Session(this.#wire, { token: this.#token, account: this.account, expires_at: this.expiresAt }, organisation);
  }

  /** Ends this session. */
  async signOut(): Promise<void> {
    await this.#send("delete", "/v1/sessions");
  }

  /** Ends every session of the account, on whichever device. */
  async signOutEverywhere(): Promise<void> {
    await this.#send("delete", "/v1/sessions/all");
  }

  chart(chart: Hex): Promise<Schemas["Chart"]> {
    return this.#json("get", "/v1/charts/{chart}", { path: { chart } });
  }

  /** The directory block (dag-cbor). Compare its sha2-256 with the chart's `directory` on chain. */
  async directory(chart: Hex): Promise<Uint8Array> {
    return bytes(await this.#send("get", "/v1/charts/{chart}/directory", { path: { chart } }));
  }

  /** The caller's own keyring block (dag-cbor). */
  async keyring(chart: Hex): Promise<Uint8Array> {
    return bytes(await this.#send("get", "/v1/charts/{chart}/keyring", { path: { chart } }));
  }

  /** The latest version of each record that the caller may read, oldest first. */
  records(chart: Hex, options: { compartment?: number; pageSize?: number } = {}): AsyncGenerator<Schemas["Version"], void> {
    const { compartment, pageSize } = options;
    return pages(
      (query) => this.#json("get", "/v1/charts/{chart}/records", { path: { chart }, query: { ...query, ...given({ compartment }) } }),
      (page) => page.records,
      pageSize,
    );
  }

  /** Oldest first. */
  versions(chart: Hex, record: Hex, options: { pageSize?: number } = {}): AsyncGenerator<Schemas["Version"], void> {
    return pages(
      (query) => this.#json("get", "/v1/charts/{chart}/records/{record}/versions", { path: { chart, record }, query }),
      (page) => page.versions,
      options.pageSize,
    );
  }

  /** Grants of a chart, those that have expired included. */
  grants(chart: Hex, options: { pageSize?: number } = {}): AsyncGenerator<Schemas["Grant"], void> {
    return pages(
      (query) => this.#json("get", "/v1/charts/{chart}/grants", { path: { chart }, query }),
      (page) => page.grants,
      options.pageSize,
    );
  }

  /** The charts that the caller controls. */
  charts(options: { pageSize?: number } = {}): AsyncGenerator<Schemas["Chart"], void> {
    return pages((query) => this.#json("get", "/v1/charts", { query }), (page) => page.charts, options.pageSize);
  }

  /** Who is a member of the caller, and of whom the caller is one. */
  memberships(options: { pageSize?: number } = {}): AsyncGenerator<Schemas["Membership"], void> {
    return pages((query) => this.#json("get", "/v1/memberships", { query }), (page) => page.memberships, options.pageSize);
  }

  /** The keys that an organisation has sealed to the caller (dag-cbor). Compare the newest one with the organisation's on chain. */
  async membership(organisation: Hex): Promise<Uint8Array> {
    return bytes(await this.#send("get", "/v1/memberships/{account}/keys", { path: { account: organisation } }));
  }

  /** Has the caller's keys kept that are sealed to a member (dag-cbor). */
  async keepMembership(member: Hex, block: Uint8Array): Promise<void> {
    // TypeScript takes a view of shared memory for possible, which fetch does not take.
    const body = block as BodyInit;
    await this.#send("put", "/v1/memberships/{account}/keys", { path: { account: member }, headers: { "content-type": DAG_CBOR }, body });
  }

  /** Has them removed. */
  async removeMembership(member: Hex): Promise<void> {
    await this.#send("delete", "/v1/memberships/{account}/keys", { path: { account: member } });
  }

  /** Grants to the caller. */
  myGrants(options: { pageSize?: number } = {}): AsyncGenerator<Schemas["Grant"], void> {
    return pages((query) => this.#json("get", "/v1/grants", { query }), (page) => page.grants, options.pageSize);
  }

  /** Who has read of a chart, by sequence. */
  reads(chart: Hex, options: { pageSize?: number } = {}): AsyncGenerator<Schemas["ReadEntry"], void> {
    return pages(
      (query) => this.#json("get", "/v1/charts/{chart}/reads", { path: { chart }, query }),
      (page) => page.reads,
      options.pageSize,
    );
  }

  /** Hands in a signed receipt (`ReadReceipt`); gets the envelope (dag-cbor). Compare its sha2-256 with the receipt's pointer. */
  async read(request: Schemas["ReadRequest"]): Promise<Basis & { readonly envelope: Uint8Array }> {
    const { chart, record_id: record, version } = request.receipt;
    const answer = await this.#send("post", "/v1/charts/{chart}/records/{record}/versions/{version}/reads", {
      path: { chart, record, version },
      headers: { "content-type": JSON_TYPE },
      body: JSON.stringify(request),
    });
    const [block, blockHash, reason] = ["block", "block-hash", "reason"].map((name) => answer.headers.get(`medlock-${name}`));
    if (!block || !blockHash || !reason) throw unreadable(answer, "an envelope comes without the basis of the read");
    return { envelope: await bytes(answer), block: Number(block), blockHash: blockHash as Hex, reason };
  }

  /**
   * The payload as a CAR v1 stream, to a reader whose receipt is on file. Check each block against its CID. `bytes`: the first and the last
   * byte that are wanted (none: the end); then the blocks that hold them, and those above.
   */
  async payload(
    chart: Hex,
    record: Hex,
    version: number,
    options: { bytes?: readonly [first: number, last?: number] } = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const { bytes } = options;
    const answer = await this.#send("get", "/v1/charts/{chart}/records/{record}/versions/{version}/payload", {
      path: { chart, record, version },
      query: bytes ? { "entity-bytes": `${bytes[0]}:${bytes[1] ?? "*"}` } : {},
      headers: { accept: CAR },
    });
    if (!answer.body) throw unreadable(answer, "a payload without a body");
    return answer.body;
  }

  /** Stores the blocks of a CAR v1. They are on the gateway's disk when this returns. */
  async upload(car: Readable): Promise<Schemas["Uploaded"]> {
    // TypeScript takes a view of shared memory for possible, which fetch does not take.
    const body = car as BodyInit;
    return (await parsed(await this.#send("post", "/v1/blocks", { headers: { "content-type": CAR }, body }))) as Schemas["Uploaded"];
  }

  /** Of blocks, by their sha2-256 digests (at most 512): those that are to be uploaded. The others are as if they were uploaded now. */
  async missing(digests: readonly Hex[]): Promise<readonly string[]> {
    return (await this.#json("post", "/v1/blocks/missing", { body: { digests: [...digests] } })).missing;
  }

  /** Who has broken the chart's glass, newest first: to its controller all, to others their own. */
  emergencies(chart: Hex, options: { pageSize?: number } = {}): AsyncGenerator<Schemas["Emergency"], void> {
    return pages(
      (query) => this.#json("get", "/v1/charts/{chart}/emergencies", { path: { chart }, query }),
      (page) => page.emergencies,
      options.pageSize,
    );
  }

  /** The chart's emergency kit (dag-cbor); undefined: there is none. */
  async emergencyKit(chart: Hex): Promise<Uint8Array | undefined> {
    const answer = await this.#send("get", "/v1/charts/{chart}/emergency", { path: { chart } });
    return answer.status === 204 ? undefined : bytes(answer);
  }

  /** Puts a signed kit in the place of the chart's earlier one. */
  async putEmergencyKit(chart: Hex, kit: Uint8Array): Promise<void> {
    const headers = { "content-type": DAG_CBOR };
    await this.#send("put", "/v1/charts/{chart}/emergency", { path: { chart }, headers, body: kit as BodyInit });
  }

  async deleteEmergencyKit(chart: Hex): Promise<void> {
    await this.#send("delete", "/v1/charts/{chart}/emergency", { path: { chart } });
  }

  /** The shares that custodians have sealed to the caller, who has broken the glass. */
  async emergencyShares(chart: Hex): Promise<readonly Schemas["EmergencyShare"][]> {
    return (await this.#json("get", "/v1/charts/{chart}/emergency/shares", { path: { chart } })).shares;
  }

  /** A custodian's share (dag-cbor), sealed to `party`. Whether it has broken the glass, the chain says, and no gateway. */
  async releaseShare(chart: Hex, party: Hex, share: Uint8Array): Promise<void> {
    const headers = { "content-type": DAG_CBOR };
    const path = { chart, party };
    await this.#send("put", "/v1/charts/{chart}/emergency/shares/{party}", { path, headers, body: share as BodyInit });
  }

  /** Open emergencies that wait for a share of the caller's. */
  custody(options: { pageSize?: number } = {}): AsyncGenerator<Schemas["OpenEmergency"], void> {
    return pages((query) => this.#json("get", "/v1/custody", { query }), (page) => page.emergencies, options.pageSize);
  }

  /** What is left of a shredded record of the caller's chart. */
  erasure(chart: Hex, record: Hex): Promise<Schemas["Erasure"]> {
    return this.#json("get", "/v1/charts/{chart}/records/{record}/erasure", { path: { chart, record } });
  }

  /** Has the sealed keys of a shredded record removed, and says what is left. */
  erase(chart: Hex, record: Hex): Promise<Schemas["Erasure"]> {
    return this.#json("post", "/v1/charts/{chart}/records/{record}/erasure", { path: { chart, record } });
  }

  /** Answers without data, at most 10,000, in the order of the questions. `prove`: each yes with a proof; of at most 16. */
  decide(questions: readonly Schemas["Question"][], options: { prove?: boolean } = {}): Promise<Schemas["DecisionReply"]> {
    return this.#json("post", "/v1/decisions", { body: { questions: [...questions], ...options } });
  }

  /** Hands in a signed operation. The same one again is the same submission. */
  submit(request: Schemas["RelayRequest"], options: { idempotencyKey?: string } = {}): Promise<Schemas["RelayedOperation"]> {
    return this.#json("post", "/v1/relay/operations", { body: request, headers: named(options) });
  }

  /** Where an operation stands. */
  operation(id: Hex): Promise<Schemas["RelayedOperation"]> {
    return this.#json("get", "/v1/relay/operations/{id}", { path: { id } });
  }

  /** Those that the caller has submitted or signed, oldest first. */
  operations(options: { pageSize?: number } = {}): AsyncGenerator<Schemas["RelayedOperation"], void> {
    return pages((query) => this.#json("get", "/v1/relay/operations", { query }), (page) => page.operations, options.pageSize);
  }

  /** A FHIR resource by its id. @throws Outcome */
  async fhirRead(type: string, id: string): Promise<Resource> {
    return resource(await this.#send("get", "/fhir/{type}/{id}", { path: { type, id }, headers: { accept: FHIR } }));
  }

  /** The pages of a FHIR search, each a Bundle. The parameters travel in a body, the cursors of later pages in a URL. @throws Outcome */
  async *fhirSearch(type: string, parameters: SearchParameters = {}): AsyncGenerator<Resource, void> {
    let page = await resource(
      await this.#send("post", "/fhir/{type}/_search", {
        path: { type },
        headers: { accept: FHIR, "content-type": FORM },
        body: search(parameters),
      }),
    );
    for (;;) {
      yield page;
      const next = nextPage(page);
      if (next === undefined) return;
      const url = new URL(next);
      // Where else it leads the session must not go.
      if (url.origin !== this.#wire.url || url.pathname !== `/fhir/${type}`) throw new Error(`a next page elsewhere: ${next}`);
      const query: Record<string, string[]> = {};
      for (const [name, value] of url.searchParams) (query[name] ??= []).push(value);
      page = await resource(await this.#send("get", "/fhir/{type}", { path: { type }, query, headers: { accept: FHIR } }));
    }
  }

  /**
   * Creates a Consent from a grant that its granter has signed. `resource`: the Consent, once it is on chain; an OperationOutcome while it is
   * underway, with the operation's place in `operation`. @throws Outcome
   */
  async fhirCreate(
    type: string,
    created: Resource,
    options: { idempotencyKey?: string } = {},
  ): Promise<{ readonly resource: Resource; readonly operation: string | undefined }> {
    const answer = await this.#send("post", "/fhir/{type}", {
      path: { type },
      headers: { accept: FHIR, "content-type": FHIR, ...named(options) },
      body: JSON.stringify(created),
    });
    return { resource: await resource(answer), operation: answer.headers.get("content-location") ?? undefined };
  }

  #send<M extends Method>(method: M, path: PathOf<M>, call: Call = {}): Promise<Response> {
    return this.#wire.send(method, path, this.#acting(call), this.#token);
  }

  #json<M extends Method, P extends PathOf<M>>(method: M, path: P, call: JsonCall<Operation<M, P>>) {
    return this.#wire.json(method, path, this.#acting(call), this.#token);
  }

  #acting<C extends { readonly headers?: Readonly<Record<string, string>> | undefined }>(call: C): C {
    if (this.#organisation === undefined) return call;
    return { ...call, headers: { ...call.headers, "medlock-organisation": this.#organisation } };
  }
}

/** Every item of a listing, page by page as they are wanted. */
async function* pages<Page extends { next?: string | null }, Item>(
  fetchPage: (query: { after?: string; limit?: number }) => Promise<Page>,
  items: (page: Page) => readonly Item[],
  limit: number | undefined,
): AsyncGenerator<Item, void> {
  let after: string | undefined;
  do {
    const page = await fetchPage(given({ after, limit }));
    yield* items(page);
    const next = page.next ?? undefined;
    if (next !== undefined && next === after) throw new Error("the listing does not get on: a page names itself as the next one");
    after = next;
  } while (after !== undefined);
}

/** What is not undefined. */
function given<T extends Record<string, unknown>>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as never;
}

function named({ idempotencyKey }: { idempotencyKey?: string }): Record<string, string> {
  return given({ "idempotency-key": idempotencyKey }) as Record<string, string>;
}

function search(parameters: Readonly<Record<string, unknown>>): string {
  const all = Object.entries(parameters).flatMap(([name, values]) => [values].flat().map((value) => [name, String(value)]));
  return new URLSearchParams(all as [string, string][]).toString();
}

async function parsed(answer: Response): Promise<unknown> {
  try {
    return await answer.json();
  } catch {
    throw unreadable(answer, "the answer is not JSON");
  }
}

async function resource(answer: Response): Promise<Resource> {
  return (await parsed(answer)) as Resource;
}

async function bytes(answer: Response): Promise<Uint8Array> {
  return new Uint8Array(await answer.arrayBuffer());
}

function nextPage(bundle: Resource): string | undefined {
  const { link } = bundle as { link?: { relation?: string; url?: string }[] };
  return Array.isArray(link) ? link.find((one) => one.relation === "next")?.url : undefined;
}
