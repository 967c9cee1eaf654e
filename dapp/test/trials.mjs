// A clinical trial from its registration to the check of what was published. Nobody here has a wallet or any money.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressOf, confirm, file, heading, leave, makeKey } from "./acts.mjs";
import { audit } from "./audit.mjs";
import { downloaded, eventually, PHONE, story } from "./harness.mjs";

const NUMBER = "NCT01234567";
const PROTOCOL = "The protocol.";
const ANALYSIS = "The analysis, in full.";
const FORM = "You may leave at any time.";
const NEW_FORM = "You may leave at any time. Blood is drawn twice.";
const NAME = "Ada Lovelace of Ockham Park";
const [PAIN, OTHER_PAIN] = ["three of ten", "eight of ten"];
const digest = (content) => `0x${createHash("sha256").update(content).digest("hex")}`;
const hex = (content) => Buffer.from(content).toString("hex");
const outcome = (id, kind, more = {}) => ({ id, kind, title: `${id}, at twelve weeks`, ...more });
const PLAN = JSON.stringify({
  format: "medlock/v1/trial/plan", document: digest(ANALYSIS), outcomes: [outcome("pain", "primary"), outcome("sleep", "secondary")],
});
const ROWS = [{ participant: 1, data: { pain: PAIN } }, { participant: 1, data: { sleep: 7 } }].map((row) => JSON.stringify(row)).join("\n");
const today = () => new Date().toISOString().slice(0, 10);
const json = (name, value) => file(name, "application/json", typeof value === "string" ? value : JSON.stringify(value));
const plain = (name, content) => file(name, "text/plain", content);

await story("trials", async (stage, step) => {
  const sponsor = await stage.person("sponsor");
  const site = await stage.person("site");
  const person = await stage.person("person", { viewport: PHONE });
  stage.secret("the participant's name", NAME);
  stage.secret("a row of data", PAIN);
  const home = await mkdtemp(join(tmpdir(), "medlock-trial-"));
  const published = join(home, "published");
  let accounts;
  let trial;
  let firstDay;
  let consent;

  /** The trial's page, loaded anew. */
  const show = async (who) => {
    const { page } = who;
    await who.go("/trials");
    await heading(page, "Clinical trials");
    await who.go(`/trials/${trial}`);
    const again = page.getByRole("button", { name: "Try again" });
    // What another has just done, the chain has before the index.
    await eventually("the trial is shown", async () => {
      if (await again.isVisible()) await again.click({ timeout: 1_000 }).catch(() => {});
      return page.getByRole("heading", { name: "On the chain" }).isVisible();
    });
    return page;
  };
  /** What a dialog is asked to do is refused. */
  const refused = async (page, button, why) => {
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: button, exact: true }).click();
    await dialog.getByRole("heading", { name: /: not done$/ }).waitFor();
    await dialog.getByText(why).waitFor();
    await leave(dialog, dialog.getByRole("button", { name: "Close", exact: true }).last());
  };

  await step("a sponsor, a site and a person", async () => {
    for (const who of [sponsor, site, person]) await makeKey(who);
    accounts = { sponsor: await addressOf(sponsor), site: await addressOf(site), person: await addressOf(person) };
    await stage.credential(accounts.sponsor, "sponsor");
    await stage.credential(accounts.site, "site");
  });

  await step("who is no sponsor is told before they fill in anything", async () => {
    await site.go("/trials/register");
    await site.page.getByText("This account is not registered as a sponsor.").waitFor();
  });

  await step("the sponsor registers a trial, once its plan is one", async () => {
    const { page } = sponsor;
    await sponsor.go("/trials");
    await heading(page, "No trial is registered yet", 2);
    await page.getByRole("link", { name: "Register", exact: true }).click();
    const check = page.getByRole("button", { name: "Check what is sent" });
    const plan = page.getByLabel("Analysis plan", { exact: true });
    await check.click();
    await page.getByText("Write up to 64 letters").waitFor();
    await page.getByText("Choose the file.").first().waitFor();
    await page.getByRole("textbox", { name: "Registration number" }).fill(NUMBER);
    await page.getByLabel("Protocol", { exact: true }).setInputFiles(plain("protocol.txt", PROTOCOL));
    await page.getByLabel("Consent form", { exact: true }).setInputFiles(plain("form.txt", FORM));
    await plan.setInputFiles(json("plan.json", {}));
    await check.click();
    await page.getByText("This is no analysis plan").waitFor();
    await plan.setInputFiles(json("plan.json", { ...JSON.parse(PLAN), outcomes: [outcome("pain", "tertiary")] }));
    await check.click();
    await refused(page, "Register", /JSON of another form/);
    assert.equal(await page.getByText("This account is not registered").count(), 0);
    await plan.setInputFiles(json("plan.json", PLAN));
    await check.click();
    // Its page is there a moment before the index has it.
    sponsor.watch.allow(/status of 404/);
    await confirm(page, "Register");
    trial = await eventually("the trial has a page", () => /#\/trials\/(0x[0-9a-f]{64})$/.exec(page.url())?.[1]);
    firstDay = today();
  });

  await step("the sponsor names a site", async () => {
    const page = await show(sponsor);
    await page.getByText(digest(PLAN)).waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Name a site" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Account of the site" }).fill("0x12");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("This is not an account").waitFor();
    await dialog.getByRole("textbox", { name: "Account of the site" }).fill(accounts.site);
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Name it");
    await page.getByText("Active", { exact: true }).waitFor();
  });

  await step("a person consents to what they were shown, under an account of this trial alone", async () => {
    const page = await show(person);
    await page.getByRole("button", { name: "Take part" }).click();
    const dialog = page.getByRole("dialog");
    const form = dialog.getByLabel("The consent form that you were shown");
    await form.setInputFiles(plain("form.txt", "You may never leave."));
    await dialog.getByRole("textbox", { name: "Your name" }).fill(NAME);
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("This is not the consent form of the newest version").waitFor();
    await form.setInputFiles(plain("form.txt", FORM));
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("An account of this trial alone does it: nothing leads from it to you.").waitFor();
    const { bytes } = await downloaded(page, () => confirm(page, "I consent"));
    consent = JSON.parse(bytes);
    assert.ok(consent.document.includes(NAME), "the name is in what is kept");
    assert.ok(!Object.values(accounts).includes(consent.participant), "the account is another");
    await page.getByText("Consented, not enrolled yet").waitFor();
  });

  await step("the trial is changed: the person is told that their consent is to an old version, and consents to the new one", async () => {
    const page = await show(sponsor);
    await page.getByRole("button", { name: "Amend the trial" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Protocol", { exact: true }).setInputFiles(plain("protocol.txt", PROTOCOL));
    await dialog.getByLabel("Analysis plan", { exact: true }).setInputFiles(json("plan.json", PLAN));
    await dialog.getByLabel("Consent form", { exact: true }).setInputFiles(plain("form.txt", NEW_FORM));
    await dialog.getByRole("combobox").selectOption({ label: "Safety" });
    await dialog.getByRole("checkbox", { name: "Participants must consent anew" }).check();
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Amend");
    await show(person);
    await person.page.getByText("The trial was changed: this is version 2 now").waitFor();
    await person.page.getByText(/You take part no more until you consent to it/).waitFor();
    await person.page.getByRole("button", { name: "Consent to the newest version" }).click();
    const consenting = person.page.getByRole("dialog");
    await consenting.getByLabel("The consent form that you were shown").setInputFiles(plain("form.txt", NEW_FORM));
    await consenting.getByRole("textbox", { name: "Your name" }).fill(NAME);
    await consenting.getByRole("button", { name: "Continue" }).click();
    const { bytes } = await downloaded(person.page, () => confirm(person.page, "I consent"));
    assert.equal(JSON.parse(bytes).participant, consent.participant, "the account of the trial stays");
    consent = JSON.parse(bytes);
    await person.page.getByText("The trial was changed").waitFor({ state: "detached" });
  });

  await step("the site enrols them by what they show, and nobody by a forged one", async () => {
    const page = await show(site);
    const enrol = async (shown) => {
      await page.getByRole("button", { name: "Enrol a participant" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Their consent file").setInputFiles(json("consent.json", shown));
      const account = dialog.getByRole("textbox", { name: "Participant's account" });
      await eventually("the account is filled in", async () => (await account.inputValue()) === consent.participant);
      await dialog.getByRole("button", { name: "Continue" }).click();
    };
    await enrol({ ...consent, document: consent.document.replace('"version":2', '"version":1') });
    await refused(page, "Enrol", /to version 1, not to 2/);
    await enrol(consent);
    assert.match(await confirm(page, "Enrol"), /number 1 of your site/);
    await page.getByText("1 enrolled, 0 of them withdrawn").waitFor();
  });

  await step("the site saves the data's file, and anchors them", async () => {
    const { page } = site;
    await page.getByRole("button", { name: "Anchor data" }).click();
    const dialog = page.getByRole("dialog");
    const save = dialog.getByRole("button", { name: "Save the batch's file" });
    await save.click();
    await dialog.getByText("The period must lie").waitFor();
    await dialog.getByText("Choose the file.").waitFor();
    await dialog.getByLabel("First day").fill(firstDay);
    await dialog.getByLabel("Last day").fill(today());
    const rows = dialog.getByLabel("Rows", { exact: true });
    await rows.setInputFiles(plain("rows.jsonl", '{"participant":1}'));
    await save.click();
    await dialog.getByText(/Line 1 is no row/).waitFor();
    await rows.setInputFiles(plain("rows.jsonl", ROWS));
    const { name, bytes } = await downloaded(page, () => save.click());
    assert.equal(name, "batch-1.jsonl");
    await confirm(page, "Anchor");
    await page.getByText("Batch 1", { exact: true }).waitFor();
    await mkdir(join(published, "data"), { recursive: true });
    await writeFile(join(published, "data", name), bytes);
  });

  await step("the sponsor locks the data, and anchors results of this plan and these data", async () => {
    const page = await show(sponsor);
    await page.getByRole("button", { name: "Lock the data" }).click();
    await confirm(page, "Lock");
    const data = page.locator("dt", { hasText: "Digest of all data" }).locator("+ dd").getByText(/^0x[0-9a-f]{64}$/);
    const results = {
      format: "medlock/v1/trial/results", trial, version: 2, plan: digest(PLAN), data: await data.textContent(),
      outcomes: [outcome("pain", "primary", { value: "-1.2 (95% CI -2.0 to -0.4)" }), outcome("sleep", "secondary", { value: "no difference" })],
    };
    await page.getByRole("button", { name: "Anchor the results" }).click();
    const dialog = page.getByRole("dialog");
    const chosen = dialog.getByLabel("Results", { exact: true });
    await chosen.setInputFiles(json("results.json", { ...results, plan: digest(ANALYSIS) }));
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("The file names another analysis plan").waitFor();
    await chosen.setInputFiles(json("results.json", results));
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Anchor");
    await page.getByText("Results 0", { exact: true }).waitFor();
    await audit(sponsor, "a trial with its results");
    await writeFile(join(published, "results.json"), JSON.stringify(results));
  });

  await step("anybody compares what was published with the chain, and finds a row that was changed", async () => {
    const { page } = person;
    const version = { protocol: "protocol.txt", plan: "plan.json", plan_document: "sap.txt" };
    const index = {
      format: "medlock/v1/trial/folder", trial, sponsor: accounts.sponsor, registration: NUMBER,
      versions: [{ version: 1, ...version, form: "form.txt" }, { version: 2, ...version, form: "new-form.txt" }],
      batches: [{ site: accounts.site, sequence: 1, file: "data/batch-1.jsonl" }],
      results: [{ number: 0, file: "results.json" }],
    };
    const contents = {
      "protocol.txt": PROTOCOL, "plan.json": PLAN, "sap.txt": ANALYSIS, "form.txt": FORM, "new-form.txt": NEW_FORM, "trial.json": JSON.stringify(index),
    };
    for (const [name, content] of Object.entries(contents)) await writeFile(join(published, name), content);
    const check = async (folder) => {
      await page.getByLabel("Choose the folder").setInputFiles(folder);
      await page.getByText("8 files chosen.").waitFor();
      await page.getByRole("button", { name: "Check", exact: true }).click();
    };
    await person.go("/trials/verify");
    await check(published);
    await page.getByText("Everything is as it was anchored").waitFor();
    await page.getByText("1, with 2 rows").waitFor();
    await page.getByText("1, with 2 outcomes").waitFor();
    const changed = join(home, "changed");
    await cp(published, changed, { recursive: true });
    const batch = join(changed, "data", "batch-1.jsonl");
    const whole = await readFile(batch, "utf8");
    assert.ok(whole.includes(hex(PAIN)), "the row is in the batch's file");
    await writeFile(batch, whole.replace(hex(PAIN), hex(OTHER_PAIN)));
    await check(changed);
    await page.getByText("What was published is not what was anchored").waitFor();
    await page.getByText(/was changed after it was anchored, in rows \(from 0\): 0\./).waitFor();
    await page.getByText("Differs", { exact: true }).first().waitFor();
    await audit(person, "a check that found something");
  });

  await step("the trial and a part in it are taken along as FHIR", async () => {
    const { page } = sponsor;
    const save = page.getByRole("button", { name: "Save the ResearchStudy" });
    await page.getByRole("textbox", { name: "Registration number" }).fill("NCT76543210");
    await save.click();
    await page.getByText(/registered under another number/).waitFor();
    await page.getByRole("textbox", { name: "Registration number" }).fill(NUMBER);
    const study = await downloaded(page, () => save.click());
    assert.equal(JSON.parse(study.bytes).resourceType, "ResearchStudy");
    await show(person);
    const subject = await downloaded(person.page, () => person.page.getByRole("button", { name: "Save my ResearchSubject" }).click());
    assert.equal(JSON.parse(subject.bytes).resourceType, "ResearchSubject");
  });

  await step("the participant leaves, for good, and the sponsor closes the trial", async () => {
    await person.page.getByRole("button", { name: "Leave the trial" }).click();
    await confirm(person.page, "Leave");
    await person.page.getByText("Left, for good", { exact: true }).waitFor();
    const page = await show(sponsor);
    await page.getByText("1 enrolled, 1 of them withdrawn").waitFor();
    await page.getByRole("button", { name: "Close the trial" }).click();
    await confirm(page, "Close it");
    await page.getByText("Closed", { exact: true }).waitFor();
  });

  await rm(home, { recursive: true, force: true });
});
