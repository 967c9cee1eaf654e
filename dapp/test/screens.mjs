// Pictures of the main pages for the documentation: `node dapp/test/screens.mjs` writes docs/img/*.png anew.
import assert from "node:assert/strict";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { add, addressOf, CT, file, LETTER, makeKey, openChart, publish, records, requestLink, share } from "./acts.mjs";
import { DESK, fixture, PHONE, story } from "./harness.mjs";

const FOLDER = process.env.MEDLOCK_IMAGES ?? fileURLToPath(new URL("../../docs/img/", import.meta.url));
const BYTES_MAX = 150_000;
const still = { reducedMotion: "reduce", deviceScaleFactor: 1 };

await mkdir(FOLDER, { recursive: true });
await story("screens", async (stage, step) => {
  const patient = await stage.person("Tod Wilderman", { viewport: PHONE, ...still });
  const clinic = await stage.person("Praxis am Fluss", { viewport: DESK, ...still });
  const insurer = await stage.person("Inselkasse", { viewport: DESK, ...still });

  const shoot = async (person, name, { route, until, colorScheme = "light" }) => {
    const { page } = person;
    if (route) await person.go(route);
    await page.emulateMedia({ colorScheme });
    await until?.(page);
    await page.mouse.move(0, 0);
    await page.evaluate(() => (document.activeElement?.blur?.(), scrollTo(0, 0), document.fonts.ready.then(() => {})));
    const path = join(FOLDER, `${name}.png`);
    await page.screenshot({ path, animations: "disabled", caret: "hide" });
    const { size } = await stat(path);
    assert.ok(size < BYTES_MAX, `${name}.png has ${size} bytes`);
    await page.emulateMedia({ colorScheme: "light" });
  };

  await step("before one is in", async () => {
    await patient.open();
    await shoot(patient, "welcome", { until: (page) => page.getByRole("button", { name: "Start" }).waitFor() });
  });

  await step("people, records and shares", async () => {
    for (const person of [patient, clinic, insurer]) await makeKey(person);
    await openChart(patient);
    await stage.credential(await addressOf(clinic), "organisation,provider");
    await stage.credential(await addressOf(insurer), "insurer");
    await publish(clinic);
    await publish(insurer);
    const infant = file("records.json", "application/fhir+json", await readFile(fixture("bundles/infant.json")));
    await add(patient, [infant]);
    const letter = file("Discharge letter.pdf", "application/pdf", await readFile(LETTER));
    await add(patient, [letter, file("CT.dcm", "application/dicom", await readFile(CT))]);
    await share(patient, await requestLink(clinic));
    await clinic.go("/provider");
    await clinic.page.getByRole("button", { name: "Refresh" }).click();
    await clinic.page.getByRole("link", { name: /^Patient 0x/ }).click();
    await clinic.page.getByRole("button", { name: /^Open all/ }).click();
    await clinic.page.getByRole("progressbar").waitFor({ state: "detached" });
    await clinic.page.getByRole("button", { name: "Name this patient" }).click();
    await clinic.page.getByRole("dialog").getByRole("button", { name: "Save name" }).click();
  });

  const recordTitled = (person, title) => async (page) => {
    await page.getByRole("main").getByRole("link", { name: title }).first().click();
    await page.getByRole("heading", { name: "About this record" }).waitFor();
  };

  await step("the patient's pages", async () => {
    await records(patient);
    await shoot(patient, "records", {});
    await shoot(patient, "records-dark", { colorScheme: "dark" });
    await shoot(patient, "record", { until: recordTitled(patient, /Lisinopril/) });
    const link = await requestLink(insurer, { only: ["Bills and insurance"] });
    const filled = (page) => page.getByRole("button", { name: "Check and share" }).waitFor();
    await shoot(patient, "share", { route: `/share?${link.split("?")[1]}`, until: filled });
    await shoot(patient, "shares", { route: "/shares", until: (page) => page.getByRole("button", { name: /^Stop sharing/ }).first().waitFor() });
    await shoot(patient, "log", { route: "/log", until: (page) => page.getByRole("main").getByRole("listitem").first().waitFor() });
    await patient.page.setViewportSize(DESK);
    await shoot(patient, "emergency", { route: "/emergency", until: (page) => page.getByRole("img", { name: /^QR code/ }).waitFor() });
    await records(patient);
    await shoot(patient, "records-wide", {});
  });

  await step("the clinic's pages", async () => {
    await shoot(clinic, "provider-chart", {});
    await shoot(clinic, "provider-chart-dark", { colorScheme: "dark" });
    await shoot(clinic, "provider-identity", { route: "/provider/identity", until: (page) => page.getByText("Your key is published").waitFor() });
  });

  await step("the insurer's and the developer's pages", async () => {
    await share(patient, await requestLink(insurer, { only: ["Bills and insurance"] }), async (page) => {
      await page.getByRole("checkbox", { name: /^Payment/ }).check();
    });
    await insurer.go("/insurer");
    await insurer.page.getByRole("textbox", { name: "Chart" }).fill(patient.chart);
    await insurer.page.getByRole("button", { name: "Ask", exact: true }).click();
    await shoot(insurer, "insurer", { until: (page) => page.getByText("Yes, until this changes").waitFor() });
    await shoot(insurer, "developer", { route: "/developer", until: (page) => page.getByText("Newest block").waitFor() });
  });
});
