// Packs what a browser loads, once for all: FILE.gz and FILE.br beside each FILE of `dist`. Says what the first load weighs.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = new URL("dist/", import.meta.url);
const sizes = new Map();
for (const name of readdirSync(dist, { recursive: true })) {
  if (!/\.(html|js|css|wasm|json|svg)$/.test(name)) continue;
  const bytes = readFileSync(new URL(name, dist));
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  const gzip = gzipSync(bytes, { level: 9 });
  writeFileSync(new URL(`${name}.br`, dist), brotli);
  writeFileSync(new URL(`${name}.gz`, dist), gzip);
  sizes.set(name, { gzip: gzip.length, brotli: brotli.length });
}
const index = readFileSync(new URL("index.html", dist), "utf8");
const first = [...sizes].filter(([name]) => name === "index.html" || index.includes(`/${name}`));
const sum = (key) => first.reduce((all, [, size]) => all + size[key], 0);
const wasm = [...sizes].find(([name]) => name.endsWith(".wasm"))?.[1];
console.log(`first load ${sum("gzip")} bytes gzip, ${sum("brotli")} brotli; client ${wasm?.gzip} gzip, ${wasm?.brotli} brotli`);
