// What goes wrong: each fault is made on purpose, and the page must say so in words, lose nothing, and go on afterwards.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  add, choose, confirm, file, heading, leave, makeKey, openChart, openRecord, records, smallBundle, unlock,
} from "./acts.mjs";
import { downloaded, eventually, LEFT_BEHIND, PHONE, story } from "./harness.mjs";

const small = await smallBundle();
const bundle = file("infant.json", "application/fhir+json", JSON.stringify(small));
const { family } = small.entry[0].resource.name[0];
const NAME = "Ada of two tabs";
const note = (name, content) => file(name, "text/plain", content);
/** Not to be compressed, and long enough for three uploads. */
const SCAN = { name: "scan.bin", mimeType: "application/octet-stream", buffer: randomBytes(20 << 20) };
/** More than the fifteen minutes without use that are allowed at first. */
const IDLE_MS = 16 * 60_000;
/** A step that takes no longer is not slow yet. */
const SLOW_MS = 15_000;
/** A signature is good for less. */
const HOUR_S = 3_600;
const HANDED_IN = "**/v1/relay/operations";
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
    await page.getByRole("alert").filter({ hasText: "The file is empty." }).waitFor();
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
    await watch.during(LEFT_BEHIND, async () => {
      await page.reload();
      await context.unroute("**/v1/blocks", slow);
      await unlock(patient);
      await page.getByRole("button", { name: "Lock Medlock" }).waitFor();
    });
    await choose(patient, both);
    await page.getByText(`${RECORDS - 1} there already`).waitFor();
    await page.getByRole("button", { name: "Add this file", exact: true }).click();
    await confirm(page, "Add this file");
    await records(patient);
    await page.getByText(`${RECORDS} records`).waitFor();
  });

  const other = await context.newPage();
  const twin = { ...patient, page: other, go: (route) => other.evaluate((to) => (location.hash = to), route) };

  await step("two tabs of one person add records at once, and neither is in the other's way", async () => {
    await other.goto(`${stage.gateway}/#/import`);
    await unlock(twin);
    await other.getByRole("button", { name: "Lock Medlock" }).waitFor();
    await Promise.all([add(patient, [note("one.txt", "Of the first tab.")]), add(twin, [note("two.txt", "Of the second tab.")])]);
    for (const tab of [patient, twin]) {
      await records(tab);
      await tab.page.getByRole("button", { name: "Look for new records" }).click();
      await tab.page.getByText(`${RECORDS + 2} records`).waitFor();
      for (const name of [/^one/, /^two/]) await tab.page.getByRole("link", { name }).waitFor();
    }
  });

  await step("one tab changes the passphrase while the other changes the name", async () => {
    const passphrase = "willow anchor pepper ninety";
    await patient.go("/settings");
    await page.getByRole("textbox", { name: "Name", exact: true }).fill(NAME);
    await twin.go("/settings/passphrase");
    await other.getByRole("textbox", { name: "The passphrase now" }).fill(patient.passphrase);
    await other.getByRole("textbox", { name: "Passphrase", exact: true }).fill(passphrase);
    await other.getByRole("textbox", { name: "The same passphrase again" }).fill(passphrase);
    await other.getByRole("button", { name: "Change it" }).click();
    await other.getByText("It is changed.").waitFor();
    patient.passphrase = passphrase;
    await watch.during(LEFT_BEHIND, () => other.close());
    const save = page.getByRole("button", { name: "Save", exact: true });
    await save.click();
    await eventually("the name is kept", () => save.isDisabled());
  });

  await step("what is locked leaves nothing of the records in the page, and has the new name and the new passphrase", async () => {
    await records(patient);
    const title = await page.getByRole("main").getByRole("link", { name: /Allergies/ }).getByText(/\w/).first().textContent();
    await page.getByRole("button", { name: "Lock Medlock" }).click();
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await page.getByText(NAME, { exact: true }).waitFor();
    const whole = await page.content();
    assert.ok(!whole.includes(title.split(" ")[0]), title);
    assert.ok(!whole.includes(family));
    await unlock(patient);
    await records(patient);
    await page.getByRole("link", { name: /^one/ }).waitFor();
  });

  await step("without a network the page says so, shows what is open, and goes on when it is back", async () => {
    await watch.during(/ERR_INTERNET_DISCONNECTED/, async () => {
      await context.setOffline(true);
      await page.getByText("You are offline.").waitFor();
      await openRecord(patient, /Allergies/);
      await patient.go("/shares");
      await heading(page, "Sharing");
      await patient.go("/import");
      await context.setOffline(false);
      await page.getByText("You are offline.").waitFor({ state: "detached" });
    });
    await add(patient, [note("back.txt", "After the network came back.")]);
  });

  for (const [name, url] of [["gateway", `${stage.gateway}/v1/**`], ["chain", `${stage.rpc}/**`]]) {
    await step(`a ${name} that is not reached is told, and a change goes through when it is back`, async () => {
      await watch.during(/ERR_CONNECTION_REFUSED/, async () => {
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
      });
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
    await patient.reload();
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
    const asked = () => watch.sent.filter(({ url }) => url.includes("/v1/decisions")).length;
    const before = asked();
    await page.getByLabel("Choose a file").setInputFiles(file("questions.csv", "text/csv", lines.join("\n")));
    await page.getByText("3 lines need a correction").waitFor();
    const told = ["Line 2: This is not a chart's id", "Line 3: “hats” is no category", "Line 4: “FUN” is no purpose"];
    for (const line of told) await page.getByText(line).waitFor();
    assert.equal(asked(), before);
  });

  const traveller = await stage.person("traveller");
  const tab = await traveller.context.newPage();
  await step("a passkey makes a key and opens it", async () => {
    // A passkey belongs to a name, not to a number; to its gateway, this one is another address.
    traveller.watch.servers.push(new URL(stage.gateway).origin.replace("127.0.0.1", "localhost"));
    const cdp = await traveller.context.newCDPSession(tab);
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

  const idle = await stage.person("idler");
  const left = await idle.context.newPage();
  idle.page = left;
  await step("it locks itself while the words of a new key are shown, and they stay due", async () => {
    await left.clock.install();
    await left.goto(stage.gateway);
    idle.passphrase = "marble thistle window eight";
    await left.getByRole("button", { name: "Start" }).click();
    await left.getByRole("textbox", { name: "Passphrase", exact: true }).fill(idle.passphrase);
    await left.getByRole("textbox", { name: "The same passphrase again" }).fill(idle.passphrase);
    await left.getByRole("button", { name: "Make my key" }).click();
    await left.getByRole("list", { name: "Your 24 words" }).waitFor();
    await left.clock.fastForward(IDLE_MS);
    await left.getByText("Medlock locked itself").waitFor();
    assert.equal(await left.getByRole("list", { name: "Your 24 words" }).count(), 0);
    await unlock(idle);
    await left.getByText("Your 24 words are not confirmed yet").waitFor();
  });

  const dialog = left.getByRole("dialog");
  await step("what is handed in after its time is refused in plain words", async () => {
    const late = (route) => route.continue({ postData: outdated(route.request().postData()) });
    await idle.context.route(HANDED_IN, late);
    await idle.go("/settings");
    await left.getByRole("button", { name: "Cancel what is still open" }).click();
    await idle.watch.during(/status of 422/, async () => {
      await dialog.getByRole("button", { name: "Cancel what is still open", exact: true }).click();
      await dialog.getByRole("heading", { name: /: not done$/ }).waitFor();
    });
    await dialog.getByText("The time to carry it out has run out. Nothing was done. You can sign it again.").waitFor();
    await idle.context.unroute(HANDED_IN, late);
  });

  await step("signed again it is done, by a gateway whose long silence is told", async () => {
    const held = [];
    const hold = (route) => (held.length === 0 ? void held.push(route) : route.continue());
    const notice = dialog.getByText("This takes longer than usual.");
    await idle.context.route(HANDED_IN, hold);
    await dialog.getByRole("button", { name: "Try again" }).click();
    const route = await eventually("it is handed over", () => held[0]);
    await eventually("the silence is told", async () => {
      await left.clock.fastForward(SLOW_MS);
      return notice.isVisible();
    });
    await route.continue();
    await idle.context.unroute(HANDED_IN, hold);
    await dialog.getByRole("heading", { name: /: done$/ }).waitFor();
    await dialog.getByText("Nothing signed before can be submitted any more.").waitFor();
    await notice.waitFor({ state: "detached" });
    await leave(dialog, dialog.getByRole("button", { name: "Done", exact: true }));
  });
});

/** An operation of a time that is over by now: the one word of it that is a time soon is another. */
function outdated(body) {
  const now = Date.now() / 1_000;
  const words = JSON.parse(body).call.slice("0x12345678".length).match(/.{64}/g);
  const deadlines = words.filter((word) => Number(`0x${word}`) > now && Number(`0x${word}`) < now + HOUR_S);
  assert.equal(deadlines.length, 1);
  return body.replace(deadlines[0], "1".padStart(64, "0"));
}

/** A saved key file, from the welcome page. `found`: what is to be seen before it is opened. */
async function openFile({ page }, { file: { name, bytes }, passphrase }, found = async () => {}) {
  await page.getByRole("button", { name: "I have a key already" }).click();
  await page.getByLabel("Choose the key file").setInputFiles({ name, mimeType: "application/json", buffer: bytes });
  await found();
  await page.getByRole("textbox", { name: "Its passphrase" }).fill(passphrase);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("button", { name: "Lock Medlock" }).waitFor();
}
