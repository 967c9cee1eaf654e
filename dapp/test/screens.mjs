// Pictures of the main pages for the documentation: `node dapp/test/screens.mjs` writes docs/img/*.png anew. Each page is there as a phone shows
// it, and, with "-wide" in the name, as a desk does.
import assert from "node:assert/strict";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { add, addressOf, choose, confirm, CT, file, LETTER, makeKey, openChart, publish, records, requestLink, share } from "./acts.mjs";
import { DESK, eventually, fixture, PHONE, story } from "./harness.mjs";

const FOLDER = process.env.MEDLOCK_IMAGES ?? fileURLToPath(new URL("../../docs/img/", import.meta.url));
const BYTES_MAX = 150_000;
const BILLS = "Bills and insurance";
const still = { reducedMotion: "reduce", deviceScaleFactor: 1 };

await mkdir(FOLDER, { recursive: true });
await story("screens", async (stage, step) => {
  const patient = await stage.person("Tod Wilderman", { viewport: PHONE, ...still });
  const clinic = await stage.person("Praxis am Fluss", { viewport: DESK, ...still });
  const insurer = await stage.person("Inselkasse", { viewport: DESK, ...still });

  const shoot = async (person, name, { route, until, colorScheme = "light", sizes = [PHONE, DESK] } = {}) => {
    const { page } = person;
    if (route) await person.go(route);
    await page.emulateMedia({ colorScheme });
    await until?.(page);
    for (const size of sizes) {
      await page.setViewportSize(size);
      await page.mouse.move(0, 0);
      await page.evaluate(() => (document.activeElement?.blur?.(), scrollTo(0, 0), document.fonts.ready.then(() => {})));
      const path = join(FOLDER, `${name}${size === DESK ? "-wide" : ""}.png`);
      await page.screenshot({ path, animations: "disabled", caret: "hide" });
      const { size: bytes } = await stat(path);
      assert.ok(bytes < BYTES_MAX, `${path} has ${bytes} bytes`);
    }
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

  await step("the clinic's pages", async () => {
    await shoot(clinic, "provider-chart");
    await shoot(clinic, "provider-chart-dark", { colorScheme: "dark", sizes: [DESK] });
    await shoot(clinic, "provider-identity", { route: "/provider/identity", until: (page) => page.getByText("Your key is published").waitFor() });
  });

  const recordTitled = (title) => async (page) => {
    await page.getByRole("main").getByRole("link", { name: title }).first().click();
    await page.getByRole("heading", { name: "About this record" }).waitFor();
  };

  await step("the patient's pages", async () => {
    await records(patient);
    await shoot(patient, "records");
    await shoot(patient, "records-dark", { colorScheme: "dark", sizes: [PHONE] });
    await shoot(patient, "record", { until: recordTitled(/Lisinopril/) });
    const link = await requestLink(insurer, { only: [BILLS] });
    const filled = (page) => page.getByRole("button", { name: "Check and share" }).waitFor();
    await shoot(patient, "share", { route: `/share?${link.split("?")[1]}`, until: filled });
    await shoot(patient, "shares", { route: "/shares", until: (page) => page.getByRole("button", { name: /^Stop sharing/ }).first().waitFor() });
    await shoot(patient, "log", { route: "/log", until: (page) => page.getByRole("main").getByRole("listitem").first().waitFor() });
    await shoot(patient, "emergency", { route: "/emergency", until: (page) => page.getByRole("img", { name: /^QR code/ }).waitFor() });
    await choose(patient, [file("Sleep diary.txt", "text/plain", "Slept from ten to six.")]);
    await shoot(patient, "import", { until: (page) => page.getByText("1 new").waitFor() });
    await patient.page.getByRole("button", { name: "Add this file" }).click();
    await confirm(patient.page, "Add this file");
  });

  await step("what is new for the clinic, and who its patients are", async () => {
    const isListed = async (page) => {
      await page.getByRole("button", { name: "Refresh" }).click();
      return page.getByText("1 new record:").isVisible();
    };
    await shoot(clinic, "provider-work", { route: "/provider/work", until: (page) => eventually("the diary is listed", () => isListed(page)) });
    await shoot(clinic, "provider", { route: "/provider", until: (page) => page.getByRole("link", { name: /Wilderman/ }).waitFor() });
  });

  await step("the insurer's pages", async () => {
    await share(patient, await requestLink(insurer, { only: [BILLS] }), async (page) => {
      await page.getByRole("checkbox", { name: /^Payment/ }).check();
    });
    const { page } = insurer;
    await insurer.go("/insurer");
    await page.getByRole("textbox", { name: "Chart" }).fill(patient.chart);
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await shoot(insurer, "insurer", { until: () => page.getByText("Yes, until this changes").waitFor() });
    const categories = ["claims", "labs", "medications", "documents"];
    const lines = ["chart,category", ...categories.map((category) => `${patient.chart},${category}`)];
    await insurer.go("/insurer/many");
    await page.getByLabel("Choose a file").setInputFiles(file("questions.csv", "text/csv", lines.join("\n")));
    await page.getByRole("button", { name: "Ask 4 questions" }).click();
    await shoot(insurer, "insurer-many", { until: () => page.getByText("1 yes, 3 no").waitFor() });
    const kept = () => page.getByRole("button", { name: "Clear the history" }).waitFor();
    await shoot(insurer, "insurer-history", { route: "/insurer/history", until: kept });
  });

  await step("the developer's pages", async () => {
    await shoot(insurer, "developer", { route: "/developer", until: (page) => page.getByText("Newest block").waitFor() });
    const events = (page) => page.getByRole("heading", { name: "Granted" }).first().waitFor();
    await shoot(insurer, "developer-events", { route: "/developer/events", until: events });
  });
});
