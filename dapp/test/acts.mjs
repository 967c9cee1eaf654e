// What people do in the application, by the roles and names that they see. Each waits for what it brought about.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { eventually, fixture, readFixture, tool } from "./harness.mjs";

const { english: WORD_LIST } = tool("viem/accounts");
const WORDS = 24;
const ROOT_BITS = 256;
const AGAIN_MS = 5_000;
const PASSPHRASE = "lantern orchid gravel tuesday";

/** A key, with the words written down and asked back, as the first thing that somebody does. `choose`: more on the form. */
export async function makeKey(person, name = person.name, choose = async () => {}) {
  const page = person.page ?? (await person.open());
  person.passphrase = `${PASSPHRASE} ${person.name}`;
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByRole("textbox", { name: "Your name" }).fill(name);
  await page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(person.passphrase);
  await page.getByRole("textbox", { name: "The same passphrase again" }).fill(person.passphrase);
  await choose(page);
  await page.getByRole("button", { name: "Make my key" }).click();
  const list = page.getByRole("list", { name: "Your 24 words" });
  await list.waitFor();
  person.words = await list.getByRole("listitem").allTextContents();
  assert.equal(person.words.length, WORDS);
  await page.getByRole("button", { name: "I have written them down" }).click();
  await answerWords(page, person.words);
  person.keyFile = await page.evaluate(keyFileHere);
  keepSecret(person);
}

/** As this browser keeps it. Runs in the page. */
function keyFileHere() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("medlock");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const keys = opening.result.transaction("keys").objectStore("keys").getAll();
      keys.onsuccess = () => resolve(keys.result[0].keyFile);
    };
  });
}

/** The three that are asked for. */
async function answerWords(page, words) {
  await page.getByRole("heading", { name: "Let us check three of them" }).waitFor();
  for (const [at, word] of words.entries()) {
    const field = page.getByRole("textbox", { name: `Word ${at + 1}`, exact: true });
    if (await field.count()) await field.fill(word);
  }
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.getByRole("button", { name: "Lock Medlock" }).waitFor();
}

function keepSecret({ name, stage, passphrase, words, keyFile }) {
  stage.secret(`${name}'s passphrase`, passphrase);
  stage.secret(`${name}'s key file`, keyFile.slice(-80));
  stage.secret(`${name}'s root secret`, rootOf(words));
  // One alone may stand anywhere: it is an English word.
  for (const separator of [" ", "\n", ",", '","']) stage.secret(`${name}'s words`, words.slice(0, 4).join(separator));
}

/** What the words stand for (BIP-39): 11 bits each, and the last 8 of all are the checksum. */
function rootOf(words) {
  const bits = words.map((word) => WORD_LIST.indexOf(word).toString(2).padStart(11, "0")).join("");
  const [checksum, ...root] = bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)).reverse();
  const secret = Buffer.from(root.reverse());
  assert.equal(secret.length * 8, ROOT_BITS);
  assert.equal(createHash("sha256").update(secret).digest()[0], checksum, "these are not the words of a root secret");
  return secret;
}

export async function unlock(person, passphrase = person.passphrase) {
  person.stage.secret(`a passphrase of ${person.name}`, passphrase);
  await person.page.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
  await person.page.getByRole("button", { name: "Unlock", exact: true }).click();
}

export async function heading(page, name, level = 1) {
  await page.getByRole("heading", { name, level }).waitFor();
}

/** Confirms what a dialog says, and waits until it is on the chain. Gives back what the dialog says then. */
export async function confirm(page, button, typed) {
  const dialog = page.getByRole("dialog");
  if (typed) await dialog.getByRole("textbox", { name: /to confirm$/ }).fill(typed);
  await dialog.getByRole("button", { name: button, exact: true }).click();
  const end = dialog.getByRole("heading", { name: /: (not )?done$/ });
  await end.waitFor();
  const said = await dialog.innerText();
  assert.ok(!/: not done$/.test(await end.innerText()), said);
  await leave(dialog, dialog.getByRole("button", { name: "Done", exact: true }));
  return said;
}

/** On a busy machine a click may come after what it was for has moved: a person clicks again. */
export async function leave(dialog, button) {
  await eventually("the dialog is closed", async () => {
    await button.click({ timeout: AGAIN_MS }).catch(() => {});
    return dialog.waitFor({ state: "detached", timeout: AGAIN_MS }).then(() => true, () => false);
  });
}

/** The account that somebody is signed in as. */
export async function addressOf(person) {
  await person.go("/settings");
  const shown = person.page.getByRole("main").getByText(/^0x[0-9a-f]{40}$/i);
  await shown.first().waitFor();
  return (await shown.first().textContent()).toLowerCase();
}

export async function openChart(person) {
  const { page } = person;
  await person.go("/");
  await page.getByRole("button", { name: "Set it up" }).click();
  await confirm(page, "Set it up");
  await heading(page, "My records");
  await person.go("/identity");
  const chart = page.getByRole("main").getByText(/^0x[0-9a-f]{64}$/);
  person.chart = await chart.textContent();
  return person.chart;
}

/** Somebody whose gateway relays nothing: their account pays. */
export async function paysItself(person) {
  await person.context.route(/\/app\/config\.json$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), relay: false } });
  });
}

/** Publishes the key of somebody who treats or pays, and gives the link back that they hand out. */
export async function publish(person) {
  const { page } = person;
  await person.go("/provider/identity");
  await page.getByRole("button", { name: "Publish our key" }).click();
  await confirm(page, "Publish our key");
  await page.getByText("Your key is published").waitFor();
}

export async function requestLink(person, { days, only } = {}) {
  const { page } = person;
  await person.go("/provider/identity");
  await heading(page, "Our identity");
  const categories = page.getByRole("group", { name: "Categories you need" }).getByRole("checkbox");
  if (only) for (const box of await categories.all()) await box.setChecked(false);
  for (const name of only ?? []) await page.getByRole("checkbox", { name, exact: true }).check();
  if (days) await page.getByLabel("For how long").selectOption(days);
  return copied(person, page.getByRole("button", { name: "Copy the link" }));
}

/** What a button puts into the clipboard. */
export async function copied(person, button) {
  await person.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await person.page.bringToFront();
  await button.click();
  await person.page.getByText("Copied").first().waitFor({ state: "attached" });
  return person.page.evaluate(() => navigator.clipboard.readText());
}

/** Chooses files, as { name, mimeType, buffer }, and waits until they were looked into. No server is to see what is in them. */
export async function choose(person, files) {
  const { page, stage } = person;
  for (const one of files) for (const part of partsOf(one)) stage.secret(`what is in ${one.name}`, part);
  await person.go("/import");
  const more = page.getByRole("button", { name: "Add more files" });
  await heading(page, "Add records");
  if (await more.isVisible()) await more.click();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Choose files" }).click()]);
  await chooser.setFiles(files);
  await page.getByText("Looking into it…").first().waitFor({ state: "detached" });
}

/** A text of a FHIR resource as it stands in JSON, which may be written anew around it. */
const PHRASE = /"(?:family|display|text|div)":\s*"([^"\\]{8,60})/g;
const PHRASES_MOST = 16;
const WHOLE_BYTES_MOST = 96;
const SLICE_BYTES = 24;
/** Of a part at least: zeros in a row stand anywhere. */
const DIFFERENT_LEAST = 8;

/** By what a file would be known wherever it came to light. */
function partsOf({ mimeType, buffer }) {
  if (mimeType.endsWith("json")) return [...new Set([...String(buffer).matchAll(PHRASE)].map(([, phrase]) => phrase))].slice(0, PHRASES_MOST);
  const slices = [1, 2, 3].map((quarter) => (buffer.length * quarter) >> 2).map((at) => buffer.subarray(at, at + SLICE_BYTES));
  const parts = buffer.length <= WHOLE_BYTES_MOST ? [buffer] : slices;
  return parts.filter((part) => new Set(part).size >= DIFFERENT_LEAST).map((part) => (mimeType.startsWith("text/") ? String(part) : part));
}

export async function add(person, files) {
  const { page } = person;
  await choose(person, files);
  const go = files.length === 1 ? "Add this file" : `Add ${files.length} files`;
  await page.getByRole("button", { name: go, exact: true }).click();
  await confirm(page, go);
  await page.getByRole("heading", { name: "What happened" }).waitFor();
}

/** Opens what somebody handed out, and shares as it asks, but for what `change` does to the form before. */
export async function share(person, link, change = async () => {}) {
  const { page } = person;
  await person.go("/share");
  await page.getByRole("textbox", { name: "Their link or address" }).fill(link);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("button", { name: "Check and share" }).waitFor();
  await change(page);
  await page.getByRole("button", { name: "Check and share" }).click();
  await confirm(page, "Share");
  await heading(page, "Sharing");
}

export async function records(person) {
  await person.go("/records");
  await heading(person.page, "My records");
  await person.page.getByRole("progressbar").waitFor({ state: "detached" });
}

/** A record's page, from the list that is shown. */
export async function openRecord(person, title) {
  await person.page.getByRole("main").getByRole("link", { name: title }).first().click();
  await person.page.getByRole("heading", { name: "About this record" }).waitFor();
}

/** Five resources of the infant's bundle, so that there is one of each sort. */
export async function smallBundle() {
  const { entry, ...rest } = JSON.parse(await readFixture("bundles/infant.json"));
  const kinds = ["Patient", "AllergyIntolerance", "Condition", "Observation", "Immunization"];
  const first = kinds.map((kind) => entry.find(({ resource }) => resource.resourceType === kind));
  return { ...rest, entry: first };
}

export const file = (name, mimeType, content) => ({ name, mimeType, buffer: Buffer.from(content) });
export const CT = fixture("exchange/ct.dcm");
export const LETTER = fixture("exchange/letter.pdf");
/** A red dot. */
export const DOT = file(
  "dot.png", "image/png",
  Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==", "base64"),
);
