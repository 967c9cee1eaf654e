// ethers v6 against the chain.
"use strict";
const { ethers } = require("ethers");
const { assert, http, keys, permitTypes, run, token, within, ws } = require("./common.cjs");

const provider = new ethers.JsonRpcProvider(http, undefined, { polling: false, staticNetwork: false });
const [alice, bob] = keys.map((key) => new ethers.NonceManager(new ethers.Wallet(key, provider)));
let contract;
let [aliceAt, bobAt] = [];

/** Resolves when the provider's next call of that method over HTTP has been answered. */
function answered(provider, method) {
  return new Promise((done) => {
    let id;
    provider.on("debug", ({ action, payload, result }) => {
      if (action === "sendRpcPayload") id ??= [payload].flat().find((call) => call.method === method)?.id;
      if (action === "receiveRpcResult" && result.some((answer) => answer.id === id)) done();
    });
  });
}

/** Resolves when the provider has sent so many calls of that method. */
function sent(provider, method, count) {
  return new Promise((done) => {
    let seen = 0;
    provider.on("debug", ({ action, payload }) => {
      if (action !== "sendRpcPayload") return;
      seen += [payload].flat().filter((call) => call.method === method).length;
      if (seen >= count) done();
    });
  });
}

run({
  async "network and fees"() {
    assert.equal((await provider.getNetwork()).chainId, 412346n);
    const fees = await provider.getFeeData();
    assert.equal(fees.gasPrice, 100_000_000n);
    assert.ok(fees.maxFeePerGas >= 100_000_000n);
    [aliceAt, bobAt] = await Promise.all([alice.getAddress(), bob.getAddress()]);
    assert.ok((await provider.getBalance(aliceAt)) > ethers.parseEther("1000"));
  },
  async deploy() {
    const { abi, bytecode } = token();
    contract = await new ethers.ContractFactory(abi, bytecode, alice).deploy(1000n);
    await contract.waitForDeployment();
    assert.equal(await contract.balanceOf(aliceAt), 1000n);
  },
  async "send of every type"() {
    for (const type of [0, 1, 2]) {
      const sent = await contract.transfer(bobAt, 1n, { type, accessList: type === 0 ? undefined : [] });
      const receipt = await sent.wait();
      assert.equal(receipt.status, 1);
      assert.equal(receipt.type, type);
      const [log] = receipt.logs.map((log) => contract.interface.parseLog(log));
      assert.deepEqual([log.name, ...log.args], ["Transfer", aliceAt, bobAt, 1n]);
    }
    assert.equal(await contract.balanceOf(bobAt), 3n);
  },
  async "typed error"() {
    const tooMuch = contract.transfer.staticCall(bobAt, 5000n);
    await assert.rejects(tooMuch, (error) => {
      assert.equal(error.code, "CALL_EXCEPTION");
      assert.deepEqual([error.revert.name, ...error.revert.args], ["Short", 997n, 5000n]);
      return true;
    });
  },
  async "events over an HTTP filter"() {
    const made = answered(provider, "eth_newFilter");
    const heard = new Promise((hear) => contract.once("Transfer", (...args) => hear(args)));
    await within("the filter", made);
    await (await contract.transfer(bobAt, 10n)).wait();
    const [from, to, value] = await within("the event", heard);
    assert.deepEqual([from, to, value], [aliceAt, bobAt, 10n]);
    const past = await contract.queryFilter(contract.filters.Transfer(aliceAt), 0, "latest");
    assert.deepEqual(past.map((log) => log.args.value), [1n, 1n, 1n, 10n]);
  },
  async "events and blocks over WebSocket"() {
    const socket = new ethers.WebSocketProvider(ws);
    const watched = contract.connect(socket);
    const subscribed = sent(socket, "eth_subscribe", 2);
    const heard = new Promise((hear) => watched.on(watched.filters.Transfer(null, bobAt), hear));
    const block = new Promise((hear) => socket.on("block", hear));
    await within("the subscriptions", subscribed);
    // An answer on the same socket comes after theirs.
    await socket.getBlockNumber();
    await (await contract.transfer(bobAt, 20n)).wait();
    const event = await within("the event", heard);
    assert.equal(event.args.value, 20n);
    assert.equal(await within("the block", block), event.log.blockNumber);
    await socket.destroy();
  },
  async "EIP-712"() {
    const verifyingContract = await contract.getAddress();
    const domain = { name: "Token", version: "1", chainId: 412346, verifyingContract };
    const permit = { owner: bobAt, spender: aliceAt, value: 77n, nonce: 0n };
    assert.equal(await contract.domain(), ethers.TypedDataEncoder.hashDomain(domain));
    const signature = ethers.Signature.from(await bob.signTypedData(domain, permitTypes, permit));
    const { v, r, s } = signature;
    await (await contract.permit(bobAt, aliceAt, 77n, v, r, s)).wait();
    assert.equal(await contract.allowance(bobAt, aliceAt), 77n);
    await assert.rejects(contract.permit.staticCall(bobAt, aliceAt, 77n, v, r, s), (error) => {
      assert.equal(error.revert.name, "WrongSigner");
      return true;
    });
  },
  async "EIP-7702"() {
    const carol = ethers.Wallet.createRandom(provider);
    const at = await contract.getAddress();
    const authorization = await carol.authorize({ address: at });
    const data = contract.interface.encodeFunctionData("mint", [5n]);
    const sent = await alice.sendTransaction({ to: carol.address, data, authorizationList: [authorization] });
    const receipt = await sent.wait();
    assert.deepEqual([receipt.type, receipt.status], [4, 1]);
    assert.equal((await provider.getCode(carol.address)).toLowerCase(), `0xef0100${at.slice(2)}`.toLowerCase());
    assert.equal(await contract.attach(carol.address).balanceOf(carol.address), 5n);
  },
});
