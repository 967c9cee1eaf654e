// What somebody sees of each kind of record, from the import of a file to the printed emergency card.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import decodeQR from "qr/decode.js";
import { choose, CT, DOT, file, heading, leave, LETTER, makeKey, openChart, openRecord, records } from "./acts.mjs";
import { audit } from "./audit.mjs";
import { downloaded, eventually, PHONE, story } from "./harness.mjs";

const HL7 = "http://terminology.hl7.org/CodeSystem";
const coded = (system, code, display) => ({ coding: [{ system, code, display }] });
const subject = { reference: "Patient/ida" };
const letter = await readFile(LETTER);
const glucose = (effectiveDateTime, value, flag) => ({
  resourceType: "Observation", status: "final", category: [coded(`${HL7}/observation-category`, "laboratory")],
  code: coded("http://loinc.org", "15074-8", "Glucose [Moles/volume] in Blood"), subject, effectiveDateTime,
  valueQuantity: { value, unit: "mmol/L", system: "http://unitsofmeasure.org", code: "mmol/L" },
  interpretation: [coded(`${HL7}/v3-ObservationInterpretation`, flag)],
  referenceRange: [{ low: { value: 3.9, unit: "mmol/L" }, high: { value: 5.6, unit: "mmol/L" } }],
});
const RESOURCES = [
  { resourceType: "Patient", id: "ida", name: [{ family: "Lindgren", given: ["Ida"] }], birthDate: "1958-03-04" },
  {
    resourceType: "MedicationRequest", status: "active", intent: "order", medicationCodeableConcept: { text: "Metformin 500 mg tablet" }, subject,
    authoredOn: "2025-07-09",
    dosageInstruction: [{
      timing: { code: coded(`${HL7}/v3-GTSAbbreviation`, "BID") }, route: { text: "By mouth" },
      doseAndRate: [{ doseQuantity: { value: 1, unit: "tablet" } }],
    }],
  },
  glucose("2025-01-14", 7.9, "H"), glucose("2025-07-08", 6.8, "H"), glucose("2026-01-20", 5.4, "N"),
  {
    resourceType: "Immunization", status: "completed", vaccineCode: { text: "Influenza vaccine" }, patient: subject, occurrenceDateTime: "2025-10-03",
    lotNumber: "FLU-2025-77", protocolApplied: [{ doseNumberPositiveInt: 1, targetDisease: [{ text: "Influenza" }] }],
  },
  {
    resourceType: "AllergyIntolerance", clinicalStatus: coded(`${HL7}/allergyintolerance-clinical`, "active"), criticality: "high",
    code: { text: "Penicillin" }, patient: subject, recordedDate: "2019-05-20", reaction: [{ manifestation: [{ text: "Rash" }], severity: "severe" }],
  },
  {
    resourceType: "Condition", clinicalStatus: coded(`${HL7}/condition-clinical`, "active"), code: { text: "Type 2 diabetes" }, subject,
    onsetDateTime: "2018-03",
  },
  {
    resourceType: "DocumentReference", status: "current", type: { text: "Letter" }, subject, date: "2025-11-02T10:00:00Z",
    content: [{ attachment: { contentType: "application/pdf", title: "Discharge letter", data: letter.toString("base64") } }],
  },
];
const BUNDLE = { resourceType: "Bundle", type: "collection", entry: RESOURCES.map((resource) => ({ resource })) };
const FILES = [
  file("ida.json", "application/fhir+json", JSON.stringify(BUNDLE)),
  DOT,
  file("ct.dcm", "application/dicom", await readFile(CT)),
];
/** Those that have a date, the newest first. */
const BY_DATE = [
  "DICOM CT", "Blood sugar (glucose)5.4 mmol/L", "Discharge letter", "Influenza vaccine", "Metformin 500 mg tablet",
  "Blood sugar (glucose)6.8 mmol/L", "Blood sugar (glucose)7.9 mmol/L", "Penicillin", "Type 2 diabetes",
];
const MONTHS = [
  "April 2026", "January 2026", "November 2025", "October 2025", "July 2025", "January 2025", "May 2019", "March 2018", "Without a date",
];
const CATEGORIES = ["About you", "Allergies", "Medicines", "Conditions", "Lab results", "Vaccinations", "Scans and images", "Documents"];
/** What the page of each says, found by what its title begins with. */
const SAYS = {
  Metformin: ["Prescription", "Metformin 500 mg tablet", "How to take it", "1 tablet, twice a day, by mouth", "Active", "9 Jul 2025"],
  Influenza: ["Vaccination", "Influenza vaccine", "Given", "3 Oct 2025", "Protects against", "Dose 1", "FLU-2025-77"],
  Penicillin: ["Allergy", "Penicillin", "High risk", "Rash", "Severe", "20 May 2019"],
  "Type 2": ["Condition", "Type 2 diabetes", "Active", "Began", "March 2018"],
  Ida: ["Personal details", "Ida Lindgren", "4 Mar 1958"],
};
const CARD = ["Ida Lindgren", "born 4 Mar 1958", "Penicillin (rash): high risk", "Metformin 500 mg tablet", "Type 2 diabetes"];
/** Of a phone's screen: a code of a wallet's size is drawn finely enough to be read. */
const DENSITY = 3;

await story("records", async (stage, step) => {
  const patient = await stage.person("patient", { viewport: PHONE, deviceScaleFactor: DENSITY });
  for (const [what, said] of [["the name", "Lindgren"], ["the medicine", "Metformin"], ["the allergy", "Penicillin"]]) stage.secret(what, said);
  const page = await patient.open();
  const main = page.getByRole("main");

  /** The page of a record, which is for people: what matters is on it, and how the record is written is not. */
  const show = async (title, words) => {
    await records(patient);
    await openRecord(patient, title);
    await says(words);
    await audit(patient, `the page of ${title}`);
  };
  const says = async (words) => {
    const said = await main.innerText();
    assert.ok(!/[{}]|resourceType/.test(said), said);
    for (const one of words) assert.ok(said.includes(one), `${one}: ${said}`);
  };

  await step("somebody with a chart", async () => {
    await makeKey(patient);
    await openChart(patient);
  });

  await step("what files would bring is shown before, and how far it is while they are added", async () => {
    await choose(patient, FILES);
    await page.getByText("9 new").waitFor();
    await page.getByText("See every record").click();
    await page.getByRole("listitem").filter({ hasText: "Penicillin" }).waitFor();
    await audit(patient, "what files would bring");
    // The first file is one upload. The second waits, so that what is shown in between is seen.
    let uploads = 0;
    let goOn;
    const seen = new Promise((resolve) => (goOn = resolve));
    const slow = async (route) => {
      if (++uploads === 2) await seen;
      await route.continue();
    };
    await patient.context.route("**/v1/blocks", slow);
    await page.getByRole("button", { name: "Add 3 files" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Add 3 files" }).click();
    await dialog.getByRole("progressbar", { name: "Working…" }).waitFor();
    // With the frame of the file.
    await dialog.getByText(`${RESOURCES.length + 1} of ${RESOURCES.length + 1}`).waitFor();
    await audit(patient, "an import under way");
    goOn();
    await dialog.getByRole("heading", { name: /: done$/ }).waitFor();
    await audit(patient, "an import that is done");
    await leave(dialog, dialog.getByRole("button", { name: "Done", exact: true }));
    await patient.context.unroute("**/v1/blocks", slow);
  });

  await step("they are listed by date, the newest first, and by category", async () => {
    await records(patient);
    await main.getByText("11 records").waitFor();
    await main.getByText("Encrypted: not opened yet").first().waitFor({ state: "detached" });
    const panel = page.getByRole("tabpanel");
    const groups = () => panel.getByRole("heading", { level: 2 }).allInnerTexts();
    assert.deepEqual(await groups(), MONTHS);
    const links = await panel.getByRole("link").allTextContents();
    for (const [at, title] of BY_DATE.entries()) assert.ok(links[at].startsWith(title), `${links[at]} where ${title} should be`);
    await page.getByRole("tab", { name: "By category" }).click();
    await heading(page, "About you", 2);
    assert.deepEqual(await groups(), CATEGORIES);
    await page.getByLabel("Category", { exact: true }).selectOption("Lab results");
    await main.getByText("3 of 11 records").waitFor();
    assert.deepEqual(await groups(), ["Lab results"]);
    await page.getByLabel("Category", { exact: true }).selectOption("All categories");
  });

  for (const [title, words] of Object.entries(SAYS)) {
    await step(`the page of a record says what matters: ${words[0]}`, () => show(new RegExp(`^${title}`), words));
  }

  await step("a lab value has its unit and its usual range, and a plot and a table of those before", async () => {
    await show(/5\.4 mmol/, ["Result", "Blood sugar (glucose)", "5.4 mmol/L", "Normal", "Usual range: 3.9 to 5.6 mmol/L"]);
    const name = "Blood sugar (glucose): 3 values, from 7.9 mmol/L on 14 Jan 2025 to 5.4 mmol/L on 20 Jan 2026.";
    const plot = main.getByRole("img", { name });
    for (const label of ["14 Jan 2025", "20 Jan 2026"]) await plot.getByText(label, { exact: true }).waitFor();
    assert.equal(await plot.locator("circle").count(), 3);
    await main.getByText("Blood sugar (glucose) over time (mmol/L)").waitFor();
    await main.getByText("Show as a table").click();
    const table = main.getByRole("table", { name: "Blood sugar (glucose) over time" });
    for (const value of ["7.9 mmol/L", "6.8 mmol/L", "5.4 mmol/L"]) await table.getByRole("cell", { name: value }).waitFor();
  });

  await step("how a record is written is shown to who asks for it", async () => {
    await main.getByText("Technical details", { exact: true }).click();
    await main.getByText('"resourceType": "Observation"').waitFor();
  });

  await step("a picture is seen, and the frame of a scan", async () => {
    await show(/^dot/, ["Picture"]);
    const picture = main.getByRole("img", { name: /^dot/ });
    await eventually("the picture is there", () => picture.evaluate(({ complete, naturalWidth }) => complete && naturalWidth > 0));
    await show(/^DICOM CT/, ["Scan image (DICOM)"]);
    const frame = main.getByRole("img", { name: "The scan's picture" });
    await frame.waitFor();
    await says(["CT scan", "14 Apr 2026", "16 × 16 pixels", "this is not a viewer for diagnosis"]);
    // Its pixels go from the darkest to the brightest.
    const greys = await eventually("the frame is drawn", () => frame.evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value > 0) && [data[0], data.at(-4), new Set(data).size];
    }));
    const [first, last, different] = greys;
    assert.ok(first < 10 && last > 245 && different > 100, greys.join());
  });

  await step("a letter is handed out as it came, and opens", async () => {
    // What the browser's own viewer is made of.
    patient.watch.allow(/chrome-extension:|^another server: chrome:|^failed: net::ERR_ABORTED blob:/);
    await show(/^Discharge letter/, ["Document", "Discharge letter", "2 Nov 2025"]);
    const { name, bytes } = await downloaded(page, () => main.getByRole("button", { name: /^Download Discharge letter/ }).click());
    assert.equal(name, "Discharge letter.pdf");
    assert.ok(bytes.equals(letter), "the letter is another one");
    await main.getByRole("button", { name: "Show the PDF" }).click();
    await main.getByTitle("Discharge letter", { exact: true }).waitFor();
    await eventually("the letter is in its frame", () => page.frames().some((frame) => frame.url().startsWith("blob:")));
  });

  await step("the emergency card is printed without what is around it, and its code says the same", async () => {
    await patient.go("/emergency");
    const code = page.getByRole("img", { name: "QR code with the words of this card" });
    await code.waitFor();
    for (const name of CARD.slice(2)) assert.ok(await page.getByRole("checkbox", { name, exact: true }).isChecked(), name);
    await audit(patient, "the emergency card");
    await page.evaluate(() => {
      globalThis.print = () => (globalThis.isPrinted = true);
    });
    await page.getByRole("button", { name: "Print", exact: true }).click();
    assert.ok(await page.evaluate(() => globalThis.isPrinted), "it is not printed");
    await page.emulateMedia({ media: "print" });
    for (const role of ["navigation", "button", "checkbox", "textbox"]) assert.equal(await page.getByRole(role).count(), 0, `a ${role} is printed`);
    const [printed, said] = [await main.innerText(), await saidBy(code)];
    for (const one of CARD) assert.ok(printed.includes(one) && said.includes(one), `${one}: ${printed}\n${said}`);
    await page.emulateMedia({ media: null });
  });
});

/** What a code says, by the pixels that are drawn of it. */
async function saidBy(code) {
  const picture = (await code.screenshot()).toString("base64");
  const { width, height, bright } = await code.page().evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, bright: Array.from({ length: width * height }, (_, at) => Number(data[4 * at] > 127)).join("") };
  }, picture);
  const data = Uint8Array.from([...bright].flatMap((one) => [255 * one, 255 * one, 255 * one, 255]));
  return decodeQR({ width, height, data }, { timeLimit: 10_000 });
}
