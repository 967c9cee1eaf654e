// `node run.mjs open < {payload, envelope, compartment, keyring, shares}`: opens what the vectors say opens, refuses what they refuse, for the reason
// that they name. `node run.mjs seal < {binding, epoch, publicKey, ...}`: seals a record and a keyring. Exits with 1 where anything differs.
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import * as formats from './formats.mjs';

const { hex, unhex, Refused } = formats;
const input = JSON.parse(readFileSync(0, 'utf8'));

const readBinding = (json) => ({
    ...json, records: unhex(json.records), chart: unhex(json.chart), recordId: unhex(json.recordId), previous: unhex(json.previous),
});

/** As docs/formats.md describes edits. */
function edited(bytes, edit) {
    const out = Buffer.from(bytes);
    switch (edit.op) {
        case 'none':
            return bytes;
        case 'truncate':
            return bytes.slice(0, edit.bytes);
        case 'append':
            return new Uint8Array([...bytes, ...unhex(edit.hex)]);
        case 'xor':
            out[edit.at] ^= edit.with;
            return new Uint8Array(out);
        case 'replace': {
            const from = unhex(edit.from);
            const at = out.indexOf(from);
            assert(at >= 0);
            return new Uint8Array([...bytes.slice(0, at), ...unhex(edit.to), ...bytes.slice(at + from.length)]);
        }
        case 'swap':
            out.set(bytes.slice(edit.two, edit.two + edit.bytes), edit.one);
            out.set(bytes.slice(edit.one, edit.one + edit.bytes), edit.two);
            return new Uint8Array(out);
        default:
            throw new Error(`unknown edit ${edit.op}`);
    }
}

async function vectors(name, open, verify) {
    const { opened, refused } = input[name];
    for (const [at, inputs] of opened.entries()) {
        try {
            await verify(inputs, await open(inputs, unhex(inputs.bytes)));
        } catch (error) {
            throw new Error(`${name}, opened ${at}: ${error.message}`, { cause: error });
        }
    }
    for (const vector of refused) {
        const inputs = opened[vector.from];
        const bytes = edited(unhex(inputs.bytes), vector.edit);
        const refusal = await open({ ...inputs, ...vector.with }, bytes).then(
            () => 'nothing',
            (error) => {
                if (error instanceof Refused) return error.refusal;
                throw error;
            },
        );
        assert.equal(refusal, vector.error, `${name}: ${vector.name}`);
    }
    console.log(`${name}: ${opened.length} opened, ${refused.length} refused`);
}

async function open() {
    await vectors(
        'payload',
        (inputs, bytes) => formats.openPayload(unhex(inputs.dataKey), readBinding(inputs.binding), bytes),
        async (inputs, { metadata, content }) => {
            assert.deepEqual(metadata, inputs.metadata);
            // What is compressed is authentic, and one frame with its padding; it is not decoded here.
            assert.equal(content === null, inputs.name === 'compressed');
            if (content !== null) assert.equal(hex(await formats.sha256(content)), inputs.contentSha256);
        },
    );
    await vectors(
        'envelope',
        (inputs, bytes) => {
            const binding = readBinding(inputs.binding);
            const keys = { compartment: binding.compartment, epoch: inputs.epoch, privateKey: unhex(inputs.privateKey) };
            return formats.openEnvelope(binding, keys, bytes, unhex(inputs.payloadHex));
        },
        (inputs, { dataKey }) => assert.equal(hex(dataKey), inputs.dataKey),
    );
    const { root, chart, keys } = input.compartment;
    const derive = ({ compartment, epoch }) => formats.deriveKeys(unhex(root), unhex(chart), compartment, epoch);
    const shown = ({ compartment, epoch, suite, privateKey, publicKey, historyKey }) => ({
        compartment, epoch, suite, privateKey: hex(privateKey), ...(publicKey && { publicKey: hex(publicKey) }),
        historyKey: historyKey && hex(historyKey),
    });
    for (const listed of keys) assert.deepEqual(shown(await derive(listed)), listed);
    await vectors(
        'compartment',
        async (inputs, bytes) => formats.openLink(await derive(inputs), unhex(chart), bytes),
        async ({ compartment, epoch }, older) => {
            const { privateKey, historyKey } = await derive({ compartment, epoch: epoch - 1 });
            assert.deepEqual(older, { epoch: epoch - 1, privateKey, historyKey });
        },
    );
    await vectors(
        'keyring',
        (inputs, bytes) => {
            const domain = { chainId: inputs.chainId, records: unhex(inputs.records) };
            return formats.openKeyring(domain, unhex(inputs.chart), unhex(inputs.grantee), unhex(inputs.privateKey), bytes);
        },
        (inputs, opened) => assert.deepEqual(opened.map(shown), inputs.keys),
    );
    await vectors(
        'shares',
        async ({ chainId, version, ...inputs }, bytes) => {
            const [records, owner, digest] = [inputs.records, inputs.owner, inputs.digest].map(unhex);
            const set = await formats.readSet({ chainId, records, owner, version, digest }, bytes);
            const shares = [];
            for (const { index, opening, sealed, recipient, privateKey } of inputs.shares) {
                const clear = sealed === undefined;
                const open = () => formats.openShare(set, unhex(recipient), unhex(privateKey), unhex(sealed));
                const share = clear ? formats.clearShare(index, unhex(opening)) : await open();
                assert.deepEqual([share.index, hex(share.opening)], [index, opening]);
                shares.push(share);
            }
            const { chart, compartment, epoch, key } = inputs.published;
            return formats.recombine(set, shares, { chart: unhex(chart), compartment, epoch, key: unhex(key) });
        },
        ({ root }, rebuilt) => assert.equal(hex(rebuilt), root),
    );
}

async function seal() {
    const binding = readBinding(input.binding);
    const content = unhex(input.content);
    const payload = await formats.sealPayload(binding, input.metadata, content);
    const envelope = await formats.sealEnvelope(binding, input.epoch, unhex(input.publicKey), payload);
    const keys = input.keys.map((key) => ({
        ...key, privateKey: unhex(key.privateKey), historyKey: key.historyKey && unhex(key.historyKey),
    }));
    const { chart, grantee, directoryVersion, keyVersion } = input.scope;
    const scope = { chart: unhex(chart), grantee: unhex(grantee), directoryVersion, keyVersion };
    const keyring = await formats.sealKeyring(binding, scope, unhex(input.granteeKey), keys);
    console.log(JSON.stringify({ payload: hex(payload.bytes), envelope: hex(envelope), keyring: hex(keyring) }));
}

const tasks = { open, seal };
await tasks[process.argv[2]]();
