// Whether everybody can use it: WCAG by axe-core on every page of every role, keyboard alone, a narrow screen, reduced motion, a slow device.
import assert from "node:assert/strict";
import { add, addressOf, file, heading, leave, makeKey, publish, records, requestLink, smallBundle, unlock } from "./acts.mjs";
import { audit, look, NARROW, over } from "./audit.mjs";
import { eventually, PHONE, story } from "./harness.mjs";

/** Compressed, without the WASM client. */
const FIRST_LOAD_BYTES_MAX = 300_000;
const SLOWDOWN = 4;
/** More than any page has stops. */
const TABS_MAX = 120;

await story("access", async (stage, step) => {
  const patient = await stage.person("patient", { viewport: PHONE });
  const clinic = await stage.person("clinic");
  const people = [patient, clinic];

  await step("the first load is small, and ready on a slow device", async () => {
    const { bytes, ms } = await firstLoad(stage);
    assert.ok(bytes > 0 && bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
    // Told and not judged: this machine may be busy with something else just now.
    console.log(JSON.stringify({ figure: "dapp_interactive", ms, slowdown: SLOWDOWN, bytes }));
  });

  await step("the pages before one is in are for everybody", async () => {
    const guest = await stage.person("guest", { viewport: PHONE });
    await guest.open();
    await look(guest, "welcome");
    await guest.page.getByRole("button", { name: "I have a key already" }).click();
    await look(guest, "a key file");
    await guest.page.getByRole("tab", { name: "24 words" }).click();
    await look(guest, "24 words");
    await guest.page.getByRole("button", { name: "Back", exact: true }).click();
    await guest.page.getByRole("button", { name: "Start" }).click();
    await look(guest, "a new key");
    await guest.context.close();
  });

  await step("with the keyboard alone, from a fresh start to a share", async () => {
    await makeKey(clinic);
    await publish(clinic);
    await stage.credential(await addressOf(clinic), "organisation,provider");
    const link = await requestLink(clinic);
    await byKeyboard(patient, link);
  });

  await step("a key that is locked is for everybody", async () => {
    await patient.page.getByRole("button", { name: "Lock Medlock" }).click();
    await heading(patient.page, "Welcome back");
    await look(patient, "a key that is locked");
    await unlock(patient);
    await patient.page.getByRole("button", { name: "Lock Medlock" }).waitFor();
  });

  await step("a change is for everybody, before it, while it lasts, and where it is refused", () => refusedChange(patient));

  await step("there is something on every page", async () => {
    await add(patient, [file("infant.json", "application/fhir+json", JSON.stringify(await smallBundle()))]);
    await patient.go("/identity");
    patient.chart = await patient.page.getByRole("main").getByText(/^0x[0-9a-f]{64}$/).textContent();
    await clinic.go("/provider");
    await clinic.page.getByRole("button", { name: "Refresh" }).click();
    await clinic.page.getByRole("link", { name: /^Patient 0x/ }).click();
    await clinic.page.getByRole("button", { name: /^Open all/ }).waitFor();
    await audit(clinic, "a chart before it is opened");
    await clinic.page.getByRole("button", { name: /^Open all/ }).click();
    await clinic.page.getByRole("link", { name: /Allergies/ }).waitFor();
    await records(patient);
  });

  const pages = await pagesOf(patient, clinic);
  for (const colorScheme of ["light", "dark"]) {
    await step(`every page is for everybody, in ${colorScheme}`, async () => {
      for (const { context } of people) for (const page of context.pages()) await page.emulateMedia({ colorScheme });
      for (const [person, route] of pages) await audit(await at(person, route), `${route} (${colorScheme})`);
      await dialogs(patient, (where) => audit(patient, `${where} (${colorScheme})`));
    });
  }

  await step("at 320 pixels nothing runs over the side", async () => {
    for (const person of people) await person.page.setViewportSize(NARROW);
    const wide = [];
    const measure = async (person, where) => {
      const pixels = await over(person);
      if (pixels > 0) wide.push(`${where}: ${pixels} px`);
    };
    for (const [person, route] of pages) await measure(await at(person, route), route);
    await dialogs(patient, (where) => measure(patient, where));
    assert.deepEqual(wide, []);
  });

  await step("who wants no motion gets none", async () => {
    await patient.page.emulateMedia({ reducedMotion: "reduce" });
    for (const route of ["/records", "/import", "/shares"]) {
      await at(patient, route);
      const moving = await patient.page.evaluate(() =>
        [...document.querySelectorAll("*")].filter((element) => {
          const { transitionDuration, animationDuration, animationName } = getComputedStyle(element);
          const longest = (durations) => Math.max(...durations.split(",").map(Number.parseFloat));
          return longest(transitionDuration) > 0.01 || (animationName !== "none" && longest(animationDuration) > 0.01);
        }).map((element) => element.outerHTML.slice(0, 80)),
      );
      assert.deepEqual(moving, [], route);
    }
  });
});

/** [who, route] of every page. */
async function pagesOf(patient, clinic) {
  const { chart } = patient;
  const record = await linkTo(patient, "/records");
  const shared = await linkTo(clinic, `/provider/chart/${chart}`);
  const claims = ["/provider/claims", "/provider/claims/new", "/insurer/claims", "/insurer/claims/settings", "/insurer/claims/signals"];
  const supply = ["/supply", "/supply/units", "/supply/shipments", "/supply/register", "/supply/recalls"];
  const trials = ["/trials", "/trials/register", "/trials/verify"];
  const own = ["/claims", "/medicines", "/records", record, "/import", "/shares", "/share", `/share?with=0x${"12".repeat(20)}`, "/log", "/emergency", "/emergency/access", "/identity", "/charts"];
  const more = ["/export", "/settings", "/settings/words", "/settings/passphrase", "/more", "/no/such/page"];
  const glass = ["/provider/emergency", `/provider/emergency?chart=${chart}`];
  const provider = ["/provider", "/provider/work", "/provider/identity", "/provider/organisation", ...glass, `/provider/chart/${chart}`, `/provider/chart/${chart}/new`, shared];
  const others = [...claims, ...supply, ...trials, "/insurer", "/insurer/many", "/insurer/identity", "/insurer/check", "/insurer/history", "/developer", "/developer/events"];
  return [...[...own, ...more].map((route) => [patient, route]), ...[...provider, ...others].map((route) => [clinic, route])];
}

async function linkTo(person, list) {
  await at(person, list);
  const link = person.page.getByRole("main").getByRole("link", { name: /Allergies/ });
  return (await link.first().getAttribute("href")).slice(1);
}

/** Goes there, and waits until everything is. */
async function at(person, route) {
  const { page } = person;
  await person.go(route);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const waiting = "main [role=status] > span[aria-hidden], main progress, main [aria-disabled=true]";
  await eventually(`${route} is there`, () => page.evaluate((selector) => !document.querySelector(selector), waiting));
  return person;
}

/** Shows each, for `see`. */
async function dialogs(patient, see) {
  const { page } = patient;
  await at(patient, "/shares");
  await page.getByRole("button", { name: "Stop everything" }).click();
  await see("a dialog");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: /^Use Medlock as/ }).click();
  await see("the choice of a role");
  await page.keyboard.press("Escape");
}

/** Another chart, which the gateway refuses to relay. */
async function refusedChange(patient) {
  const { page, context, watch } = patient;
  const relayed = "**/v1/relay/operations";
  const held = [];
  const hold = (route) => void held.push(route);
  await context.route(relayed, hold);
  await at(patient, "/charts");
  await page.getByRole("button", { name: "Open another chart" }).click();
  await look(patient, "a change before it is confirmed");
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Open another chart" }).click();
  const route = await eventually("it is handed over", () => held[0]);
  await look(patient, "a change under way");
  await watch.during(/status of 403/, async () => {
    await route.fulfill({ status: 403, json: {} });
    await dialog.getByRole("heading", { name: /: not done$/ }).waitFor();
    await look(patient, "a change that was refused");
  });
  await context.unroute(relayed, hold);
  await leave(dialog, dialog.getByRole("button", { name: "Close", exact: true }).last());
}

/** Opens a chart and shares it, by what the keys reach. */
async function byKeyboard(patient, link) {
  const page = await patient.open();
  const keys = page.keyboard;
  patient.passphrase = "violet harbour sandal nine";
  await to(page, "button", "Start", "Enter");
  await to(page, "textbox", "Passphrase");
  await keys.type(patient.passphrase);
  await to(page, "textbox", "The same passphrase again");
  await keys.type(patient.passphrase);
  await keys.press("Enter");
  await heading(page, "Write down your 24 words");
  await look(patient, "24 words to write down");
  await to(page, "button", "Later: remind me", "Enter");
  await page.getByRole("button", { name: "Set it up" }).waitFor();
  await to(page, "button", "Set it up", "Space");
  await inDialog(page, "Set it up");
  await heading(page, "My records");
  await to(page, "link", "Share with somebody", "Enter");
  await to(page, "textbox", "Their link or address");
  await keys.insertText(link);
  await keys.press("Enter");
  await page.getByRole("button", { name: "Check and share" }).waitFor();
  await to(page, "checkbox", /^Sensitive/, "Space");
  assert.ok(await page.getByRole("checkbox", { name: /^Sensitive/ }).isChecked());
  await keys.press("Space");
  await to(page, "button", "Check and share", "Enter");
  await inDialog(page, "Share");
  await heading(page, "Sharing");
}

async function inDialog(page, button) {
  await to(page, "button", button, "Enter");
  await page.getByRole("dialog").getByRole("heading", { name: /: done$/ }).waitFor();
  await to(page, "button", "Done", "Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** Tabs until the focus is there, where it must be seen, and presses a key. */
async function to(page, role, name, key) {
  const wanted = page.getByRole(role, { name, exact: typeof name === "string" });
  for (let tabs = 0; tabs < TABS_MAX; tabs++) {
    await page.keyboard.press("Tab");
    const here = await wanted.evaluateAll((found) => found.includes(document.activeElement));
    if (!here) continue;
    const seen = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
      return (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
    });
    assert.ok(seen, `the focus on ${name} cannot be seen`);
    if (key) await page.keyboard.press(key);
    return;
  }
  throw new Error(`${role} ${name} is not reached in ${TABS_MAX} steps`);
}

/** What comes before somebody does something, as it travels; and when they can. */
async function firstLoad(stage) {
  const visitor = await stage.person("visitor", { viewport: PHONE });
  visitor.page = await visitor.context.newPage();
  const cdp = await visitor.context.newCDPSession(visitor.page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  const begun = performance.now();
  await visitor.page.goto(stage.gateway, { waitUntil: "commit" });
  await visitor.page.getByRole("button", { name: "Start" }).click();
  await heading(visitor.page, "Protect your key");
  const ms = Math.round(performance.now() - begun);
  const bytes = await visitor.page.evaluate(() =>
    [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
      .filter(({ name }) => !name.endsWith(".wasm"))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  );
  await visitor.context.close();
  return { ms, bytes };
}
