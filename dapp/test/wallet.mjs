// Somebody whose account is a wallet's: a wallet with real keys, which shows what it is asked to sign, and whose user says no when told to.
import assert from "node:assert/strict";
import { add, choose, DOT, file, heading, makeKey, openRecord, records, unlock } from "./acts.mjs";
import { eventually, PHONE, story, tool } from "./harness.mjs";

const { createWalletClient, http } = tool("viem");
const { generatePrivateKey, privateKeyToAccount } = tool("viem/accounts");
const USER_REJECTED = { code: 4001, message: "User rejected the request." };
/** More than the fifteen minutes without use that are allowed at first. */
const IDLE_MS = 16 * 60_000;
const UNKNOWN_METHOD = { code: 4200, message: "This wallet does not do that." };

/** What an extension does: it holds a key, asks its user, and talks to the chain that it is set to. */
class TestWallet {
  account = privateKeyToAccount(generatePrivateKey());
  /** What its user was asked, and for what. */
  asked = [];
  chain = "0x1";
  saysNo = false;
  /** Its user has left. */
  isAlone = false;

  constructor(rpc) {
    this.rpc = rpc;
  }

  async request(method, params) {
    this.asked.push({ method, params });
    const { account } = this;
    const signs = /^(personal_sign|eth_signTypedData_v4|eth_sendTransaction)$/.test(method);
    if (signs && this.saysNo) throw USER_REJECTED;
    if (signs && this.isAlone) return new Promise(() => {});
    switch (method) {
      case "eth_requestAccounts":
        return [account.address];
      case "eth_chainId":
        return this.chain;
      case "wallet_switchEthereumChain":
        this.chain = params[0].chainId;
        return null;
      case "personal_sign":
        return account.signMessage({ message: { raw: params[0] } });
      case "eth_signTypedData_v4": {
        const { domain, types: { EIP712Domain, ...types }, primaryType, message } = JSON.parse(params[1]);
        assert.equal(EIP712Domain.length, 4);
        return account.signTypedData({ domain, types, primaryType, message });
      }
      case "eth_sendTransaction": {
        const [{ from, to, data, gas }] = params;
        assert.equal(from.toLowerCase(), account.address.toLowerCase());
        const id = Number(this.chain);
        const chain = { id, name: "dev", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 }, rpcUrls: { default: { http: [this.rpc] } } };
        return createWalletClient({ account, chain, transport: http(this.rpc) }).sendTransaction({ to, data, gas: BigInt(gas) });
      }
      default:
        throw UNKNOWN_METHOD;
    }
  }

  count(method) {
    return this.asked.filter((one) => one.method === method).length;
  }

  /** Announces itself in every page of a context (EIP-6963). */
  async into(context) {
    await context.exposeFunction("testWallet", async (method, params) => {
      try {
        return { answer: await this.request(method, params) };
      } catch (error) {
        return { error: { code: error.code ?? -32603, message: error.message } };
      }
    });
    await context.addInitScript(() => {
      const provider = {
        async request({ method, params = [] }) {
          const { answer, error } = await window.testWallet(method, params);
          if (error) throw Object.assign(new Error(error.message), { code: error.code });
          return answer;
        },
      };
      const info = { uuid: "6a7b0c7e-0000-4000-8000-000000000001", name: "Test Wallet", icon: "data:image/svg+xml,", rdns: "test.wallet" };
      const announce = () =>
        dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
      addEventListener("eip6963:requestProvider", announce);
      announce();
    });
  }
}

await story("wallet", async (stage, step) => {
  const patient = await stage.person("patient", { viewport: PHONE });
  const wallet = new TestWallet(stage.rpc);
  await wallet.into(patient.context);
  await stage.fund(wallet.account.address);
  const typed = () => wallet.asked.filter((one) => one.method === "eth_signTypedData_v4").map((one) => JSON.parse(one.params[1]));

  await step("a patient makes a key file, and signs with a wallet", async () => {
    await makeKey(patient, "patient", async (page) => {
      // It counts once the wallet has given an account.
      await page.getByRole("radio", { name: "Test Wallet" }).click();
      await page.getByText("Connected").waitFor();
    });
  });

  await step("who says no in the wallet is told so, and may begin again", async () => {
    const { page } = patient;
    await patient.go("/");
    const setUp = page.getByRole("button", { name: "Set it up" });
    await setUp.waitFor();
    wallet.saysNo = true;
    await setUp.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Set it up", exact: true }).click();
    await dialog.getByText("You said no in your wallet").waitFor();
    wallet.saysNo = false;
    await dialog.getByRole("button", { name: "Try again" }).click();
    await dialog.getByRole("heading", { name: /: done$/ }).waitFor();
    await dialog.getByRole("button", { name: "Done", exact: true }).click();
    await heading(page, "My records");
  });

  await step("it was asked to move to the deployment's chain, and shown what it signs in full", async () => {
    assert.ok(wallet.count("wallet_switchEthereumChain") >= 1);
    const directory = typed().find((one) => one.primaryType === "CompartmentDirectory");
    assert.equal(directory.domain.name, "Medlock");
    assert.match(directory.message.chart, /^0x[0-9a-f]{64}$/);
    assert.ok(wallet.count("eth_sendTransaction") >= 2);
  });

  await step("a record is added by the wallet's transaction, and read against its signature", async () => {
    await add(patient, [DOT]);
    await records(patient);
    await openRecord(patient, /^dot/);
    const receipt = await eventually("a receipt is signed", () => typed().find((one) => one.primaryType === "ReadReceipt"));
    assert.equal(receipt.message.reader.toLowerCase(), wallet.account.address.toLowerCase());
  });

  await step("locked and unlocked, it is the same account", async () => {
    const { page } = patient;
    await page.getByRole("button", { name: "Lock Medlock" }).click();
    await unlock(patient);
    await records(patient);
    await page.getByRole("main").getByText("1 record").first().waitFor();
  });

  await step("a question that the wallet's user never answers does not keep it open", async () => {
    const { page } = patient;
    await page.clock.install();
    await patient.reload();
    await unlock(patient);
    await choose(patient, [file("unsigned.txt", "text/plain", "Never signed.")]);
    await page.getByRole("button", { name: "Add this file" }).click();
    wallet.isAlone = true;
    const dialog = page.getByRole("dialog");
    // Twice, as some press everything: the second click is not for the button that has come there.
    await dialog.getByRole("button", { name: "Add this file", exact: true }).dblclick();
    const asked = dialog.getByText("Confirm in your wallet").first();
    await asked.waitFor();
    // Wherever the dialog's own size has put it.
    await dialog.getByRole("button", { name: "Leave it running" }).dispatchEvent("click", { detail: 2 });
    assert.ok(await asked.isVisible(), "the second of two clicks has closed the dialog");
    await page.clock.fastForward(IDLE_MS);
    await page.getByText("Medlock locked itself").waitFor();
    wallet.isAlone = false;
    await unlock(patient);
    await records(patient);
  });

  await step("what the chain takes back is told, and that it may be done again", async () => {
    const { page } = patient;
    await choose(patient, [file("second.txt", "text/plain", "Another record.")]);
    await page.getByRole("button", { name: "Add this file" }).click();
    const dialog = page.getByRole("dialog");
    // With a key, which is no click.
    await dialog.getByRole("button", { name: "Add this file", exact: true }).press("Enter");
    await dialog.getByText("It counts already").waitFor();
    await stage.call("anvil_reorg", [1, []]);
    await dialog.getByText("The chain took it back").waitFor();
  });
});
