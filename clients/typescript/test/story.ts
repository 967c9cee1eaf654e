// What a developer does with a gateway, against a real one (tests/end_to_end/typescript.rs). Prints `ok` and the part, for each part.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { Gateway, ofProvider, Outcome, Problem, verdictsTypedData } from "@medlock/client";
import type { Schemas, Session } from "@medlock/client";
import { domain, signedTypes } from "@medlock/client/abi";
import { hashStruct, hexToBytes, hexToString, keccak256, verifyTypedData } from "viem";
import { privateKeyToAccount } from "viem/accounts";

type Hex = `0x${string}`;
function env(name: string): Hex {
  const value = process.env[name];
  assert.ok(value, name);
  return value as Hex;
}
const url = env("GATEWAY");
const deployment = { chain_id: Number(env("CHAIN_ID")), records: env("RECORDS"), gateway: env("GATEWAY_ACCOUNT") };
const chart = env("CHART");
const imported = Number(env("IMPORTED"));
const patient = privateKeyToAccount(env("KEY_PATIENT"));
const clinic = privateKeyToAccount(env("KEY_CLINIC"));

const gateway = new Gateway(`${url}/`);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString("hex")}`;
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}
async function problem(work: Promise<unknown>, type: string, status: number): Promise<Problem> {
  const error = await work.then(
    () => assert.fail(`no ${type}`),
    (error: unknown) => error,
  );
  assert.ok(error instanceof Problem, inspect(error));
  assert.deepEqual([error.type, error.status], [type, status]);
  return error;
}

let ofPatient: Session;
let ofClinic: Session;
let records: Schemas["Version"][];
const parts = {
  async "what everybody is told"() {
    const served = await gateway.deployment();
    assert.equal(served.chain_id, deployment.chain_id);
    assert.equal(served.gateway.toLowerCase(), deployment.gateway.toLowerCase());
    assert.equal((await gateway.health()).status, "ok");
    assert.equal((await gateway.ready()).status, "ready");
    assert.equal((await gateway.status()).lag_blocks, 0);
    assert.equal((await gateway.party(clinic.address)).credential?.status, "issued");
    assert.equal((await gateway.fhirMetadata()).resourceType, "CapabilityStatement");
  },
  async "sign-in with viem's account and with a wallet"() {
    ofPatient = await gateway.signIn(patient, deployment.chain_id);
    assert.equal(ofPatient.account.toLowerCase(), patient.address.toLowerCase());
    assert.ok(ofPatient.expiresAt > Date.now() / 1000);
    const asked: string[] = [];
    const wallet = {
      async request({ method, params }: { method: string; params: [Hex, Hex] }) {
        asked.push(method);
        assert.equal(params[1], clinic.address);
        return await clinic.signMessage({ message: hexToString(params[0]) });
      },
    };
    ofClinic = await gateway.signIn(ofProvider(wallet, clinic.address), deployment.chain_id);
    assert.deepEqual(asked, ["personal_sign"]);
    // The token of either is nowhere to be seen.
    assert.doesNotMatch(inspect(ofClinic, { showHidden: true, depth: 9 }) + JSON.stringify(ofClinic), /[0-9a-f]{64}/);
  },
  async "what is no sign-in to this gateway is not signed"() {
    const changes: [string, string][] = [
      [new URL(url).host, "example.org"],
      [`URI: ${url}`, "URI: https://example.org"],
      [`Chain ID: ${deployment.chain_id}`, "Chain ID: 1"],
      [patient.address, clinic.address],
      ["This moves no money and grants nobody access.", "I grant everything."],
      ["Version: 1", "Version: 1\nResources:\n- https://example.org"],
      [`Expiration Time: ${new Date().getUTCFullYear()}`, `Expiration Time: ${new Date().getUTCFullYear() + 1}`],
    ];
    for (const [said, other] of changes) {
      const lying: typeof fetch = async (input, init) => {
        const text = await (await fetch(input, init)).text();
        const message = (JSON.parse(text) as { message: string }).message;
        assert.ok(message.includes(said), `${said} in ${message}`);
        return Response.json({ message: message.replace(said, other) });
      };
      const signMessage = () => assert.fail(`signed with ${other}`);
      const signer = { address: patient.address, signMessage };
      await assert.rejects(new Gateway(url, { fetch: lying }).signIn(signer, deployment.chain_id), /was not signed/);
    }
    // A chain that was not meant.
    await assert.rejects(gateway.signIn(patient, deployment.chain_id + 1), /was not signed/);
  },
  async "charts, grants and records, page by page"() {
    const state = await ofPatient.chart(chart);
    assert.equal(state.controller.toLowerCase(), patient.address.toLowerCase());
    assert.equal(hex(sha256(await ofPatient.directory(chart))), state.directory);
    assert.ok((await ofClinic.keyring(chart)).length > 0);
    const [grant, ...others] = await all(ofPatient.grants(chart));
    assert.deepEqual([grant?.grantee.toLowerCase(), grant?.purposes, others], [clinic.address.toLowerCase(), ["TREAT"], []]);
    assert.deepEqual(await all(ofClinic.myGrants()), [grant]);
    records = await all(ofClinic.records(chart));
    assert.equal(records.length, imported);
    assert.deepEqual(await all(ofClinic.records(chart, { pageSize: 2 })), records);
    // No more is fetched than is looked at.
    let fetched = 0;
    const counting = new Gateway(url, { fetch: (input, init) => ((fetched += 1), fetch(input, init)) });
    const signedIn = await counting.signIn(clinic, deployment.chain_id);
    fetched = 0;
    for await (const _ of signedIn.records(chart, { pageSize: 2 })) break;
    assert.equal(fetched, 1);
    const compartment = records[0]!.compartment;
    const inIt = records.filter((record) => record.compartment === compartment);
    assert.deepEqual(await all(ofClinic.records(chart, { compartment })), inIt);
    assert.deepEqual(await all(ofClinic.versions(chart, records[0]!.record_id)), [records[0]]);
  },
  async "verdicts and their signature"() {
    const question = { chart, compartment: records[0]!.compartment, action: "read" } as const;
    const purposes = ["TREAT", "HRESCH", "HPAYMT", "TREAT", "PUBHLTH"] as const;
    const { verdicts, signature } = await ofClinic.decide(purposes.map((purpose) => ({ ...question, purpose })));
    assert.deepEqual(verdicts.map((verdict) => verdict.allowed), [true, false, false, true, false]);
    const hashes = { keccak256, hashStruct };
    const isSigned = (said: readonly Schemas["Verdict"][], address = deployment.gateway) =>
      verifyTypedData({ address, ...verdictsTypedData(deployment, said, hashes), signature });
    assert.equal(await isSigned(verdicts), true);
    const [yes, no] = verdicts as [Schemas["Verdict"], Schemas["Verdict"]];
    assert.equal(await isSigned([yes, { ...no, allowed: true, reason_code: yes.reason_code }, ...verdicts.slice(2)]), false);
    assert.equal(await isSigned(verdicts.slice(0, 4)), false);
    assert.equal(await isSigned([no, yes, ...verdicts.slice(2)]), false);
    assert.equal(await isSigned(verdicts, clinic.address), false);
    const proved = await ofClinic.decide([{ ...question, purpose: "TREAT" }], { prove: true });
    assert.equal(proved.proofs?.length, 1);
    const typed = verdictsTypedData(deployment, proved.verdicts, hashes);
    assert.equal(await verifyTypedData({ address: deployment.gateway, ...typed, signature: proved.signature }), true);
  },
  async "a read: receipt, envelope, payload as a stream"() {
    const { record_id, version, pointer } = records[0]!;
    const receipt: Schemas["Receipt"] = {
      chart, record_id, version, pointer, reader: clinic.address, organisation: `0x${"00".repeat(20)}`, purpose: "TREAT", gateway: deployment.gateway,
      read_at: Math.floor(Date.now() / 1000), nonce: hex(randomBytes(32)),
    };
    await problem(ofClinic.payload(chart, record_id, version), "receipt-missing", 403);
    const signature = await clinic.signTypedData({
      domain: domain(deployment.chain_id, deployment.records),
      types: { ReadReceipt: signedTypes.ReadReceipt },
      primaryType: "ReadReceipt",
      message: { ...receipt, recordId: record_id, purpose: 1, readAt: BigInt(receipt.read_at) },
    });
    const read = await ofClinic.read({ receipt, signature });
    assert.equal(hex(sha256(read.envelope)), pointer);
    assert.deepEqual([read.reason, read.block > 0, read.blockHash.length], ["grant", true, 66]);
    await problem(ofClinic.read({ receipt, signature }), "receipt-replayed", 409);
    const whole = await blocks(await ofClinic.payload(chart, record_id, version));
    assert.ok(whole.length > 0);
    assert.deepEqual(await blocks(await ofClinic.payload(chart, record_id, version, { bytes: [0, 0] })), whole.slice(0, 1));
    await problem(ofClinic.erasure(chart, record_id), "forbidden-or-unknown", 403);
    const [entry] = await all(ofPatient.reads(chart));
    assert.equal(entry?.receipt.nonce, receipt.nonce);
  },
  async "an upload as a stream"() {
    const content = [randomBytes(100_000), randomBytes(200_000)];
    const cids = content.map((block) => Buffer.concat([hexToBytes("0x01551220"), sha256(block)]));
    // {"roots": [the first], "version": 1}, as dag-cbor.
    const header = Buffer.concat([hexToBytes("0xa265726f6f747381d82a582500"), cids[0]!, hexToBytes("0x6776657273696f6e01")]);
    const pieces = [frame(header), ...content.map((block, at) => frame(Buffer.concat([cids[at]!, block])))];
    const car = () => new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    assert.deepEqual(await ofClinic.upload(car()), { blocks: 2, bytes: 300_000 });
    assert.deepEqual(await ofClinic.upload(Buffer.concat(pieces)), { blocks: 2, bytes: 300_000 });
    const nowhere: Hex = `0x${"11".repeat(32)}`;
    assert.deepEqual(await ofClinic.missing([nowhere]), [nowhere]);
    pieces[2]![50_000]! ^= 1;
    await problem(ofClinic.upload(car()), "car-invalid", 422);
  },
  async "problems"() {
    const { requestId } = await problem(ofClinic.chart(`0x${"ee".repeat(32)}`), "forbidden-or-unknown", 403);
    assert.match(requestId ?? "", /^[0-9a-fx]+$/);
    const malformed = await problem(ofClinic.chart("0x12"), "bad-request", 400);
    assert.equal(malformed.field, "path");
    const call = { chain_id: deployment.chain_id, relay: deployment.records, call: "0x" } as const;
    await problem(ofClinic.submit(call, { idempotencyKey: "once" }), "operation-invalid", 422);
    await problem(ofClinic.operation(`0x${"ee".repeat(32)}`), "forbidden-or-unknown", 403);
    assert.deepEqual(await all(ofClinic.operations()), []);
    const page = async () => new Response("<h1>Bad Gateway</h1>", { status: 502 });
    await problem(new Gateway(url, { fetch: page }).status(), "not-a-problem-document", 502);
    const elsewhere = async () => new Response("<h1>Welcome</h1>");
    await problem(new Gateway(url, { fetch: elsewhere }).status(), "not-a-problem-document", 200);
  },
  async "FHIR: pages of a search, a resource, an outcome"() {
    const documents = await all(ofClinic.fhirSearch("DocumentReference", { patient: `Patient/${chart.slice(2)}`, _count: "5" }));
    const entries = documents.flatMap((page) => page["entry"] as { resource: { id: string } }[]);
    assert.equal(documents.length, Math.ceil(imported / 5));
    assert.equal(entries.length, imported);
    const found = entries[0]!.resource;
    assert.deepEqual(await ofClinic.fhirRead("DocumentReference", found.id), found);
    const refused = { name: "Outcome", status: 404 };
    await assert.rejects(ofClinic.fhirRead("Consent", "none"), (error) => error instanceof Outcome && error.status === refused.status);
    await assert.rejects(ofClinic.fhirCreate("Consent", { resourceType: "Consent" }), Outcome);
  },
  async "sign-out"() {
    const other = await gateway.signIn(clinic, deployment.chain_id);
    await other.signOut();
    await problem(other.chart(chart), "no-session", 401);
    assert.ok(await ofClinic.chart(chart));
    await ofClinic.signOutEverywhere();
    await problem(ofClinic.chart(chart), "no-session", 401);
  },
};

function frame(content: Uint8Array): Buffer {
  const length = [];
  for (let rest = content.length; ; rest >>= 7) {
    if (rest < 128) {
      length.push(rest);
      return Buffer.concat([Buffer.from(length), content]);
    }
    length.push((rest & 127) | 128);
  }
}

/** The blocks of a CAR, each checked against its CID (version 1, sha2-256). */
async function blocks(car: ReadableStream<Uint8Array>): Promise<Uint8Array[]> {
  const pieces = await all(car);
  const bytes = Buffer.concat(pieces);
  const found = [];
  for (let at = 0, isHeader = true; at < bytes.length; isHeader = false) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      length += (byte & 127) << shift;
      if (byte < 128) break;
    }
    const [cid, block] = [bytes.subarray(at, at + 36), bytes.subarray(at + 36, at + length)];
    at += length;
    if (isHeader) continue;
    assert.deepEqual(cid.subarray(4), sha256(block));
    found.push(block);
  }
  return found;
}

for (const [name, part] of Object.entries(parts)) {
  await part();
  console.log(`ok ${name}`);
}
