// People who work for a clinic, and an emergency: nobody here has a wallet or any money.
import assert from "node:assert/strict";
import { add, addressOf, confirm, copied, file, heading, makeKey, openChart, publish, records, requestLink, share, smallBundle } from "./acts.mjs";
import { eventually, PHONE, story } from "./harness.mjs";

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
    await stage.credential(await addressOf(clinic), "organisation,provider");
    await stage.credential(await addressOf(doctor), "practitioner,provider");
    for (const person of [clinic, nurse, doctor]) await publish(person);
    await share(patient, await requestLink(clinic));
    address = await addressOf(nurse);
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
  });

  await step("a member who was removed opens nothing more", async () => {
    const { page } = clinic;
    await clinic.go("/provider/organisation");
    await page.getByRole("button", { name: "Remove Nurse Joy" }).click();
    await confirm(page, "Remove");
    await page.getByText("Can work").waitFor({ state: "detached" });
    nurse.watch.allow(/40[34]/);
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
    await page.getByRole("button", { name: /^Open all/ }).click();
    await page.getByRole("link", { name: substance }).waitFor();
  });

  await step("the patient is told, sees what was opened, and ends it", async () => {
    const { page } = patient;
    await records(patient);
    await page.getByText("Emergency access was used").waitFor();
    await page.getByRole("link", { name: "Look at it" }).click();
    await page.getByText("Life or limb is in danger").waitFor();
    await page.getByRole("button", { name: /^End the emergency access of/ }).click();
    await confirm(page, "End it");
    await page.getByText("Over", { exact: true }).waitFor();
    await patient.go("/log");
    await page.getByText("Emergency access, without asking you").first().waitFor();
  });

  await step("the doctor opens nothing more", async () => {
    doctor.watch.allow(/40[34]/);
    const { page } = doctor;
    await eventually("it is over for the doctor too", async () => {
      await doctor.go("/provider");
      await doctor.go(`/provider/chart/${patient.chart}`);
      await page.getByRole("main").waitFor();
      return (await page.getByRole("main").innerText()).includes("not shared with you");
    });
  });
});
