// People who work for a clinic, which insures people as well, and an emergency: nobody here has a wallet or any money.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import {
  add, addressOf, confirm, copied, file, heading, makeKey, openChart, openRecord, publish, records, requestLink, share, smallBundle,
} from "./acts.mjs";
import { audit } from "./audit.mjs";
import { downloaded, eventually, PHONE, story } from "./harness.mjs";

/** As the contracts' build writes them. */
const INTERFACES = new URL("../../contracts/abi/generated/", import.meta.url);
const bundle = await smallBundle();
const [, allergy] = bundle.entry.map(({ resource }) => resource);
const substance = allergy.code.text ?? allergy.code.coding[0].display;
const NOTE = { title: "Night shift", text: "Slept from ten to six without waking." };

await story("work", async (stage, step) => {
  const patient = await stage.person("patient", { viewport: PHONE });
  const clinic = await stage.person("clinic");
  const nurse = await stage.person("nurse", { viewport: PHONE });
  const doctor = await stage.person("doctor");
  stage.secret("the allergy", substance);
  stage.secret("a note", NOTE.text);
  let address;

  await step("a patient, a clinic, its nurse, and a doctor from elsewhere", async () => {
    for (const person of [patient, clinic, nurse, doctor]) await makeKey(person);
    await openChart(patient);
    await add(patient, [file("infant.json", "application/fhir+json", JSON.stringify(bundle))]);
    await stage.credential(await addressOf(clinic), "organisation,provider,insurer");
    await stage.credential(await addressOf(doctor), "practitioner,provider");
    for (const person of [clinic, nurse, doctor]) await publish(person);
    const link = await requestLink(clinic, { days: "7" });
    await share(patient, link, (page) => page.getByRole("checkbox", { name: /^Payment/ }).check());
    address = await addressOf(nurse);
  });

  await step("the clinic's work list has what is new until it is seen, and the share that ends soon", async () => {
    const { page } = clinic;
    const items = page.getByRole("main").getByRole("listitem");
    await clinic.go("/provider/work");
    const news = items.filter({ hasText: "5 new records: About you 1, Allergies 1, Conditions 1, Measurements 1, Vaccinations 1" });
    await eventually("the chart is on the list", async () => {
      await page.getByRole("button", { name: "Refresh" }).click();
      return news.isVisible();
    });
    await items.filter({ hasText: "Ends soon" }).getByRole("link", { name: /^Patient 0x/ }).waitFor();
    await audit(clinic, "a work list");
    await news.getByRole("button", { name: "Mark as seen" }).click();
    await heading(page, "Nothing new", 2);
  });

  let verdicts;

  await step("the insurer asks a file of questions, and takes the answers along", async () => {
    const { page } = clinic;
    const { chart } = patient;
    const lines = ["chart,category,purpose,action,at", `${chart},claims,HPAYMT,read,`, `${chart},labs,HRESCH,,now`, `0x${"ab".repeat(32)},claims,,,`];
    await clinic.go("/insurer/many");
    await page.getByLabel("Choose a file").setInputFiles(file("questions.csv", "text/csv", lines.join("\n")));
    await page.getByRole("checkbox", { name: /^Ask for a proof of each yes/ }).check();
    await page.getByRole("button", { name: "Ask 3 questions" }).click();
    await page.getByText("1 yes, 2 no").waitFor();
    const [, yes, no, unknown, ...more] = await page.getByRole("region", { name: "Answers" }).getByRole("row").allInnerTexts();
    assert.deepEqual(more, []);
    assert.match(yes, /^2\s+Yes\s+The patient has shared this category with you for this purpose\./);
    assert.match(yes, /Bills and insurance\s+Payment[^]*Proven by the chain/);
    assert.match(no, /^3\s+No\s+The patient shares this with you, but not for this purpose\.[^]*Lab results\s+Research/);
    assert.match(unknown, /^4\s+No\s+There is no such share with you\./);
    await audit(clinic, "answers to a file of questions");
    const table = await downloaded(page, () => page.getByRole("button", { name: "Download as CSV" }).click());
    assert.deepEqual(allowed(table), ["yes", "no", "no"]);
    const { bytes } = await downloaded(page, () => page.getByRole("button", { name: "Download the signed verdicts" }).click());
    verdicts = JSON.parse(bytes);
    assert.deepEqual(verdicts.map(({ verdict }) => verdict.allowed), [true, false, false]);
  });

  await step("the insurer's history has them whole, the newest first, to take along and to check again", async () => {
    const { page } = clinic;
    await clinic.go("/insurer/history");
    const entries = page.getByRole("main").getByRole("listitem").filter({ has: page.getByRole("button", { name: /^Open:/ }) });
    await entries.nth(verdicts.length - 1).waitFor();
    assert.equal(await entries.count(), verdicts.length);
    const table = await downloaded(page, () => page.getByRole("button", { name: "Download as CSV" }).click());
    assert.deepEqual(allowed(table), ["no", "no", "yes"]);
    const { bytes } = await downloaded(page, () => page.getByRole("button", { name: "Download the signed verdicts" }).click());
    assert.deepEqual(JSON.parse(bytes), verdicts.toReversed());
    await entries.last().getByRole("button", { name: /^Open: Bills and insurance/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Check again" }).click();
    await dialog.getByText("Its proof was checked against the chain.").waitFor();
    await audit(clinic, "a verdict of the history");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  await step("verdicts that were taken along are checked, and one that was changed is found", async () => {
    const { page } = clinic;
    await clinic.go("/insurer/check");
    const check = async (name, content) => {
      await page.getByLabel(/^Choose verdict/).setInputFiles(file(name, "application/json", JSON.stringify(content)));
      await page.getByRole("button", { name: "Check", exact: true }).click();
    };
    const [yes, no, other] = verdicts;
    await check("verdicts.json", [yes, { ...no, verdict: { ...no.verdict, allowed: true } }, other]);
    await page.getByText("2 hold, 1 do not").waitFor();
    const rows = await page.getByRole("region", { name: "Results" }).getByRole("row").allInnerTexts();
    assert.deepEqual(rows.slice(1).map((row) => /Holds|Does not hold/.exec(row)?.[0]), ["Holds", "Does not hold", "Holds"]);
    await check("verdict.json", yes);
    await page.getByText("The verdict holds").waitFor();
    await page.getByText("It was signed by the gateway of this site.").waitFor();
    await page.getByText("Its proof was checked against the chain.").waitFor();
  });

  await step("who builds on it takes each contract's interface along, and reads the gateway's", async () => {
    const { page, context } = clinic;
    await clinic.go("/developer");
    const names = (await readdir(INTERFACES)).filter((name) => name.endsWith(".json"));
    const buttons = page.getByRole("button", { name: /^Download ABI: I/ });
    await buttons.first().waitFor();
    assert.equal(await buttons.count(), names.length);
    for (const name of names) {
      const button = page.getByRole("button", { name: `Download ABI: ${name.replace(/\.json$/, "")}`, exact: true });
      const got = await downloaded(page, () => button.click());
      assert.equal(got.name, name);
      assert.deepEqual(JSON.parse(got.bytes), JSON.parse(await readFile(new URL(name, INTERFACES))));
    }
    const documentation = await page.getByRole("link", { name: "Documentation" }).getAttribute("href");
    const docs = await context.newPage();
    await docs.goto(new URL(documentation, stage.gateway).href);
    await heading(docs, /^Medlock gateway \d/);
    const blocks = docs.getByText("POST /v1/blocks").first();
    await blocks.waitFor();
    await docs.getByRole("searchbox", { name: "Filter" }).fill("/v1/decisions");
    await blocks.waitFor({ state: "hidden" });
    await docs.getByText("POST /v1/decisions").first().click();
    await heading(docs, "Answers", 4);
    await docs.close();
    await page.bringToFront();
  });

  await step("the clinic makes the nurse a member", async () => {
    const { page } = clinic;
    await clinic.go("/provider/organisation");
    await page.getByRole("button", { name: "Add a member" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("This is not an address").waitFor();
    await dialog.getByRole("textbox", { name: "Address of the member" }).fill(address);
    await dialog.getByRole("textbox", { name: /^Name/ }).fill("Nurse Joy");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Add");
    await page.getByText("Can work").waitFor();
  });

  await step("the nurse reads and writes for the clinic", async () => {
    const { page } = nurse;
    await nurse.go("/provider");
    await heading(page, "Nobody shares records with you yet", 2);
    await nurse.go("/provider/organisation");
    await page.getByRole("radio", { name: /^Organisation 0x/ }).click();
    await page.getByText("You work for").waitFor();
    await nurse.go("/provider");
    await page.getByRole("link", { name: /^Patient 0x/ }).click();
    await page.getByRole("button", { name: /^Open all/ }).click();
    await page.getByRole("link", { name: substance }).waitFor();
    await nurse.go(`/provider/chart/${patient.chart}/new`);
    await page.getByRole("textbox", { name: "Title" }).fill(NOTE.title);
    await page.getByRole("textbox", { name: "Text" }).fill(NOTE.text);
    await page.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Add to the chart");
  });

  await step("the patient sees the note, and who looked for whom", async () => {
    const { page } = patient;
    await records(patient);
    await page.getByRole("main").getByRole("link", { name: NOTE.title }).waitFor();
    await patient.go("/log");
    const entry = page.getByRole("listitem").filter({ hasText: address }).first();
    await entry.waitFor();
    const said = await entry.innerText();
    assert.ok(said.includes("for"), said);
    assert.ok(said.includes((await addressOf(clinic)).toLowerCase()), said);
    assert.ok(/Proven/.test(said), said);
    await audit(patient, "who looked");
  });

  await step("the nurse marks the note as a mistake, and the patient sees the mark", async () => {
    const { page } = nurse;
    const mark = "Marked as wrong by its author";
    const marked = ({ page }) => eventually("the mark is in the list", async () => {
      await page.getByRole("button", { name: "Look for new records" }).click();
      return page.getByText(mark).isVisible();
    });
    await page.getByRole("link", { name: "Back to the chart" }).click();
    await page.getByRole("button", { name: "Open 1 in Documents" }).click();
    await openRecord(nurse, NOTE.title);
    await page.getByRole("button", { name: "Mark as a mistake" }).click();
    await confirm(page, "Mark as a mistake");
    await nurse.go(`/provider/chart/${patient.chart}`);
    await marked(nurse);
    await openRecord(nurse, NOTE.title);
    await page.getByText("This was marked as entered by mistake.").waitFor();
    for (const name of ["Mark as a mistake", "Correct this record"]) assert.equal(await page.getByRole("button", { name }).count(), 0, name);
    await audit(nurse, "a record that is a mistake");
    await records(patient);
    await marked(patient);
    await openRecord(patient, NOTE.title);
    await patient.page.getByText(mark).waitFor();
  });

  await step("a member who was removed opens nothing more", async () => {
    const { page } = clinic;
    await clinic.go("/provider/organisation");
    await page.getByRole("button", { name: "Remove Nurse Joy" }).click();
    // The nurse's page finds out by itself.
    await nurse.watch.during(/status of 40[34]/, async () => {
      await confirm(page, "Remove");
      await page.getByText("Can work").waitFor({ state: "detached" });
      await eventually("the nurse is refused", async () => {
        await nurse.go("/provider/work");
        await nurse.go("/provider");
        const main = nurse.page.getByRole("main");
        // What it says, it says once it has asked.
        await main.getByText(/This was refused|Patient 0x|Nobody shares/).first().waitFor();
        const shown = await main.innerText();
        return /member|refus|not shared/i.test(shown) && !/^Patient 0x/m.test(shown);
      });
      await nurse.page.getByRole("button", { name: "Work for myself" }).click();
      await heading(nurse.page, "Nobody shares records with you yet", 2);
    });
  });

  await step("the patient allows emergency access", async () => {
    const { page } = patient;
    await patient.go("/emergency/access");
    await page.getByRole("button", { name: "Allow emergency access" }).click();
    await confirm(page, "Allow emergency access");
    await heading(page, "Emergency access is allowed", 2);
    patient.card = await copied(patient, page.getByRole("button", { name: "Copy the link" }));
    assert.ok(patient.card.endsWith(`#/provider/emergency?chart=${patient.chart}`), patient.card);
  });

  await step("the doctor breaks the glass, and reads", async () => {
    const { page } = doctor;
    await doctor.go("/provider/emergency");
    const field = page.getByRole("textbox", { name: "Chart" });
    await field.fill("0x12");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("No chart's id was found").waitFor();
    await field.fill(patient.card);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("The patient sees it").waitFor();
    await page.getByRole("button", { name: "Break the glass" }).click();
    await page.getByText("Choose a reason.").waitFor();
    await page.getByRole("radio", { name: "Life or limb is in danger" }).check();
    await page.getByRole("button", { name: "Break the glass" }).click();
    await confirm(page, "Break the glass", "emergency");
    // A keyring is asked for first, which who has no share is refused.
    await doctor.watch.during(/status of 40[34]/, async () => {
      await page.getByRole("button", { name: /^Open all/ }).click();
      await page.getByRole("link", { name: substance }).waitFor();
    });
  });

  await step("the patient is told, sees what was opened, and ends it", async () => {
    const { page } = patient;
    await records(patient);
    await page.getByText("Emergency access was used").waitFor();
    await page.getByRole("link", { name: "Look at it" }).click();
    await page.getByText("Life or limb is in danger").waitFor();
    await audit(patient, "an emergency that was used");
    await page.getByRole("button", { name: /^End it: the emergency access of/ }).click();
    await confirm(page, "End it");
    await page.getByText("Over", { exact: true }).waitFor();
    await patient.go("/log");
    await page.getByText("Emergency access, without asking you").first().waitFor();
  });

  await step("the doctor opens nothing more", async () => {
    const { page } = doctor;
    await doctor.watch.during(/status of 40[34]/, () => eventually("it is over for the doctor too", async () => {
      await doctor.go("/provider");
      await doctor.go(`/provider/chart/${patient.chart}`);
      await page.getByRole("main").waitFor();
      return (await page.getByRole("main").innerText()).includes("not shared with you");
    }));
  });
});

/** What a table of answers says to each question. */
function allowed({ bytes }) {
  const [head, ...lines] = bytes.toString().trim().split("\r\n").map((line) => line.slice(1, -1).split('","'));
  return lines.map((cells) => cells[head.indexOf("allowed")]);
}
