// viem against the chain, with a definition made from Arbitrum's.
"use strict";
const viem = require("viem");
const { privateKeyToAccount, generatePrivateKey } = require("viem/accounts");
const { arbitrum } = require("viem/chains");
const { assert, http, keys, permitTypes, run, token, within, ws } = require("./common.cjs");

const chain = viem.defineChain({
  ...arbitrum,
  id: 412346,
  name: "medlock-anvil",
  contracts: undefined,
  rpcUrls: { default: { http: [http], webSocket: [ws] } },
});
const [alice, bob] = keys.map((key) => privateKeyToAccount(key));
const reader = viem.createPublicClient({ chain, transport: viem.http(), pollingInterval: 100 });
const listener = viem.createPublicClient({ chain, transport: viem.webSocket() });
const wallet = viem.createWalletClient({ chain, transport: viem.http(), account: alice });
const { abi, bytecode } = token();
let address;

const read = (functionName, args = [], at = address) => reader.readContract({ address: at, abi, functionName, args });
const write = async (functionName, args, more = {}) => {
  const hash = await wallet.writeContract({ address, abi, functionName, args, ...more });
  const receipt = await reader.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, "success");
  return receipt;
};

run({
  async "chain and fees"() {
    assert.equal(await reader.getChainId(), chain.id);
    const { maxFeePerGas } = await reader.estimateFeesPerGas();
    assert.ok(maxFeePerGas >= 100_000_000n);
    assert.equal((await reader.getBlock()).baseFeePerGas, 100_000_000n);
    assert.equal((await reader.getFeeHistory({ blockCount: 1, rewardPercentiles: [50] })).reward.length, 1);
  },
  async deploy() {
    const hash = await wallet.deployContract({ abi, bytecode, args: [1000n] });
    const receipt = await reader.waitForTransactionReceipt({ hash });
    address = viem.getAddress(receipt.contractAddress);
    assert.equal(await read("balanceOf", [alice.address]), 1000n);
  },
  async "send of every type"() {
    for (const [type, more] of [["legacy"], ["eip2930", { accessList: [] }], ["eip1559"]]) {
      const receipt = await write("transfer", [bob.address, 1n], { type, ...more });
      assert.equal(receipt.type, type);
      const [log] = viem.parseEventLogs({ abi, logs: receipt.logs });
      assert.deepEqual(log.args, { from: alice.address, to: bob.address, value: 1n });
    }
    assert.equal(await read("balanceOf", [bob.address]), 3n);
  },
  async "typed error"() {
    const tooMuch = reader.simulateContract({ account: alice, address, abi, functionName: "transfer", args: [bob.address, 5000n] });
    await assert.rejects(tooMuch, (error) => {
      const reverted = error.walk((cause) => cause instanceof viem.ContractFunctionRevertedError);
      assert.equal(reverted.data.errorName, "Short");
      assert.deepEqual(reverted.data.args, [997n, 5000n]);
      return true;
    });
  },
  async "events over an HTTP filter"() {
    const filter = await reader.createContractEventFilter({ address, abi, eventName: "Transfer" });
    await write("transfer", [bob.address, 10n]);
    const changes = await reader.getFilterChanges({ filter });
    assert.deepEqual(changes.map((log) => log.args.value), [10n]);
    assert.deepEqual(await reader.getFilterChanges({ filter }), []);
    const all = await reader.getContractEvents({ address, abi, eventName: "Transfer", fromBlock: 0n });
    assert.deepEqual(all.map((log) => log.args.value), [1000n, 1n, 1n, 1n, 10n]);
    assert.equal(await reader.uninstallFilter({ filter }), true);
  },
  async "events and blocks over WebSocket"() {
    const stops = [];
    const heard = new Promise((onLogs, onError) => {
      stops.push(listener.watchContractEvent({ address, abi, eventName: "Transfer", onLogs, onError }));
    });
    const block = new Promise((onBlock, onError) => {
      stops.push(listener.watchBlocks({ onBlock, onError }));
    });
    // An answer on the same socket comes after the subscriptions'.
    await listener.getBlockNumber({ cacheTime: 0 });
    const receipt = await write("transfer", [bob.address, 20n]);
    const logs = await within("the event", heard);
    assert.deepEqual(logs.map((log) => log.args.value), [20n]);
    assert.equal((await within("the block", block)).number, receipt.blockNumber);
    for (const stop of stops) stop();
  },
  async "EIP-712"() {
    const domain = { name: "Token", version: "1", chainId: chain.id, verifyingContract: address };
    const message = { owner: bob.address, spender: alice.address, value: 77n, nonce: 0n };
    const typed = { domain, types: permitTypes, primaryType: "Permit", message };
    assert.equal(await read("domain"), viem.domainSeparator({ domain }));
    const signature = await bob.signTypedData(typed);
    assert.equal(await reader.verifyTypedData({ address: bob.address, ...typed, signature }), true);
    const { v, r, s } = viem.parseSignature(signature);
    await write("permit", [bob.address, alice.address, 77n, Number(v), r, s]);
    assert.equal(await read("allowance", [bob.address, alice.address]), 77n);
  },
  async "EIP-7702"() {
    const carol = privateKeyToAccount(generatePrivateKey());
    const signed = await wallet.signAuthorization({ account: carol, contractAddress: address });
    const data = viem.encodeFunctionData({ abi, functionName: "mint", args: [5n] });
    const hash = await wallet.sendTransaction({ to: carol.address, data, authorizationList: [signed] });
    const receipt = await reader.waitForTransactionReceipt({ hash });
    assert.deepEqual([receipt.type, receipt.status], ["eip7702", "success"]);
    assert.equal(await reader.getCode({ address: carol.address }), viem.concat(["0xef0100", address.toLowerCase()]));
    assert.equal(await read("balanceOf", [carol.address], carol.address), 5n);
  },
});
