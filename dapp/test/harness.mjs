// The ground that the browser tests stand on: a real gateway and chain, a real Chromium, and one context for each person, in which nothing goes
// unseen. Whatever a page or its worker complains of, asks another server for, or sends in the clear fails the test at its end.
//
//   MEDLOCK_CHROMIUM   the browser (tools/setup-chromium.sh prints it)
//   MEDLOCK_GATEWAY, MEDLOCK_RPC, MEDLOCK_HOME   services that run already; without them `medlock dev` is started for the test
//   MEDLOCK_PROGRAM    the program; without it target/debug/medlock
//   MEDLOCK_APP_DIST   a folder with a build of the pages that takes the place of the one that the gateway has in it
//   MEDLOCK_SHOTS      a folder for a picture of every page at the moment of a failure
//   MEDLOCK_TOOLS      where tools/setup-node.sh --tests put playwright-core and axe-core
import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url);
const TOOLS = process.env.MEDLOCK_TOOLS ? pathToFileURL(`${process.env.MEDLOCK_TOOLS}/`) : new URL(".tools/", ROOT);
// As tools/setup-node.sh installs them, which is not where Node looks.
export const tool = createRequire(new URL("node/package.json", TOOLS));
const { chromium } = tool("playwright-core");

const PROGRAM = process.env.MEDLOCK_PROGRAM ?? fileURLToPath(new URL("target/debug/medlock", ROOT));
const OWNER_PASSPHRASE = "medlock-dev";
/** Longest wait for anything that should come soon, on two cores that do something else as well. */
const PATIENCE_MS = 120_000;
const POLL_MS = 50;
const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync",
];
/** A page that a test answers for has no address, and Chromium keeps such pages from asking this machine's servers. */
const PAGES_FROM_NOWHERE = "--disable-features=LocalNetworkAccessChecks";
export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 900 };
/** What a page leaves unanswered when it goes: for `during`. */
export const LEFT_BEHIND = /net::ERR_(ABORTED|FAILED)/;
/** Of a secret at least: fewer could stand anywhere. */
const SECRET_BYTES_LEAST = 5;
/** What changes something has a body, but for the request that has a record erased. */
const HAS_BODY = /^(POST|PUT|PATCH) (?!.*\/erasure$)/;
const INFLATE = { gzip: gunzipSync, "x-gzip": gunzipSync, deflate: inflateSync, br: brotliDecompressSync };
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

export const fixture = (name) => fileURLToPath(new URL(`tests/fixtures/${name}`, ROOT));
export const readFixture = (name) => readFile(fixture(name));

/** What makes a contract of the tests, by the compiler that tools/setup-node.sh installs. */
export async function creationCode(path, contract) {
  const input = {
    language: "Solidity",
    sources: { [path]: { content: await readFile(new URL(path, ROOT), "utf8") } },
    settings: { evmVersion: "prague", outputSelection: { "*": { "*": ["evm.bytecode.object"] } } },
  };
  const env = { ...process.env, MEDLOCK_NODE: fileURLToPath(new URL("node", TOOLS)) };
  const solc = fileURLToPath(new URL("tools/solc", ROOT));
  const { stdout, stderr } = spawnSync(solc, ["--standard-json"], { env, input: JSON.stringify(input), encoding: "utf8", maxBuffer: 1 << 26 });
  assert.ok(stdout, `tools/solc: ${stderr}`);
  const { contracts, errors } = JSON.parse(stdout);
  assert.ok(contracts?.[path]?.[contract], JSON.stringify(errors, null, 1));
  return `0x${contracts[path][contract].evm.bytecode.object}`;
}

/** Runs a test of named steps. What fails is told with what every page showed at that moment. */
export async function story(name, play) {
  const stage = await Stage.open();
  const step = async (what, act) => {
    const begun = performance.now();
    try {
      await act();
    } catch (error) {
      await stage.explain();
      throw new Error(`${name}: ${what}`, { cause: error });
    }
    console.log(`ok ${what} (${Math.round(performance.now() - begun)} ms)`);
  };
  try {
    await play(stage, step);
    await step("nothing was complained of, asked of others, or sent in the clear", () => stage.check());
  } finally {
    await stage.close();
  }
}

/** Waits until `look` answers something true, and gives that back. */
export async function eventually(what, look) {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > until) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export class Stage {
  people = [];
  /** What must never be seen by any server, and what it is. */
  #secrets = new Map();

  constructor(browser, services) {
    this.browser = browser;
    Object.assign(this, services);
  }

  static async open() {
    const executablePath = process.env.MEDLOCK_CHROMIUM ?? "/usr/bin/chromium";
    const services = await servicesOf();
    try {
      const args = process.env.MEDLOCK_APP_DIST ? [...ARGS, PAGES_FROM_NOWHERE] : ARGS;
      return new Stage(await chromium.launch({ executablePath, headless: true, args }), services);
    } catch (error) {
      await services.stop();
      throw error;
    }
  }

  /** Somebody with a browser of their own. `device`: what Playwright's newContext takes. */
  async person(name, device = {}) {
    const context = await this.browser.newContext({
      viewport: DESK, locale: "en-GB", timezoneId: "UTC", colorScheme: "light", acceptDownloads: true, ...device,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const person = new Person(name, context, this);
    if (process.env.MEDLOCK_APP_DIST) await serveFrom(context, this.gateway, process.env.MEDLOCK_APP_DIST);
    await person.watch.begin();
    this.people.push(person);
    return person;
  }

  /** Text, or bytes, that are looked for in everything that any page sends. */
  secret(what, secret) {
    assert.ok(Buffer.byteLength(secret) >= SECRET_BYTES_LEAST, `${what} is too short to be looked for`);
    for (const spelling of spellings(secret)) this.#secrets.set(spelling, what);
  }

  /** The `medlock` program, as somebody with this home. */
  async medlock(...args) {
    const { stdout } = await promisify(execFile)(PROGRAM, args, { env: this.#environment(), maxBuffer: 1 << 26 });
    return stdout.trim();
  }

  /** A method of the chain's JSON-RPC. */
  async call(method, params) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const answer = await fetch(this.rpc, { method: "POST", headers: { "content-type": "application/json" }, body });
    const { result, error } = await answer.json();
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async fund(address) {
    await this.medlock("dev", "fund", address);
  }

  /** The registry's owner names itself an issuer, and credentials an account. */
  async credential(address, roles) {
    const key = join(this.home, "owner.key");
    const owner = await this.medlock("keys", "show", key);
    await this.medlock("-k", key, "party", "issuer", owner);
    await this.medlock("-k", key, "party", "credential", address, "--roles", roles);
  }

  #environment() {
    const { gateway, rpc, home } = this;
    return { ...process.env, MEDLOCK_GATEWAY: gateway, MEDLOCK_RPC: rpc, MEDLOCK_HOME: home, MEDLOCK_PASSPHRASE: OWNER_PASSPHRASE };
  }

  /** What every page shows, for whoever reads why a test failed. */
  async explain() {
    for (const { name, context, watch } of this.people) {
      for (const [at, page] of context.pages().entries()) {
        const shown = await page.locator("body").ariaSnapshot({ timeout: 1_000 }).catch((error) => String(error));
        console.error(`--- ${name}, tab ${at + 1}, ${page.url()}\n${shown}`);
        if (process.env.MEDLOCK_SHOTS) await page.screenshot({ path: join(process.env.MEDLOCK_SHOTS, `${name}-${at}.png`) }).catch(() => {});
      }
      console.error(`--- ${name}'s complaints: ${JSON.stringify(watch.complaints, null, 1)}`);
    }
  }

  async check() {
    for (const { name, context, watch } of this.people) {
      await context.close();
      await watch.settled();
      assert.deepEqual(watch.unexpected(), [], `${name}'s browser complained`);
      assert.ok(watch.sent.length > 0, `what ${name} sends was not seen, so nothing is known of it`);
      // Each is looked for once in all of it, and where it is only if it is there.
      const all = Buffer.concat(watch.sent.flatMap(({ parts }) => parts));
      for (const [spelling, what] of this.#secrets) {
        const secret = Buffer.from(spelling, "latin1");
        const where = all.includes(secret) ? watch.sent.find(({ parts }) => parts.some((part) => part.includes(secret))) : undefined;
        assert.equal(where, undefined, `${what} was sent by ${name}'s browser: ${where?.url}`);
      }
    }
  }

  async close() {
    await this.browser.close();
    await this.stop();
  }
}

/** A person with a browser: `page` is the tab that they look at. */
export class Person {
  constructor(name, context, stage) {
    this.name = name;
    this.context = context;
    this.stage = stage;
    this.watch = new Watch(context, [stage.gateway, stage.rpc]);
  }

  async open(route = "/") {
    this.page = await this.context.newPage();
    await this.page.goto(`${this.stage.gateway}/#${route}`);
    return this.page;
  }

  /** Another page of the application, without loading it anew. */
  async go(route) {
    await this.page.evaluate((to) => (location.hash = to), route);
  }

  async reload() {
    await this.watch.during(LEFT_BEHIND, () => this.page.reload());
  }
}

/** Everything that a context's pages and workers ask of servers and complain of. */
class Watch {
  complaints = [];
  /** Each request, and what goes through a WebSocket at once: where to, and what a server sees of it. */
  sent = [];
  #allowed = [];
  #pending = [];
  #answered = new WeakSet();

  constructor(context, servers) {
    this.context = context;
    this.servers = servers.map((server) => new URL(server).origin);
  }

  async begin() {
    await this.context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
    });
    this.context.on("console", (message) => {
      const [type, said] = [message.type(), message.text()];
      if (type === "error" || type === "warning") this.complaints.push(`${type}: ${said} ${message.location().url}`);
    });
    this.context.on("weberror", (error) => this.complaints.push(`page: ${error.error().stack ?? error.error()}`));
    this.context.on("response", (response) => this.#answered.add(response.request()));
    this.context.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // The client lets go of an answer once it has read it; Chromium calls that aborted.
      if (why !== "net::ERR_ABORTED" || !this.#answered.has(request)) this.complaints.push(`failed: ${why} ${request.url()}`);
    });
    this.context.on("request", (request) => this.#pending.push(this.#note(request)));
    this.context.on("page", (page) => page.on("websocket", (socket) => this.#listen(socket)));
  }

  async #note(request) {
    const url = request.url();
    const { protocol, origin } = new URL(url);
    if (protocol === "data:") return;
    if (!this.servers.includes(origin)) this.complaints.push(`another server: ${url}`);
    if (protocol === "blob:") return;
    const seen = request.postDataBuffer();
    const headers = await request.allHeaders().catch(() => request.headers());
    // What was not seen whole could hold anything.
    const told = headers["content-length"];
    const isWhole = told === undefined ? seen !== null || !HAS_BODY.test(`${request.method()} ${url}`) : Number(told) === (seen?.length ?? 0);
    if (!isWhole) this.complaints.push(`not seen: the body to ${url}, ${seen?.length ?? 0} of ${told ?? "unknown"} bytes`);
    const parts = [Buffer.from(`${url}\n${JSON.stringify(headers)}`), unescaped(url)];
    if (seen) parts.push(seen);
    if (seen && headers["content-encoding"]) parts.push(this.#inflated(seen, headers["content-encoding"], url));
    this.sent.push({ url, parts });
  }

  #inflated(body, encoding, url) {
    try {
      return INFLATE[encoding.trim().toLowerCase()](body);
    } catch (error) {
      this.complaints.push(`not seen: the body to ${url}, ${encoding}: ${error.message}`);
      return Buffer.alloc(0);
    }
  }

  #listen(socket) {
    const url = socket.url();
    if (!this.servers.includes(new URL(url.replace(/^ws/, "http")).origin)) this.complaints.push(`another server: ${url}`);
    this.sent.push({ url, parts: [Buffer.from(url), unescaped(url)] });
    socket.on("framesent", ({ payload }) => this.sent.push({ url, parts: [Buffer.from(payload)] }));
  }

  /** A complaint that the whole test causes, from its beginning to its end. */
  allow(pattern) {
    this.#allowed.push(pattern);
  }

  /** A complaint that the fault which `act` makes causes: before it and after it, it counts. */
  async during(pattern, act) {
    const begun = this.complaints.length;
    const result = await act();
    // What the browser has to say by now comes before its answer.
    await Promise.all(this.context.pages().map((page) => page.evaluate(() => {}).catch(() => {})));
    const made = this.complaints.splice(begun);
    this.complaints.push(...made.filter((complaint) => !pattern.test(complaint)));
    return result;
  }

  unexpected() {
    return this.complaints.filter((complaint) => !this.#allowed.some((pattern) => pattern.test(complaint)));
  }

  async settled() {
    await Promise.all(this.#pending);
  }
}

/** An address by the bytes that it stands for. */
function unescaped(url) {
  return Buffer.from(url.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))), "latin1");
}

/** How a secret may be written: as it stands, in JSON, in UTF-16, as hex, as numbers, or in base64 at any of its three alignments. Each as Latin-1. */
function spellings(secret) {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    // Signs that hold bits of a neighbour as well are left out.
    return encoded.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3));
  });
  const base64url = base64.map((encoded) => encoded.replaceAll("+", "-").replaceAll("/", "_"));
  const all = [bytes, ...textsOf(secret), hex, hex.toUpperCase(), bytes.join(","), ...base64, ...base64url];
  return new Set(all.map((one) => Buffer.from(one).toString("latin1")));
}

function textsOf(secret) {
  if (typeof secret !== "string") return [];
  const utf16 = Buffer.from(secret, "utf16le");
  return [JSON.stringify(secret).slice(1, -1), utf16, Buffer.from(utf16).swap16()];
}

async function servicesOf() {
  const { MEDLOCK_GATEWAY: gateway, MEDLOCK_RPC: rpc, MEDLOCK_HOME: home } = process.env;
  return gateway && rpc && home ? { gateway, rpc, home, stop: async () => {} } : startServices();
}

async function startServices() {
  const home = await mkdtemp(join(tmpdir(), "medlock-dapp-"));
  const child = spawn(PROGRAM, ["--home", home, "dev", "--rpc-port", "0", "--gateway-port", "0", "--json"], {
    cwd: fileURLToPath(ROOT), stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGINT");
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  let told = "";
  for await (const line of createInterface({ input: child.stdout })) {
    told += line;
    if (line.startsWith("}")) {
      const { gateway, rpc } = JSON.parse(told);
      return { gateway, rpc, home, stop };
    }
  }
  throw new Error(`medlock dev ended: ${told}`);
}

/** Pages from a folder, with the headers that the gateway sends with its own. */
async function serveFrom(context, gateway, folder) {
  const own = await fetch(`${gateway}/`);
  const kept = ["content-security-policy", "permissions-policy", "cross-origin-opener-policy", "x-content-type-options", "referrer-policy"];
  const headers = Object.fromEntries(kept.flatMap((name) => (own.headers.get(name) ? [[name, own.headers.get(name)]] : [])));
  const { port } = new URL(gateway);
  // By any of its names.
  const isApp = (url) => url.port === port && /^\/(app\/(?!config\.json).*)?$/.test(url.pathname);
  await context.route(isApp, async (route) => {
    const { pathname } = new URL(route.request().url());
    const file = join(folder, pathname === "/" ? "index.html" : pathname);
    await route.fulfill({ body: await readFile(file), headers: { ...headers, "content-type": TYPES[extname(file)] } });
  });
}

/** What somebody gets who clicks something that saves a file. */
export async function downloaded(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  const path = await download.path();
  return { name: download.suggestedFilename(), path, bytes: await readFile(path) };
}
