// Makes src/openapi.ts from the gateway's OpenAPI document. `--check`: only compares with what is committed.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = new URL("../../", import.meta.url);
const tools = process.env.MEDLOCK_TOOLS ? pathToFileURL(`${process.env.MEDLOCK_TOOLS}/`) : new URL(".tools/", root);
// As tools/setup-node.sh installs them, which is not where Node looks.
const tool = createRequire(new URL("node/package.json", tools));
const { default: generate, astToString } = tool("openapi-typescript");
const ts = tool("typescript");

const literal = (text) => ts.factory.createLiteralTypeNode(ts.factory.createStringLiteral(text));
// The document says by a pattern what TypeScript can say by a type.
function transform(schema) {
  if (schema.format === "binary") return ts.factory.createTypeReferenceNode("Uint8Array");
  if (schema.pattern?.startsWith("^0x")) return ts.factory.createTypeReferenceNode("`0x${string}`");
  const names = schema.pattern?.match(/^\^\(([\w|]+)\)\$$/)?.[1].split("|");
  return names && ts.factory.createUnionTypeNode(names.map(literal));
}

const document = JSON.parse(readFileSync(new URL("gateway/openapi.json", root)));
const types = await generate(document, { transform, defaultNonNullable: false });
const made = `// Generated from gateway/openapi.json; do not edit.\n\n${astToString(types)}`;
const file = fileURLToPath(new URL("src/openapi.ts", import.meta.url));
if (process.argv[2] !== "--check") {
  writeFileSync(file, made);
} else if (readFileSync(file, "utf8") !== made) {
  console.error("clients/typescript/src/openapi.ts is not what gateway/openapi.json says; run `node clients/typescript/generate.mjs` and commit");
  process.exitCode = 1;
}
