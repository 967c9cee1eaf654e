// A second implementation of docs/formats.md, made from that page and the documents it names, on WebCrypto alone (sealing suite 1, payload
// suite 1). It shares no code with crates/vault. Errors carry the names of the vectors.
const { subtle } = globalThis.crypto;

export class Refused extends Error {
    constructor(name, why = '') {
        super(`${name} ${why}`);
        this.refusal = name;
    }
}

/** Throws unless `holds`. */
function check(holds, name, why) {
    if (!holds) throw new Refused(name, why);
}

// --- bytes

const text = (string) => new TextEncoder().encode(string);
export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const unhex = (string) => new Uint8Array(Buffer.from(string, 'hex'));
export const same = (a, b) => Buffer.compare(a, b) === 0;

function concat(...parts) {
    return new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === 'string' ? text(part) : part))));
}

/** An unsigned integer, big-endian. */
function uint(bytes, number) {
    const out = new Uint8Array(bytes);
    let rest = BigInt(number);
    for (let at = bytes - 1; at >= 0; at--) {
        out[at] = Number(rest & 0xffn);
        rest >>= 8n;
    }
    return out;
}
const number = (bytes) => Number(bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n));

// --- primitives

export const sha256 = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));

async function hmac(key, bytes) {
    // Zeros up to the block's length are the same key (RFC 2104); WebCrypto refuses an empty one.
    const padded = key.length === 0 ? new Uint8Array(32) : key;
    const imported = await subtle.importKey('raw', padded, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return new Uint8Array(await subtle.sign('HMAC', imported, bytes));
}

/** HKDF-SHA256 (RFC 5869), extract and expand. */
async function hkdf(ikm, salt, info, bytes) {
    const key = await subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits']);
    const params = { name: 'HKDF', hash: 'SHA-256', salt, info };
    return new Uint8Array(await subtle.deriveBits(params, key, 8 * bytes));
}
const NONE = new Uint8Array(0);

const gcmKey = (key) => subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);

async function gcmSeal(key, iv, additionalData, plaintext) {
    const params = { name: 'AES-GCM', iv, additionalData, tagLength: 128 };
    return new Uint8Array(await subtle.encrypt(params, await gcmKey(key), plaintext));
}

async function gcmOpen(key, iv, additionalData, ciphertext, refusal) {
    const params = { name: 'AES-GCM', iv, additionalData, tagLength: 128 };
    try {
        return new Uint8Array(await subtle.decrypt(params, await gcmKey(key), ciphertext));
    } catch (error) {
        check(error.name !== 'OperationError', refusal, 'not authentic');
        throw error;
    }
}

// --- X25519 (RFC 7748)

const PKCS8 = unhex('302e020100300506032b656e04220420');
const importPrivate = (key) => subtle.importKey('pkcs8', concat(PKCS8, key), 'X25519', true, ['deriveBits']);

async function publicOf(privateKey) {
    const { x } = await subtle.exportKey('jwk', await importPrivate(privateKey));
    return new Uint8Array(Buffer.from(x, 'base64url'));
}

async function x25519(privateKey, publicKey) {
    check(publicKey.length === 32, 'BadEncapsulatedKey', 'length');
    const imported = await subtle.importKey('raw', publicKey, 'X25519', true, []);
    let shared = new Uint8Array(32);
    try {
        shared = new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: imported }, privateKey, 256));
    } catch (error) {
        if (error.name !== 'OperationError') throw error;
    }
    check(shared.some((byte) => byte !== 0), 'BadEncapsulatedKey', 'low order');
    return shared;
}

// --- HPKE, base mode (RFC 9180), suite 1

const KEM = concat('KEM', uint(2, 0x0020));
const HPKE = concat('HPKE', uint(2, 0x0020), uint(2, 0x0001), uint(2, 0x0002));

const labeledExtract = (suite, salt, label, ikm) => hmac(salt, concat('HPKE-v1', suite, label, ikm));

/** At most one block of SHA-256, which is all that is needed here. */
async function labeledExpand(suite, prk, label, info, bytes) {
    const block = await hmac(prk, concat(uint(2, bytes), 'HPKE-v1', suite, label, info, uint(1, 1)));
    return block.slice(0, bytes);
}

/** Section 7.1.3. */
async function deriveKeyPair(ikm) {
    const prk = await labeledExtract(KEM, NONE, 'dkp_prk', ikm);
    return labeledExpand(KEM, prk, 'sk', NONE, 32);
}

async function keySchedule(dh, encapsulated, recipient, info) {
    const prk = await labeledExtract(KEM, NONE, 'eae_prk', dh);
    const shared = await labeledExpand(KEM, prk, 'shared_secret', concat(encapsulated, recipient), 32);
    const pskId = await labeledExtract(HPKE, NONE, 'psk_id_hash', NONE);
    const context = concat(uint(1, 0), pskId, await labeledExtract(HPKE, NONE, 'info_hash', info));
    const secret = await labeledExtract(HPKE, shared, 'secret', NONE);
    return {
        key: await labeledExpand(HPKE, secret, 'key', context, 32),
        nonce: await labeledExpand(HPKE, secret, 'base_nonce', context, 12),
    };
}

async function hpkeSeal(recipient, info, plaintext) {
    const ephemeral = await subtle.generateKey('X25519', true, ['deriveBits']);
    const encapsulated = new Uint8Array(await subtle.exportKey('raw', ephemeral.publicKey));
    const dh = await x25519(ephemeral.privateKey, recipient);
    const { key, nonce } = await keySchedule(dh, encapsulated, recipient, info);
    return { encapsulated, sealed: await gcmSeal(key, nonce, NONE, plaintext) };
}

/** The private key is of suite 1. */
async function hpkeOpen(privateKey, info, { suite, encapsulated, sealed }) {
    check(suite === 1, 'WrongSuite');
    const dh = await x25519(await importPrivate(privateKey), encapsulated);
    const { key, nonce } = await keySchedule(dh, encapsulated, await publicOf(privateKey), info);
    return gcmOpen(key, nonce, NONE, sealed, 'Unopened');
}

// --- dag-cbor, one encoding per value

class Link {
    constructor(cid) {
        this.cid = cid;
    }
}

function head(major, argument) {
    const [small, width] =
        argument < 24 ? [argument, 0]
        : argument < 2 ** 8 ? [24, 1]
        : argument < 2 ** 16 ? [25, 2]
        : argument < 2 ** 32 ? [26, 4]
        : [27, 8];
    return concat(uint(1, (major << 5) | small), uint(width, width === 0 ? 0 : argument));
}

function encode(value) {
    if (typeof value === 'number') return head(0, value);
    if (typeof value === 'string') return concat(head(3, text(value).length), value);
    if (value instanceof Uint8Array) return concat(head(2, value.length), value);
    if (value instanceof Link) return concat(head(6, 42), encode(concat(uint(1, 0), value.cid)));
    if (Array.isArray(value)) return concat(head(4, value.length), ...value.map(encode));
    const keys = Object.keys(value).map(text);
    keys.sort((a, b) => a.length - b.length || Buffer.compare(a, b));
    const entries = keys.map((key) => {
        const name = Buffer.from(key).toString();
        return concat(encode(name), encode(value[name]));
    });
    return concat(head(5, entries.length), ...entries);
}

function decode(bytes, most) {
    check(bytes.length <= most, 'TooLarge');
    let at = 0;
    const take = (length) => {
        check(at + length <= bytes.length, 'Malformed', 'cut short');
        return bytes.slice(at, (at += length));
    };
    const item = () => {
        const [first] = take(1);
        const [major, small] = [first >> 5, first & 31];
        check(small < 28, 'Malformed', 'indefinite length');
        const argument = small < 24 ? small : number(take(1 << (small - 24)));
        switch (major) {
            case 0:
                return argument;
            case 2:
                return take(argument);
            case 3:
                return Buffer.from(take(argument)).toString();
            case 4:
                return Array.from({ length: argument }, item);
            case 5:
                return Object.fromEntries(Array.from({ length: argument }, () => [item(), item()]));
            case 6: {
                check(argument === 42, 'Malformed', 'tag');
                const cid = item();
                check(cid instanceof Uint8Array && cid[0] === 0, 'Malformed', 'link');
                return new Link(cid.slice(1));
            }
            default:
                throw new Refused('Malformed', 'a type that no format has');
        }
    };
    const value = item();
    check(at === bytes.length, 'Malformed', 'bytes after the end');
    // Shortest integers, keys sorted and each once.
    check(same(encode(value), bytes), 'Malformed', 'not the one encoding');
    return value;
}

/** A map with these keys, whose byte strings have these lengths (null: any). */
function checkMap(map, lengths) {
    check(same(text(Object.keys(map).sort().join()), text(Object.keys(lengths).sort().join())), 'Malformed', 'keys');
    for (const [key, length] of Object.entries(lengths)) {
        if (length === 'number') check(typeof map[key] === 'number', 'Malformed', key);
        else if (length === 'link') check(map[key] instanceof Link, 'Malformed', key);
        else if (length === 'list') check(Array.isArray(map[key]), 'Malformed', key);
        else check(map[key] instanceof Uint8Array && (length === null || map[key].length === length), 'Malformed', key);
    }
    return map;
}

function decodeMap(bytes, most, lengths) {
    const map = decode(bytes, most);
    check(map.v === 1, 'UnknownVersion');
    checkMap(map, lengths);
    check(map.suite === undefined || map.suite === 1 || map.suite === 2, 'UnknownSuite');
    return map;
}

// --- binding

export function bindingBytes(binding) {
    return concat(
        uint(8, binding.chainId), binding.records, binding.chart, binding.recordId, uint(4, binding.version), binding.previous,
        uint(1, binding.compartment),
    );
}

function checkBinding(binding) {
    check(binding.compartment < 64, 'CompartmentRange');
    check(binding.version > 0, 'Malformed', 'version');
    check((binding.version === 1) === binding.previous.every((byte) => byte === 0), 'Malformed', 'previous');
}

// --- payload

const MAGIC = text('MEDLOCKP');
const CHUNK = 65_536;
const TAG = 16;

function padme(length) {
    const e = Math.floor(Math.log2(length));
    const s = Math.floor(Math.log2(e)) + 1;
    const step = 2 ** (e - s);
    return Math.ceil(length / step) * step;
}
const regionBytes = (length) => padme(Math.max(length + 1, 1024));

async function payloadKeys(dataKey, salt) {
    const derive = (label, bytes) => hkdf(dataKey, salt, concat(`medlock/v1/payload/${label}`, uint(2, 1)), bytes);
    return { key: await derive('key', 32), commitment: await derive('commitment', 32), prefix: await derive('nonce', 7) };
}

const chunkNonce = (prefix, index, last) => concat(prefix, uint(4, index), uint(1, last ? 1 : 0));

export function parseHeader(bytes) {
    check(same(bytes.slice(0, 8), MAGIC), 'NotThis');
    check(bytes.length >= 80, 'Truncated');
    check(bytes[8] === 1, 'UnknownVersion');
    check(bytes[9] === 0, 'Malformed', 'flags');
    check(number(bytes.slice(10, 12)) === 1, 'UnknownSuite');
    const metadataBytes = number(bytes.slice(12, 16));
    check(metadataBytes % 256 === 0 && metadataBytes >= 256 && metadataBytes <= 65_536, 'Malformed', 'm');
    return { header: bytes.slice(0, 80), metadataBytes, salt: bytes.slice(16, 48), commitment: bytes.slice(48, 80) };
}

/** The length of the zstd frame that `bytes` begin with (RFC 8878 section 3.1.1): headers are read, nothing is decoded. */
function zstdFrameBytes(bytes) {
    check(number(bytes.slice(0, 4)) === 0x28b52ffd, 'Compression');
    const descriptor = bytes[4];
    const single = (descriptor >> 5) & 1;
    let at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3] + [single, 2, 4, 8][descriptor >> 6];
    for (let last = false; !last; ) {
        const block = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
        last = (block & 1) === 1;
        const type = (block >> 1) & 3;
        check(type !== 3, 'Compression');
        at += 3 + (type === 1 ? 1 : block >> 3);
        check(at <= bytes.length, 'Compression');
    }
    return at + ((descriptor >> 2) & 1 ? 4 : 0);
}

/** `content` is null where it is compressed: WebCrypto has no zstd. */
export async function openPayload(dataKey, binding, bytes) {
    checkBinding(binding);
    const { header, metadataBytes, salt, commitment } = parseHeader(bytes);
    const keys = await payloadKeys(dataKey, salt);
    check(same(keys.commitment, commitment), 'Commitment');
    const aad = concat(header, bindingBytes(binding));
    const contentAt = 80 + metadataBytes + TAG;
    check(bytes.length >= contentAt, 'Truncated');
    const open = (index, last, chunk) => gcmOpen(keys.key, chunkNonce(keys.prefix, index, last), aad, chunk, 'Chunk');
    const first = await open(0, false, bytes.slice(80, contentAt));

    const [encoding] = first;
    check(encoding <= 1, 'Malformed', 'encoding');
    const contentBytes = number(first.slice(1, 9));
    const k = number(first.slice(9, 13));
    check(13 + k <= first.length, 'Malformed', 'k');
    check(first.length - 13 - k < 256 && first.slice(13 + k).every((byte) => byte === 0), 'Padding');
    const metadata = decode(first.slice(13, 13 + k), 65_536);
    const known = ['mediaType', 'resourceType', 'date', 'title', 'source'];
    check(typeof metadata.mediaType === 'string', 'Malformed', 'mediaType');
    check(Object.entries(metadata).every(([key, value]) => known.includes(key) && typeof value === 'string'), 'Malformed', 'metadata');

    const chunks = [];
    for (let at = contentAt; at < bytes.length; at += CHUNK + TAG) chunks.push(bytes.slice(at, at + CHUNK + TAG));
    check(chunks.length > 0 && chunks.at(-1).length > TAG, 'Truncated');
    const region = bytes.length - contentAt - chunks.length * TAG;
    const most = regionBytes(contentBytes);
    check(encoding === 0 ? region === most : region <= most, 'ContentLength');
    const opened = [];
    for (const [at, chunk] of chunks.entries()) opened.push(await open(at + 1, at + 1 === chunks.length, chunk));
    const plaintext = concat(...opened);

    const body = encoding === 0 ? contentBytes : zstdFrameBytes(plaintext);
    if (encoding === 1) check(body < contentBytes && regionBytes(body) === region, 'Padding');
    check(plaintext[body] === 0x80 && plaintext.slice(body + 1).every((byte) => byte === 0), 'Padding');
    return { metadata, contentBytes, content: encoding === 0 ? plaintext.slice(0, body) : null };
}

/** Stored, not compressed. */
export async function sealPayload(binding, metadata, content) {
    checkBinding(binding);
    const encoded = encode(metadata);
    const first = new Uint8Array(Math.ceil((13 + encoded.length) / 256) * 256);
    first.set(concat(uint(1, 0), uint(8, content.length), uint(4, encoded.length), encoded));
    const region = new Uint8Array(regionBytes(content.length));
    region.set(content);
    region[content.length] = 0x80;

    const [dataKey, salt] = [new Uint8Array(32), new Uint8Array(32)].map((bytes) => globalThis.crypto.getRandomValues(bytes));
    const keys = await payloadKeys(dataKey, salt);
    const header = concat(MAGIC, uint(1, 1), uint(1, 0), uint(2, 1), uint(4, first.length), salt, keys.commitment);
    const aad = concat(header, bindingBytes(binding));
    const seal = (index, last, chunk) => gcmSeal(keys.key, chunkNonce(keys.prefix, index, last), aad, chunk);
    const parts = [header, await seal(0, false, first)];
    const chunks = Math.ceil(region.length / CHUNK);
    for (let at = 0; at < chunks; at++) {
        parts.push(await seal(at + 1, at + 1 === chunks, region.slice(at * CHUNK, (at + 1) * CHUNK)));
    }
    return { dataKey, commitment: keys.commitment, bytes: concat(...parts) };
}

// --- envelope

const ENVELOPE = {
    v: 'number', suite: 'number', chart: 32, record: 32, version: 'number', previous: 32, compartment: 'number', epoch: 'number',
    payload: 'link', payloadBytes: 'number', commitment: 32, encapsulated: null, sealed: null,
};

/** CIDv1, raw or dag-pb, sha2-256. */
const isPayloadCid = (cid) =>
    cid.length === 36 && cid[0] === 1 && [0x55, 0x70].includes(cid[1]) && cid[2] === 0x12 && cid[3] === 32;

function envelopeInfo(envelope, binding) {
    return concat(
        'medlock/v1/envelope', uint(2, envelope.suite), bindingBytes(binding), uint(4, envelope.epoch), envelope.commitment,
        uint(8, envelope.payloadBytes), envelope.payload.cid,
    );
}

/** The data key, and the record: `keys` are of a compartment in an epoch. */
export async function openEnvelope(binding, keys, bytes, payload) {
    const envelope = decodeMap(bytes, 4096, ENVELOPE);
    check(envelope.compartment < 64, 'CompartmentRange');
    check(envelope.epoch > 0 && isPayloadCid(envelope.payload.cid), 'Malformed', 'epoch or payload');
    check(payload.length === envelope.payloadBytes, 'PayloadMismatch');
    check(same(parseHeader(payload).commitment, envelope.commitment), 'PayloadMismatch');
    checkBinding(binding);
    const agrees =
        same(envelope.chart, binding.chart) && same(envelope.record, binding.recordId) && envelope.version === binding.version &&
        same(envelope.previous, binding.previous) && envelope.compartment === binding.compartment;
    check(agrees, 'Binding');
    check(keys.compartment === envelope.compartment, 'WrongCompartment');
    check(keys.epoch === envelope.epoch, 'WrongEpoch');
    const dataKey = await hpkeOpen(keys.privateKey, envelopeInfo(envelope, binding), envelope);
    return { dataKey, ...(await openPayload(dataKey, binding, payload)) };
}

/** For a payload that is one raw block. */
export async function sealEnvelope(binding, epoch, publicKey, payload) {
    const envelope = {
        v: 1, suite: 1, chart: binding.chart, record: binding.recordId, version: binding.version, previous: binding.previous,
        compartment: binding.compartment, epoch, payload: new Link(concat(unhex('01551220'), await sha256(payload.bytes))),
        payloadBytes: payload.bytes.length, commitment: payload.commitment,
    };
    return encode({ ...envelope, ...(await hpkeSeal(publicKey, envelopeInfo(envelope, binding), payload.dataKey)) });
}

// --- compartment keys

export async function deriveKeys(root, chart, compartment, epoch) {
    const place = concat(chart, uint(1, compartment), uint(4, epoch));
    const ikm = await hkdf(root, NONE, concat('medlock/v1/compartment/key', uint(2, 1), place), 32);
    // As WebCrypto and RFC 7748 have it: clamped where it is used. RFC 9180 stores it clamped (section 7.1.2).
    const privateKey = await deriveKeyPair(ikm);
    privateKey[0] &= 248;
    privateKey[31] = (privateKey[31] & 127) | 64;
    return {
        compartment, epoch, suite: 1, privateKey, publicKey: await publicOf(privateKey),
        historyKey: await hkdf(root, NONE, concat('medlock/v1/compartment/history', place), 32),
    };
}

/** The keys of the epoch before. */
export async function openLink(keys, chart, link) {
    const key = await hkdf(keys.historyKey, NONE, text('medlock/v1/compartment/link'), 32);
    const aad = concat('medlock/v1/compartment/link', chart, uint(1, keys.compartment), uint(4, keys.epoch));
    const opened = await gcmOpen(key, new Uint8Array(12), aad, link, 'Unopened');
    check(number(opened.slice(0, 2)) === 1, 'UnknownSuite');
    return { epoch: keys.epoch - 1, privateKey: opened.slice(2, 34), historyKey: opened.slice(34) };
}

// --- keyring

const KEYRING = {
    v: 'number', suite: 'number', chart: 32, grantee: 20, directoryVersion: 'number', keyVersion: 'number', encapsulated: null,
    sealed: null,
};

function keyringInfo(keyring, { chainId, records }) {
    return concat(
        'medlock/v1/keyring', uint(2, keyring.suite), uint(8, chainId), records, keyring.chart, keyring.grantee,
        uint(4, keyring.directoryVersion), uint(4, keyring.keyVersion),
    );
}

export async function openKeyring(domain, chart, grantee, privateKey, bytes) {
    const keyring = decodeMap(bytes, 16 * 1024, KEYRING);
    check(same(keyring.chart, chart) && same(keyring.grantee, grantee), 'KeyringScope');
    const plaintext = await hpkeOpen(privateKey, keyringInfo(keyring, domain), keyring);
    const [count] = plaintext;
    check(count <= 64 && plaintext.length === 1 + 72 * count, 'Malformed', 'count');
    const keys = [];
    for (let at = 1; at < plaintext.length; at += 72) {
        const entry = plaintext.slice(at, at + 72);
        const [compartment, history] = [entry[0], entry[7]];
        check(compartment < 64, 'CompartmentRange');
        check(keys.length === 0 || keys.at(-1).compartment < compartment, 'Malformed', 'order');
        check(number(entry.slice(5, 7)) === 1, 'UnknownSuite');
        check(history === 1 || (history === 0 && entry.slice(40).every((byte) => byte === 0)), 'Malformed', 'history');
        const epoch = number(entry.slice(1, 5));
        check(epoch > 0, 'Malformed', 'epoch');
        keys.push({ compartment, epoch, suite: 1, privateKey: entry.slice(8, 40), historyKey: history ? entry.slice(40) : null });
    }
    return keys;
}

export async function sealKeyring(domain, scope, publicKey, keys) {
    const entries = keys.map(({ compartment, epoch, privateKey, historyKey }) =>
        concat(uint(1, compartment), uint(4, epoch), uint(2, 1), uint(1, historyKey ? 1 : 0), privateKey, historyKey ?? new Uint8Array(32)),
    );
    const keyring = { v: 1, suite: 1, ...scope };
    const plaintext = concat(uint(1, keys.length), ...entries);
    return encode({ ...keyring, ...(await hpkeSeal(publicKey, keyringInfo(keyring, domain), plaintext)) });
}

// --- shares of the root secret

/** Product in GF(256) with x^8 + x^4 + x^3 + x + 1. */
function times(a, b) {
    let product = 0;
    for (; b > 0; b >>= 1) {
        if (b & 1) product ^= a;
        a = (a << 1) ^ (a & 0x80 ? 0x11b : 0);
    }
    return product;
}

/** a^254, which is 1 / a. */
function inverse(a) {
    let out = 1;
    for (let power = 0; power < 254; power++) out = times(out, a);
    return out;
}

/** The value at 0 of the polynomials through [index, share]. */
function interpolate(points) {
    const root = new Uint8Array(32);
    for (const [i, share] of points) {
        const weight = points.filter(([j]) => j !== i).reduce((product, [j]) => times(product, times(j, inverse(i ^ j))), 1);
        for (let byte = 0; byte < 32; byte++) root[byte] ^= times(weight, share[byte]);
    }
    return root;
}

const SET = { v: 'number', owner: 20, setId: 32, version: 'number', threshold: 'number', custodians: 'list' };
const SHARE = {
    v: 'number', suite: 'number', set: 32, index: 'number', recipient: 20, keyVersion: 'number', encapsulated: null, sealed: null,
};

/** `scope`: chain id, contract, owner, version and digest, as they stand where only the owner writes. */
export async function readSet(scope, bytes) {
    const set = decodeMap(bytes, 4096, SET);
    const accounts = set.custodians.map((custodian) => hex(checkMap(custodian, { account: 20, commitment: 32 }).account));
    check(set.version > 0, 'Malformed', 'version');
    check(set.threshold >= 2 && set.threshold <= accounts.length && accounts.length <= 32, 'ShareCounts');
    check(new Set(accounts).size === accounts.length, 'CustodianTwice');
    const agrees =
        same(await sha256(bytes), scope.digest) && same(set.owner, scope.owner) && set.version === scope.version;
    check(agrees, 'ShareScope');
    return { ...set, scope };
}

function sharePlace({ scope, ...set }, index) {
    const shares = set.custodians.length;
    check(index >= 1 && index <= shares, 'NoSuchShare');
    return concat(
        uint(8, scope.chainId), scope.records, set.owner, set.setId, uint(4, set.version), uint(1, set.threshold), uint(1, shares),
        uint(1, index), set.custodians[index - 1].account,
    );
}

async function checkShare(set, { index, opening }) {
    const commitment = await sha256(concat('medlock/v1/share/commitment', sharePlace(set, index), opening));
    check(same(commitment, set.custodians[index - 1].commitment), 'ForgedShare');
}

export async function openShare(set, recipient, privateKey, bytes) {
    const share = decodeMap(bytes, 2048, SHARE);
    check(share.index >= 1 && share.index <= 32, 'Malformed', 'index');
    check(same(share.set, set.scope.digest) && same(share.recipient, recipient), 'ShareScope');
    const info = concat(
        'medlock/v1/share/sealed', uint(2, share.suite), sharePlace(set, share.index), set.scope.digest, recipient,
        uint(4, share.keyVersion),
    );
    const opening = await hpkeOpen(privateKey, info, share);
    check(opening.length === 64, 'Malformed', 'opening');
    const opened = { index: share.index, opening };
    await checkShare(set, opened);
    return opened;
}

/** `published`: a compartment's place and public key. */
export async function recombine(set, shares, published) {
    const seen = new Set();
    for (const share of shares) {
        await checkShare(set, share);
        check(!seen.has(share.index), 'ShareTwice');
        seen.add(share.index);
    }
    check(shares.length >= set.threshold, 'TooFewShares');
    const root = interpolate(shares.slice(0, set.threshold).map(({ index, opening }) => [index, opening.slice(32)]));
    const { publicKey } = await deriveKeys(root, published.chart, published.compartment, published.epoch);
    check(same(publicKey, published.key), 'RootMismatch');
    return root;
}

/** A share that came in the clear. */
export function clearShare(index, opening) {
    check(opening.length === 64, 'InvalidKey');
    return { index, opening };
}
