// A clinic bills an insurer, who decides and pays, the second time in a token; the patient sees each step, and no amount. Nobody here has a wallet,
// and none but the insurer, for the token, any money.
import assert from "node:assert/strict";
import { add, addressOf, confirm, file, heading, leave, makeKey, openChart, publish, requestLink, share, smallBundle } from "./acts.mjs";
import { audit } from "./audit.mjs";
import { creationCode, downloaded, eventually, PHONE, story, tool } from "./harness.mjs";

const { encodeFunctionData, parseAbi } = tool("viem");
const BILLS = "Bills and insurance";
const QUESTION = "Which of the two visits is this?";
const ANSWER = "The second one, of the third of May.";

/** A euro's cent is 10^4 units of the token. */
const SCALE = 4;
const PAID = 12_050n * 10n ** BigInt(SCALE);
const TOKEN = parseAbi([
  "function mint(address to, uint256 value)",
  "function balanceOf(address who) view returns (uint256)",
  "function allowance(address owner, address spender) view returns (uint256)",
]);

/** The token of the contracts' own tests, by an account that the development chain signs for. */
class Token {
  constructor(stage, from) {
    Object.assign(this, { stage, from });
  }

  static async deploy(stage) {
    const [, from] = await stage.call("eth_accounts", []);
    const token = new Token(stage, from);
    const { contractAddress } = await token.#mined({ data: await creationCode("tests/contracts/tests/solidity/Token.sol", "Token") });
    token.address = contractAddress;
    return token;
  }

  async send(functionName, args) {
    await this.#mined({ to: this.address, data: encodeFunctionData({ abi: TOKEN, functionName, args }) });
  }

  async ask(functionName, args) {
    const data = encodeFunctionData({ abi: TOKEN, functionName, args });
    return BigInt(await this.stage.call("eth_call", [{ to: this.address, data }, "latest"]));
  }

  async #mined(request) {
    const hash = await this.stage.call("eth_sendTransaction", [{ from: this.from, ...request }]);
    const receipt = await eventually("a transaction is mined", () => this.stage.call("eth_getTransactionReceipt", [hash]));
    assert.equal(receipt.status, "0x1");
    return receipt;
  }
}

await story("claims", async (stage, step) => {
  const patient = await stage.person("patient", { viewport: PHONE });
  const clinic = await stage.person("clinic");
  const insurer = await stage.person("insurer");
  for (const [what, said] of [["the question", QUESTION], ["the answer", ANSWER], ["the amount", "120.50"]]) stage.secret(what, said);
  let account;

  await step("a patient, a clinic and an insurer", async () => {
    for (const person of [patient, clinic, insurer]) await makeKey(person);
    await openChart(patient);
    await add(patient, [file("infant.json", "application/fhir+json", JSON.stringify(await smallBundle()))]);
    account = await addressOf(insurer);
    await stage.credential(await addressOf(clinic), "organisation,provider");
    await stage.credential(account, "insurer");
    for (const person of [clinic, insurer]) await publish(person);
    const forPayment = async (page) => page.getByRole("checkbox", { name: /^Payment/ }).check();
    await share(patient, await requestLink(clinic), forPayment);
    await share(patient, await requestLink(insurer, { only: [BILLS, "Conditions"], days: "30" }), forPayment);
  });

  await step("the insurer says what it accepts", async () => {
    const { page } = insurer;
    await insurer.go("/insurer/claims/settings");
    await page.getByText("You accept no claims yet").waitFor();
    await page.getByRole("button", { name: "Add a currency" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Currency" }).fill("euro");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("Write the three letters of a currency.").waitFor();
    await dialog.getByRole("textbox", { name: "Currency" }).fill("eur");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Accept");
    await page.getByText("Accepted", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Join the shared registry" }).click();
    await confirm(page, "Join the shared registry");
    await page.getByText("Shared", { exact: true }).waitFor();
    await audit(insurer, "what an insurer accepts");
  });

  await step("the patient lets the clinic bill", async () => {
    const { page } = patient;
    await patient.go("/claims");
    await heading(page, "Nobody has billed anything about this chart", 2);
    await page.getByRole("button", { name: "Put the key among my claims" }).click();
    await confirm(page, "Put the key among my claims");
  });

  const write = async (page, currency, encounter = "visit 7") => {
    await page.getByRole("textbox", { name: "Insurer's account" }).fill(account);
    await page.getByRole("textbox", { name: "Code of the service" }).fill("185345009");
    await page.getByLabel("Day of the service").fill("2026-05-03");
    await page.getByRole("textbox", { name: "Encounter" }).fill(encounter);
    await page.getByRole("textbox", { name: "Amount" }).fill("120.50");
    await page.getByRole("textbox", { name: "Currency" }).fill(currency);
    await page.getByRole("checkbox", { name: /Conditions/ }).first().check();
    await page.getByRole("button", { name: "Check the claim" }).click();
  };
  const choosePatient = async (page) => {
    await clinic.go("/provider/claims");
    await page.getByRole("link", { name: "Submit a claim" }).click();
    const charts = page.getByLabel("Patient", { exact: true });
    await charts.waitFor();
    await charts.selectOption(patient.chart);
  };

  await step("what is left out is asked for, and what the insurer does not take is refused", async () => {
    const { page } = clinic;
    await choosePatient(page);
    await page.getByRole("button", { name: "Check the claim" }).click();
    await page.getByText("Choose at least one record").waitFor();
    await page.getByText("Write your number of the visit.").waitFor();
    await audit(clinic, "a claim that lacks something");
    await write(page, "USD");
    const dialog = page.getByRole("dialog");
    clinic.watch.allow(/status of 4\d\d/);
    await dialog.getByRole("button", { name: "Submit", exact: true }).click();
    await dialog.getByRole("heading", { name: /: not done$/ }).waitFor();
    await leave(dialog, dialog.getByRole("button", { name: "Close", exact: true }).last());
  });

  await step("the clinic submits a claim", async () => {
    const { page } = clinic;
    await page.getByRole("textbox", { name: "Currency" }).fill("EUR");
    await page.getByRole("button", { name: "Check the claim" }).click();
    await confirm(page, "Submit");
    await page.getByText("120.50 EUR").waitFor();
    await page.getByText("Received", { exact: true }).first().waitFor();
  });

  await step("the same service again is refused", async () => {
    const { page } = clinic;
    await choosePatient(page);
    await write(page, "EUR");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Submit", exact: true }).click();
    await dialog.getByRole("heading", { name: /: not done$/ }).waitFor();
    await leave(dialog, dialog.getByRole("button", { name: "Close", exact: true }).last());
    await clinic.go("/provider/claims");
    await page.getByRole("link", { name: /^To 0x/ }).waitFor();
    assert.equal(await page.getByRole("link", { name: /^To 0x/ }).count(), 1);
  });

  await step("the insurer asks, and the clinic answers", async () => {
    const { page } = insurer;
    await insurer.go("/insurer/claims");
    await page.getByRole("link", { name: /^From 0x/ }).click();
    await page.getByText("120.50 EUR").waitFor();
    await page.getByRole("button", { name: "Begin the review" }).click();
    await confirm(page, "Begin");
    await page.getByText("In review", { exact: true }).first().waitFor();
    await audit(insurer, "a claim in review");
    await page.getByRole("button", { name: "Ask for information" }).click();
    await page.getByRole("dialog").getByRole("textbox", { name: "Message" }).fill(QUESTION);
    await page.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Ask");
    await clinic.page.getByRole("link", { name: /^To 0x/ }).click();
    await clinic.page.getByText(QUESTION).waitFor();
    await clinic.page.getByRole("button", { name: "Answer" }).click();
    await clinic.page.getByRole("dialog").getByRole("textbox", { name: "Message" }).fill(ANSWER);
    await clinic.page.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
    await confirm(clinic.page, "Send the answer");
  });

  await step("the insurer approves a part, which the clinic accepts", async () => {
    const { page } = insurer;
    await insurer.go("/insurer/claims/signals");
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByText("1 claim, 1 sign.").waitFor();
    // As it is: the bundle was imported today.
    await page.getByText(/^the claim rests on a record that was first written \d+ days after the service$/).waitFor();
    await audit(insurer, "signs of fraud");
    await page.getByRole("link", { name: /^Claim 0x/ }).click();
    await page.getByText(ANSWER).waitFor();
    await page.getByRole("button", { name: "Approve a part" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Amount" }).fill("96.40");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("Choose a reason.", { exact: true }).waitFor();
    await dialog.getByLabel("Reason").selectOption("Above the limit");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Approve the part");
    await clinic.go("/provider/claims");
    await clinic.page.getByRole("link", { name: /^To 0x/ }).click();
    await clinic.page.getByText("96.40 EUR").waitFor();
    await clinic.page.getByRole("button", { name: "Accept the part" }).click();
    await confirm(clinic.page, "Accept");
    await clinic.page.getByText("Approved", { exact: true }).first().waitFor();
  });

  await step("the insurer pays, and the clinic takes the explanation along", async () => {
    const { page } = insurer;
    await insurer.go("/insurer/claims");
    await page.getByRole("link", { name: /^From 0x/ }).click();
    const record = page.getByRole("button", { name: "Record the payment" });
    await record.waitFor();
    assert.equal(await page.getByRole("button", { name: "Pay in the token" }).count(), 0, "no token is set for euros");
    await record.click();
    await page.getByRole("dialog").getByRole("textbox", { name: "Reference of the payment" }).fill("2026-0042");
    await page.getByRole("dialog").getByRole("button", { name: "Continue" }).click();
    assert.match(await confirm(page, "Record"), /Keep this salt/);
    await clinic.go("/provider/claims");
    await clinic.page.getByRole("link", { name: /^To 0x/ }).click();
    await clinic.page.getByText("Paid", { exact: true }).first().waitFor();
    const save = clinic.page.getByRole("button", { name: "Save the explanation of benefit" });
    const { bytes } = await downloaded(clinic.page, () => save.click());
    const { resourceType, payment } = JSON.parse(bytes);
    assert.equal(resourceType, "ExplanationOfBenefit");
    assert.ok(payment, "the payment is in it");
  });

  await step("the patient sees every step, and no amount", async () => {
    const { page } = patient;
    await patient.go("/records");
    await patient.go("/claims");
    await page.getByRole("link", { name: /billed/ }).click();
    await page.getByText("Amounts and documents are sealed").waitFor();
    for (const said of ["Submitted", "Review begun", "Information requested", "Decided", "Part accepted", "Paid"]) {
      await page.getByText(said, { exact: true }).first().waitFor();
    }
    const shown = await page.getByRole("main").innerText();
    for (const secret of ["120.50", "96.40", QUESTION, ANSWER]) assert.ok(!shown.includes(secret), secret);
    await audit(patient, "the steps of a claim");
  });

  let token;
  let second;

  await step("the insurer sets a token for euros", async () => {
    const { page } = insurer;
    // A token asks who sends: nobody relays that.
    await stage.fund(account);
    token = await Token.deploy(stage);
    await token.send("mint", [account, 1_000_000_000n]);
    await insurer.go("/insurer/claims/settings");
    await page.getByRole("button", { name: "Set the token for EUR" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Token" }).fill("0x12");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("This is not a contract's account").waitFor();
    await dialog.getByText("Write a whole number from 0 to 36").waitFor();
    await dialog.getByRole("textbox", { name: "Token" }).fill(token.address);
    await dialog.getByRole("textbox", { name: "Scale" }).fill(String(SCALE));
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("10,000 units of the token").waitFor();
    await confirm(page, "Set the token");
    await page.getByText("Can be paid in the token").waitFor();
  });

  await step("the clinic submits another claim, which the insurer approves", async () => {
    const { page } = clinic;
    await choosePatient(page);
    await write(page, "EUR", "visit 8");
    await confirm(page, "Submit");
    await page.getByText("120.50 EUR").waitFor();
    second = new URL(page.url()).hash.split("/").at(-1);
    await insurer.go(`/insurer/claims/${second}`);
    await insurer.page.getByRole("button", { name: "Approve", exact: true }).click();
    await confirm(insurer.page, "Approve");
    await insurer.page.getByRole("heading", { name: "Payment in the token" }).waitFor();
  });

  await step("what held when it was submitted is what it is paid in", async () => {
    const { page } = insurer;
    await insurer.go("/insurer/claims/settings");
    await page.getByRole("button", { name: "Set the token for EUR" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Token" }).fill("");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("not paid in the token that was set before").waitFor();
    await confirm(page, "Set the token");
    await page.getByText("Can be paid in the token").waitFor({ state: "detached" });
    await insurer.go(`/insurer/claims/${second}`);
    await page.getByRole("heading", { name: "Payment in the token" }).waitFor();
  });

  await step("the insurer allows exactly the amount, and pays", async () => {
    const { page } = insurer;
    const config = await fetch(`${stage.gateway}/app/config.json`);
    const { deployment } = await config.json();
    const pay = page.getByRole("button", { name: "Pay in the token" });
    const allow = page.getByRole("button", { name: "Allow the payment" });
    await allow.waitFor();
    assert.ok(await pay.isDisabled(), "nothing is allowed yet");
    await allow.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Your account pays a small network fee").waitFor();
    await dialog.getByText("120,500,000 units of the token").waitFor();
    await confirm(page, "Allow");
    await page.getByText("Allowed", { exact: true }).waitFor();
    assert.equal(await token.ask("allowance", [account, deployment.claims]), PAID);
    await pay.click();
    await confirm(page, "Pay");
    await page.getByText("Paid", { exact: true }).first().waitFor();
    assert.equal(await token.ask("balanceOf", [await addressOf(clinic)]), PAID);
    assert.equal(await token.ask("allowance", [account, deployment.claims]), 0n);
  });
});
