// What both scripts share: their packages come from NODE_PATH, chain and keys from the environment.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set`);
const http = env("RPC_HTTP");
const ws = env("RPC_WS");
const keys = [env("KEY_ALICE"), env("KEY_BOB")];

/** Compiles Token.sol: { abi, bytecode }. */
function token() {
  const content = fs.readFileSync(path.join(__dirname, "Token.sol"), "utf8");
  const settings = { evmVersion: "prague", outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } };
  const input = { language: "Solidity", sources: { "Token.sol": { content } }, settings };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  assert.deepEqual(output.errors ?? [], []);
  const { abi, evm } = output.contracts["Token.sol"].Token;
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}

/** The value, or an error after a bounded time that says what did not come. */
function within(what, promise, ms = 60_000) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Runs the script; says `ok NAME` for each part, so that the caller sees that none was left out. */
function run(parts) {
  (async () => {
    for (const [name, part] of Object.entries(parts)) {
      await within(name, part());
      console.log(`ok ${name}`);
    }
    process.exit(0);
  })().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}

const permitTypes = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
  ],
};

module.exports = { assert, http, keys, permitTypes, run, token, within, ws };
