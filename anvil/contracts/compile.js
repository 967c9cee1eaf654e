#!/usr/bin/env node
// Compiles the Solidity contracts that stand on the chain from genesis: NAME.sol to NAME.hex, the runtime bytecode.
// With --check it writes nothing and fails where a file is not what its source gives.
// Needs tools/setup-node.sh --tests (MEDLOCK_NODE: where its node_modules are).
"use strict";
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const check = process.argv.includes("--check");
const names = fs.readdirSync(__dirname).filter((name) => name.endsWith(".sol"));
const sources = Object.fromEntries(
  names.map((name) => [name, { content: fs.readFileSync(path.join(__dirname, name), "utf8") }]),
);
const settings = {
  evmVersion: "cancun",
  optimizer: { enabled: true, runs: 200 },
  // No hash of the source: the bytes depend on what the code does alone.
  metadata: { appendCBOR: false, bytecodeHash: "none" },
  outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
};
const input = JSON.stringify({ language: "Solidity", sources, settings });
const solc = path.join(__dirname, "../../tools/solc");
const run = spawnSync(process.execPath, [solc, "--standard-json"], { input, maxBuffer: 1 << 26, encoding: "utf8" });
process.stderr.write(run.stderr);
if (run.status !== 0) process.exit(1);
const output = JSON.parse(run.stdout);
const errors = (output.errors || []).filter((error) => error.severity === "error");
errors.forEach((error) => console.error(error.formattedMessage));
let failed = errors.length > 0;
for (const name of failed ? [] : names) {
  const contract = path.basename(name, ".sol");
  const code = `${output.contracts[name][contract].evm.deployedBytecode.object}\n`;
  const file = path.join(__dirname, `${contract}.hex`);
  if (!check) {
    fs.writeFileSync(file, code);
  } else if (fs.readFileSync(file, "utf8") !== code) {
    console.error(`${file} is not what ${name} compiles to: run anvil/contracts/compile.js`);
    failed = true;
  }
}
console.log(`${names.length} contracts`);
process.exit(failed ? 1 : 0);
