// Writes serials.json by other hands than the crate's: `node make.mjs > serials.json`, after `npm ci` in dapp/.
import { keccak_256 } from "../../../dapp/node_modules/@noble/hashes/sha3.js";

const utf8 = (text) => new TextEncoder().encode(text);
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const keccak = (...parts) => keccak_256(joined(...parts));
const hex = (bytes) => "0x" + Buffer.from(bytes).toString("hex");
const unhex = (text) => Uint8Array.from(Buffer.from(text.slice(2), "hex"));
const number = (value, bytes) => unhex("0x" + BigInt(value).toString(16).padStart(2 * bytes, "0"));

const opening = (salt, gtin, serial) => keccak(utf8("medlock/v1/serial/opening"), salt, number(gtin, 8), utf8(serial));
const leaf = (open, gtin, serial) => keccak(utf8("medlock/v1/serial/leaf"), open, number(gtin, 8), utf8(serial));
const batch = (maker, gtin, lot) => keccak(new Uint8Array(12), maker, number(gtin, 32), keccak(utf8(lot)));

// RFC 9162, 2.1.1 and 2.1.3.1, as they are defined.
const split = (count) => 2 ** Math.ceil(Math.log2(count) - 1);
const root = (hashes) => {
  if (hashes.length === 1) return hashes[0];
  const k = split(hashes.length);
  return keccak([1], root(hashes.slice(0, k)), root(hashes.slice(k)));
};
const proof = (index, hashes) => {
  if (hashes.length === 1) return [];
  const k = split(hashes.length);
  return index < k
    ? [...proof(index, hashes.slice(0, k)), root(hashes.slice(k))]
    : [...proof(index - k, hashes.slice(k)), root(hashes.slice(0, k))];
};

const salts = ["00".repeat(32), "a1".repeat(32)].map((text) => "0x" + text);
const gtins = ["00000096385074", "04006381333931", "99999999999997"];
const texts = ["1", "0", "ABCDEFGHIJ0123456789", "!\"%&'()*+,-./:;<=>?_", "abc"];
const serials = salts.flatMap((salt) =>
  gtins.flatMap((gtin) =>
    texts.map((serial) => {
      const open = opening(unhex(salt), gtin, serial);
      return { salt, gtin, serial, opening: hex(open), leaf: hex(leaf(open, gtin, serial)) };
    }),
  ),
);

const maker = "0x" + "c3".repeat(20);
const lots = ["A", "LOT(1)/A", "abcdefghij0123456789"];
const batches = lots.flatMap((lot) =>
  gtins.map((gtin) => ({ maker, gtin, lot, lotDigest: hex(keccak(utf8(lot))), batch: hex(batch(unhex(maker), gtin, lot)) })),
);

const [gtin, lot, expiry, salt] = [gtins[1], lots[1], 1827619200, salts[1]];
const manifests = [1, 2, 3, 6, 11].map((count) => {
  const list = Array.from({ length: count }, (_, index) => `SN${(index * 7919) % 1000}-${index}`);
  const opens = list.map((serial) => opening(unhex(salt), gtin, serial));
  const hashes = list.map((serial, index) => keccak([0], leaf(opens[index], gtin, serial)));
  const tickets = list.map((serial, index) => ({
    v: 1, maker, gtin, lot, expiry, serial, index, opening: hex(opens[index]), proof: proof(index, hashes).map(hex),
  }));
  return { maker, gtin, lot, expiry, salt, serials: list, root: hex(root(hashes)), tickets };
});

// Each change makes the last ticket of the last manifest a false one.
const good = manifests.at(-1).tickets.at(-1);
const changed = (error, change) => ({ error, ticket: { ...good, ...change } });
const forged = [
  changed("NotInBatch", { index: good.index - 1 }),
  changed("NotInBatch", { index: good.index + 1 }),
  changed("NotInBatch", { serial: good.serial + "0" }),
  changed("NotInBatch", { gtin: gtins[0] }),
  changed("NotInBatch", { opening: salts[0] }),
  changed("NotInBatch", { proof: good.proof.slice(1) }),
  changed("NotInBatch", { proof: [...good.proof, salts[0]] }),
  changed("NotInBatch", { proof: [...good.proof].reverse() }),
  changed("OtherExpiry", { expiry: good.expiry + 1 }),
  changed("UnknownVersion", { v: 2 }),
  changed("UnknownVersion", { v: 0 }),
  changed("Malformed", { v: "1" }),
  changed("Malformed", { gtin: "04006381333932" }),
  changed("Malformed", { lot: "" }),
  changed("Malformed", { serial: "A B" }),
  changed("Malformed", { serial: "123456789012345678901" }),
  changed("Malformed", { index: -1 }),
  changed("Malformed", { index: 4294967296 }),
  changed("Malformed", { opening: "0x00" }),
  changed("Malformed", { extra: 1 }),
  changed("Malformed", { proof: undefined }),
  changed("TooLarge", { proof: Array(64).fill(salts[0]) }),
];

const documents = [["00".repeat(32), ""], ["5a".repeat(32), "{\"type\":\"EPCISDocument\"}"]].map(([salt, text]) => ({
  salt: "0x" + salt,
  text,
  digest: hex(keccak(utf8("medlock/v1/supply/document"), unhex("0x" + salt), utf8(text))),
}));

process.stdout.write(JSON.stringify({ serials, batches, manifests, forged, documents }, null, 1) + "\n");
