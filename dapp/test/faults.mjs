// What goes wrong: each fault is made on purpose, and the page must say so in words, lose nothing, and go on afterwards.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  add, choose, confirm, file, heading, makeKey, openChart, openRecord, records, smallBundle, unlock,
} from "./acts.mjs";
import { downloaded, eventually, PHONE, story } from "./harness.mjs";

const bundle = file("infant.json", "application/fhir+json", JSON.stringify(await smallBundle()));
const note = (name, content) => file(name, "text/plain", content);
/** Not to be compressed, and long enough for three uploads. */
const SCAN = { name: "scan.bin", mimeType: "application/octet-stream", buffer: randomBytes(20 << 20) };
/** More than the fifteen minutes without use that are allowed at first. */
const IDLE_MS = 16 * 60_000;
/** Five of the bundle, and the scan. */
const RECORDS = 6;

await story("faults", async (stage, step) => {
  const patient = await stage.person("patient", { viewport: PHONE });
  await makeKey(patient);
  const { page, context, watch } = patient;

  await step("a wrong passphrase is told, and the right one opens", async () => {
    await page.getByRole("button", { name: "Lock Medlock" }).click();
    await unlock(patient, "not the passphrase");
    await page.getByText("That is not the right passphrase.").waitFor();
    assert.equal(await page.getByRole("textbox", { name: "Passphrase", exact: true }).getAttribute("aria-invalid"), "true");
    await unlock(patient);
    await openChart(patient);
  });

  await step("an empty file is told, and nothing is added", async () => {
    await choose(patient, [note("empty.txt", "")]);
    await page.getByRole("alert").waitFor();
    assert.ok(await page.getByRole("button", { name: "Add this file" }).isDisabled());
    await page.getByRole("button", { name: "Do not add empty.txt" }).click();
  });

  await step("a page that is loaded anew amid an upload loses nothing, and repeats nothing", async () => {
    let uploads = 0;
    let held;
    const reached = new Promise((resolve) => (held = resolve));
    // The bundle is the first upload; the scan takes several, in the midst of which the page goes.
    const slow = (route) => (++uploads === 3 ? held() : route.continue());
    await context.route("**/v1/blocks", slow);
    const both = [bundle, SCAN];
    await choose(patient, both);
    await page.getByRole("button", { name: "Add 2 files" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Add 2 files" }).click();
    await reached;
    watch.allow(/ERR_ABORTED|ERR_FAILED/);
    await page.reload();
    await context.unroute("**/v1/blocks", slow);
    await unlock(patient);
    await page.getByRole("button", { name: "Lock Medlock" }).waitFor();
    await choose(patient, both);
    await page.getByText(`${RECORDS - 1} there already`).waitFor();
    await page.getByRole("button", { name: "Add this file", exact: true }).click();
    await confirm(page, "Add this file");
    await records(patient);
    await page.getByText(`${RECORDS} records`).waitFor();
  });

  await step("what is locked leaves nothing of the records in the page", async () => {
    const title = await page.getByRole("main").getByRole("link", { name: /Allergies/ }).getByText(/\w/).first().textContent();
    await page.getByRole("button", { name: "Lock Medlock" }).click();
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    const whole = await page.content();
    assert.ok(!whole.includes(title.split(" ")[0]), title);
    assert.ok(!whole.includes("Wilderman"));
    await unlock(patient);
    await records(patient);
  });

  await step("two tabs of one person work at once", async () => {
    const other = await context.newPage();
    await other.goto(`${stage.gateway}/#/import`);
    const twin = { ...patient, page: other, go: (route) => other.evaluate((to) => (location.hash = to), route) };
    await unlock(twin);
    await other.getByRole("button", { name: "Lock Medlock" }).waitFor();
    const adding = [add(patient, [note("one.txt", "Of the first tab.")]), add(twin, [note("two.txt", "Of the second tab.")])];
    const [one, two] = await Promise.allSettled(adding);
    // Both sign with one account: the one that comes second may be told to look again, and then succeeds.
    if (one.status === "rejected") await again(patient);
    if (two.status === "rejected") await again(twin);
    await records(twin);
    for (const name of [/^one/, /^two/]) await other.getByRole("link", { name }).waitFor();
    await other.close();
    await records(patient);
    await page.getByText(`${RECORDS + 2} records`).waitFor();
  });

  await step("without a network the page says so, shows what is open, and goes on when it is back", async () => {
    watch.allow(/ERR_INTERNET_DISCONNECTED/);
    await context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    await openRecord(patient, /Allergies/);
    await patient.go("/shares");
    await heading(page, "Sharing");
    await patient.go("/import");
    await context.setOffline(false);
    await page.getByText("You are offline.").waitFor({ state: "detached" });
    await add(patient, [note("back.txt", "After the network came back.")]);
  });

  for (const [name, url] of [["gateway", `${stage.gateway}/v1/**`], ["chain", `${stage.rpc}/**`]]) {
    await step(`a ${name} that is not reached is told, and a change goes through when it is back`, async () => {
      watch.allow(/ERR_CONNECTION_REFUSED/);
      await context.route(url, (route) => route.abort("connectionrefused"));
      await page.getByText("You are offline.").waitFor();
      await patient.go("/charts");
      await page.getByRole("button", { name: "Open another chart" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("Connect first, then confirm.").waitFor();
      assert.ok(await dialog.getByRole("button", { name: "Open another chart" }).isDisabled());
      await dialog.getByRole("button", { name: "Cancel" }).click();
      await context.unroute(url);
      await page.getByText("You are offline.").waitFor({ state: "detached" });
      await add(patient, [note(`${name}.txt`, `After the ${name} came back.`)]);
    });
  }

  await step("a gateway that changes one byte of a record is found out, and nothing of it is shown", async () => {
    const lie = async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      body[body.length >> 1] ^= 1;
      await route.fulfill({ response, body });
    };
    const payloads = /\/v1\/charts\/0x[0-9a-f]+\/records\/0x[0-9a-f]+/;
    await page.reload();
    await context.route(payloads, lie);
    await patient.go("/records");
    await unlock(patient);
    await page.getByRole("link", { name: /This record cannot be opened/ }).first().waitFor();
    await page.getByRole("progressbar").waitFor({ state: "detached" });
    assert.equal(await page.getByRole("link", { name: /This record cannot be opened/ }).count(), RECORDS + 5);
    await page.getByRole("link", { name: /This record cannot be opened/ }).first().click();
    await page.getByText("What came back cannot be trusted, so it is not shown").waitFor();
    await context.unroute(payloads);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "About this record" }).waitFor();
  });

  await step("a link that makes no sense asks for nothing", async () => {
    const nonsense = "with=0x12&categories=999,x,-1&purposes=EVIL&actions=delete&days=1e9&name=<img src=x onerror=alert(1)>";
    await patient.go(`/share?${nonsense}`);
    await heading(page, "Share with somebody");
    await page.getByRole("textbox", { name: "Their link or address" }).fill(`${stage.gateway}/#/share?${nonsense}`);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("This is neither a Medlock link nor an address.").waitFor();
    await patient.go(`/share?${nonsense.replace("0x12", `0x${"12".repeat(20)}`)}`);
    await page.getByText("Not in the register").waitFor();
    await page.getByText("Cannot receive shares yet").waitFor();
    assert.equal(await page.getByRole("img", { name: "x" }).count(), 0);
    await patient.go("/no/such/page");
    await heading(page, "There is no such page");
  });

  await step("a table of questions with wrong lines is told line by line, and nothing is asked", async () => {
    await patient.go("/insurer/many");
    const chart = `0x${"ab".repeat(32)}`;
    const lines = ["chart,category,purpose,action,at", "0x12,claims,HPAYMT,read,", `${chart},hats,HPAYMT,read,`, `${chart},claims,FUN,read,tomorrow`];
    const asked = () => watch.sent.filter(({ url }) => url.includes("/v1/verdicts")).length;
    const before = asked();
    await page.getByLabel("Choose a file").setInputFiles(file("questions.csv", "text/csv", lines.join("\n")));
    await page.getByText("3 lines need a correction").waitFor();
    const told = ["Line 2: This is not a chart's id", "Line 3: “hats” is no category", "Line 4: “FUN” is no purpose"];
    for (const line of told) await page.getByText(line).waitFor();
    assert.equal(asked(), before);
  });

  const other = await stage.person("traveller");
  const tab = await other.context.newPage();
  await step("a passkey makes a key and opens it", async () => {
    // A passkey belongs to a name, not to a number; to its gateway, this one is another address.
    other.watch.servers.push(new URL(stage.gateway).origin.replace("127.0.0.1", "localhost"));
    const cdp = await other.context.newCDPSession(tab);
    await cdp.send("WebAuthn.enable");
    await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, hasPrf: true,
        isUserVerified: true, automaticPresenceSimulation: true,
      },
    });
    await tab.goto(stage.gateway.replace("127.0.0.1", "localhost"));
    await tab.getByRole("button", { name: "Start" }).click();
    await tab.getByRole("radio", { name: /With a passkey/ }).check();
    await tab.getByRole("button", { name: "Make my key" }).click();
    await tab.getByRole("button", { name: "Later: remind me" }).click();
    await tab.getByRole("button", { name: "Lock Medlock" }).click();
    await tab.getByRole("button", { name: "Unlock with your passkey" }).click();
    await tab.getByRole("button", { name: "Lock Medlock" }).waitFor();
  });

  const copied = { passphrase: "copper meadow lantern forty" };
  stage.secret("a copy's passphrase", copied.passphrase);
  const away = await stage.person("traveller elsewhere", { viewport: PHONE });
  await step("a copy of that key opens with a passphrase, where the passkey is not", async () => {
    await tab.goto(`${new URL(tab.url()).origin}/#/settings`);
    await tab.getByRole("button", { name: "Save the key file" }).click();
    const dialog = tab.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Passphrase", exact: true }).fill(copied.passphrase);
    await dialog.getByRole("button", { name: "Save the copy" }).click();
    await dialog.getByText("The two are not the same.").waitFor();
    await dialog.getByRole("textbox", { name: "The same passphrase again" }).fill(copied.passphrase);
    copied.file = await downloaded(tab, () => dialog.getByRole("button", { name: "Save the copy" }).click());
    await dialog.getByText("The copy is saved").waitFor();
    await away.open();
    await openFile(away, copied);
  });

  await step("a key file that is here already keeps its name", async () => {
    const there = away.page;
    await away.go("/settings");
    await there.getByRole("textbox", { name: "Name", exact: true }).fill("Ada");
    await there.getByRole("button", { name: "Save", exact: true }).click();
    await there.getByRole("button", { name: "Lock Medlock" }).click();
    await there.getByRole("button", { name: "Use another key or start anew" }).click();
    await openFile(away, copied, () => there.getByText("This key is in this browser already").waitFor());
    await away.go("/settings");
    await eventually("the name", async () => (await there.getByRole("textbox", { name: "Name", exact: true }).inputValue()) === "Ada");
  });

  await step("it locks itself while the words of a new key are shown, and they stay due", async () => {
    const idle = await stage.person("idler");
    idle.page = await idle.context.newPage();
    await idle.page.clock.install();
    await idle.page.goto(stage.gateway);
    const { page: left } = idle;
    const passphrase = "marble thistle window eight";
    await left.getByRole("button", { name: "Start" }).click();
    await left.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
    await left.getByRole("textbox", { name: "The same passphrase again" }).fill(passphrase);
    await left.getByRole("button", { name: "Make my key" }).click();
    await left.getByRole("list", { name: "Your 24 words" }).waitFor();
    await left.clock.fastForward(IDLE_MS);
    await left.getByText("Medlock locked itself").waitFor();
    assert.equal(await left.getByRole("list", { name: "Your 24 words" }).count(), 0);
    await unlock(idle, passphrase);
    await left.getByText("Your 24 words are not confirmed yet").waitFor();
  });
});

/** A saved key file, from the welcome page. `found`: what is to be seen before it is opened. */
async function openFile({ page }, { file: { name, bytes }, passphrase }, found = async () => {}) {
  await page.getByRole("button", { name: "I have a key already" }).click();
  await page.getByLabel("Choose the key file").setInputFiles({ name, mimeType: "application/json", buffer: bytes });
  await found();
  await page.getByRole("textbox", { name: "Its passphrase" }).fill(passphrase);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("button", { name: "Lock Medlock" }).waitFor();
}

async function again({ page }) {
  await page.getByRole("dialog").getByRole("button", { name: "Try again" }).click();
  const end = page.getByRole("dialog").getByRole("heading", { name: /: (not )?done$/ });
  await eventually("the second try", async () => /: done$/.test(await end.innerText()));
  await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
}
