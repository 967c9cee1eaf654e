// The whole story, by clicking: a patient, a clinic and an insurer, each in a browser of their own.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import {
  add, addressOf, confirm, CT, DOT, file, heading, LETTER, makeKey, openChart, openRecord, paysItself, publish, records, requestLink, share,
  smallBundle, unlock,
} from "./acts.mjs";
import { downloaded, eventually, PHONE, story } from "./harness.mjs";

const bundle = await smallBundle();
const resources = bundle.entry.map(({ resource }) => resource);
const [patientResource, allergy] = resources;
const { family } = patientResource.name[0];
const substance = allergy.code.text ?? allergy.code.coding[0].display;
const NOTE = { title: "Follow-up visit", text: "Sleeps well since the change of formula.", amended: "Sleeps well, and gained 300 g." };
/** By what their titles begin with. */
const FILES = [
  [/^letter/, file("letter.pdf", "application/pdf", await readFile(LETTER))], [/^dot/, DOT],
  [/^DICOM CT/, file("ct.dcm", "application/dicom", await readFile(CT))],
];

await story("story", async (stage, step) => {
  const patient = await stage.person("patient", { viewport: PHONE, hasTouch: true });
  const clinic = await stage.person("clinic");
  const insurer = await stage.person("insurer");
  stage.secret("the patient's name", family);
  stage.secret("the allergy", substance);
  stage.secret("a note", NOTE.text);
  stage.secret("an amended note", NOTE.amended);
  await paysItself(clinic);

  await step("three people make their keys, and write down their words", async () => {
    for (const person of [patient, clinic, insurer]) await makeKey(person);
  });

  await step("the patient opens a chart", () => openChart(patient));

  await step("clinic and insurer are credentialed, and publish their keys", async () => {
    await stage.fund(await addressOf(clinic));
    await stage.credential(await addressOf(clinic), "organisation,provider");
    await stage.credential(await addressOf(insurer), "insurer");
    await publish(clinic);
    await publish(insurer);
  });

  await step("the patient imports a bundle, a letter, a picture and a scan", async () => {
    await add(patient, [file("infant.json", "application/fhir+json", JSON.stringify(bundle))]);
    await add(patient, FILES.map(([, one]) => one));
  });

  await step("the patient finds them by date and by category", async () => {
    await records(patient);
    const main = patient.page.getByRole("main");
    await main.getByText("8 records").waitFor();
    await main.getByRole("tab", { name: "By category" }).click();
    const categories = ["About you", "Allergies", "Conditions", "Vaccinations", "Documents", "Scans and images"];
    for (const name of categories) await heading(patient.page, name, 2);
    await main.getByRole("searchbox", { name: "Search records" }).fill(substance.split(" ")[0]);
    await main.getByText("1 of 8 records").waitFor();
  });

  await step("a record's page is for people", async () => {
    await openRecord(patient, substance);
    const shown = await patient.page.getByRole("main").innerText();
    assert.ok(shown.includes(substance), shown);
    assert.ok(!/[{}]|resourceType/.test(shown), shown);
    await patient.page.getByText("Technical details").click();
    await patient.page.getByText('"resourceType"').waitFor();
  });

  await step("the patient shares with the clinic, by the clinic's link", async () => {
    const link = await requestLink(clinic);
    await share(patient, link, async (page) => {
      await page.getByText("They ask for this").waitFor();
      await page.getByText("Confirmed by the register").waitFor();
    });
    await patient.page.getByRole("heading", { name: "clinic" }).waitFor();
    const kept = await eventually("the clinic's name is kept", () =>
      patient.page.evaluate(() => {
        const place = Object.keys(localStorage).find((key) => key.startsWith("medlock.own.names."));
        return place && localStorage.getItem(place);
      }));
    assert.match(kept, /^0x[0-9a-f]{400,}$/);
    assert.ok(!kept.includes(Buffer.from("clinic").toString("hex")), "what people are called is kept as it is");
    // The next page has it from there.
    await patient.reload();
    await unlock(patient);
    await patient.go("/shares");
    await patient.page.getByRole("heading", { name: "clinic" }).waitFor();
  });

  await step("the clinic opens the chart, and gets the bytes that were imported", async () => {
    const { page } = clinic;
    await clinic.go("/provider");
    await page.getByRole("link", { name: /^Patient 0x/ }).click();
    await page.getByRole("button", { name: "Open all 8" }).click();
    const received = async (title) => {
      await openRecord(clinic, title);
      const { bytes } = await downloaded(page, () => page.getByRole("button", { name: "Download", exact: true }).click());
      await page.goBack();
      return bytes;
    };
    assert.deepEqual(JSON.parse(await received(substance)), allergy);
    for (const [title, { name, buffer }] of FILES) assert.ok((await received(title)).equals(buffer), `${name} is another one`);
  });

  await step("the clinic, which pays its own fees, writes a note and amends it", async () => {
    const { page } = clinic;
    await clinic.go(`/provider/chart/${patient.chart}/new`);
    await page.getByRole("textbox", { name: "Title" }).fill(NOTE.title);
    await page.getByRole("textbox", { name: "Text" }).fill(NOTE.text);
    await page.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Add to the chart");
    await page.getByRole("link", { name: "Back to the chart" }).click();
    await page.getByRole("button", { name: "Open 1 in Documents" }).click();
    await openRecord(clinic, NOTE.title);
    await page.getByRole("button", { name: "Correct this record" }).click();
    const dialog = page.getByRole("dialog");
    assert.equal(await dialog.getByRole("textbox", { name: "Text" }).inputValue(), NOTE.text);
    await dialog.getByRole("textbox", { name: "Text" }).fill(NOTE.amended);
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Correct this record");
    await page.getByText(NOTE.amended).waitFor();
  });

  await step("the patient sees the note, in both versions", async () => {
    const { page } = patient;
    await records(patient);
    await openRecord(patient, NOTE.title);
    await page.getByText(NOTE.amended).waitFor();
    await page.getByRole("button", { name: "Version 1" }).click();
    await page.getByText(NOTE.text).waitFor();
  });

  await step("the patient sees each of the clinic's reads, proven", async () => {
    const { page } = patient;
    await patient.go("/log");
    await heading(page, "Who looked");
    const entries = page.getByRole("main").getByRole("listitem");
    await entries.filter({ hasText: NOTE.title }).first().waitFor();
    const shown = await entries.allInnerTexts();
    assert.ok(shown.length >= 9, `${shown.length} reads of nine or more`);
    for (const one of shown) assert.match(one, /^clinic[^]*Treatment[^]*Proven/, one);
    for (const title of [substance, NOTE.title]) assert.ok(shown.some((one) => one.includes(title)), `a read of ${title}`);
  });

  const ask = async () => {
    const { page } = insurer;
    await insurer.go("/insurer");
    await page.getByRole("textbox", { name: "Chart" }).fill(patient.chart);
    await page.getByLabel("Category").selectOption("Bills and insurance");
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await page.getByRole("region", { name: "Answer" }).waitFor();
    return page.getByRole("region", { name: "Answer" }).innerText();
  };

  await step("the insurer asks, and is told no", async () => assert.match(await ask(), /^No\n/));

  await step("the patient shares bills with the insurer, for payment", async () => {
    const link = await requestLink(insurer, { only: ["Bills and insurance"], days: "30" });
    await share(patient, link, async (page) => {
      await page.getByRole("checkbox", { name: /^Treatment/ }).uncheck();
      await page.getByRole("checkbox", { name: /^Payment/ }).check();
      await page.getByRole("checkbox", { name: /^Add records/ }).uncheck();
    });
  });

  await step("the insurer asks, is told yes with a proof, and everybody can check it", async () => {
    const said = await ask();
    assert.match(said, /^Yes/);
    assert.match(said, /Proven by the chain/);
    const { name, path } = await downloaded(insurer.page, () => insurer.page.getByRole("button", { name: "Download verdict.json" }).click());
    assert.equal(name, "verdict.json");
    assert.match(await stage.medlock("verify", path, "--proved"), /yes/i);
    await insurer.go("/insurer/check");
    await insurer.page.getByLabel("Choose verdict.json").setInputFiles(path);
    await insurer.page.getByRole("button", { name: "Check", exact: true }).click();
    await insurer.page.getByText("The verdict holds").waitFor();
  });

  await step("the patient stops the insurer, who is told no from then on", async () => {
    const { page } = patient;
    await patient.go("/shares");
    await page.getByRole("button", { name: "Stop sharing with insurer" }).click();
    const said = await confirm(page, "Stop sharing");
    assert.match(said, /They can open nothing any more/);
    assert.match(said, /1 other share was given the new keys/);
    assert.match(await ask(), /^No\n/);
  });

  await step("the patient stops everything while the clinic has a record open, whose page says so by itself and shows it no more", async () => {
    const { page } = clinic;
    await clinic.go(`/provider/chart/${patient.chart}`);
    await openRecord(clinic, substance);
    await page.getByRole("main").getByText(substance).first().waitFor();
    await patient.page.getByRole("button", { name: "Stop everything" }).click();
    const said = await confirm(patient.page, "Stop everything", "stop");
    assert.match(said, /Nobody but you can open your records/);
    await page.getByText("This chart is not shared with you any more").waitFor();
    assert.ok(!(await page.content()).includes(substance), "it is shown still");
    await clinic.go("/provider");
    await heading(page, "Nobody shares records with you yet", 2);
    await heading(patient.page, "You share with nobody", 2);
  });

  await step("the developer's page has our events", async () => {
    const { page } = insurer;
    await insurer.go("/developer/events");
    await page.getByRole("textbox", { name: "Chart" }).fill(patient.chart);
    for (const name of ["Granted", "Revoked", "AllRevoked"]) await page.getByRole("heading", { name, level: 2, exact: true }).first().waitFor();
  });

  await step("the patient takes everything out, as it went in", async () => {
    const { page } = patient;
    await patient.go("/export");
    await page.getByRole("button", { name: "Make the file" }).click();
    await page.getByText("The file is ready.").waitFor();
    const { bytes } = await downloaded(page, () => page.getByRole("button", { name: "Save the file" }).click());
    const exported = JSON.parse(bytes).entry.map(({ resource }) => resource);
    for (const resource of resources) {
      assert.deepEqual(exported.find(({ id }) => id === resource.id), resource, resource.resourceType);
    }
    const attached = exported.flatMap(({ content = [] }) => content.map(({ attachment }) => attachment.data));
    for (const [, { name, buffer }] of FILES) assert.ok(attached.includes(buffer.toString("base64")), `${name} is in it, and whole`);
  });

  await step("the patient, who pays for nothing, deletes one record", async () => {
    const { page } = patient;
    await records(patient);
    await openRecord(patient, /^dot/);
    await page.getByRole("button", { name: "Delete" }).click();
    const said = await confirm(page, "Delete for ever", "delete");
    assert.match(said, /It is gone|Nobody can ask for it any more/);
    await records(patient);
    await page.getByRole("link", { name: NOTE.title }).waitFor();
    assert.equal(await page.getByRole("link", { name: /^dot/ }).count(), 0);
  });

  await step("the emergency card has the allergy", async () => {
    const { page } = patient;
    await patient.go("/emergency");
    await page.getByRole("checkbox", { name: substance }).waitFor();
    await page.getByRole("img", { name: "QR code with the words of this card" }).waitFor();
    assert.match(await page.getByRole("main").innerText(), new RegExp(`Allergies ${substance}`));
  });

  await step("the patient deletes everything, and nothing is left but who looked", async () => {
    const { page } = patient;
    await patient.go("/export");
    await page.getByRole("button", { name: "Delete everything" }).click();
    const asked = await page.getByRole("dialog").innerText();
    const [all] = /\d+ records(?= of this chart will be deleted for ever)/.exec(asked) ?? assert.fail(asked);
    const said = await confirm(page, "Delete everything", "delete everything");
    assert.ok(said.includes(`${all} deleted.`), said);
    // Nothing of what this page remembers.
    await patient.reload();
    await unlock(patient);
    await records(patient);
    await heading(page, "Your chart is empty", 2);
    await patient.go("/log");
    await page.getByRole("main").getByRole("listitem").filter({ hasText: "clinic" }).first().waitFor();
    const shown = await page.getByRole("main").innerText();
    for (const title of [substance, NOTE.title]) assert.ok(!shown.includes(title), title);
  });
});
