// A drug from its maker by way of a pharmacy into a patient's chart, and its recall. Nobody here has a wallet or any money.
import assert from "node:assert/strict";
import { addressOf, confirm, file, heading, makeKey, openChart, publish, requestLink, share } from "./acts.mjs";
import { audit } from "./audit.mjs";
import { downloaded, eventually, PHONE, story } from "./harness.mjs";

const GTIN = "09506000134352";
const LOT = "L2026";
const EXPIRY = "2031-06-30";
const SERIALS = Array.from({ length: 12 }, (_, number) => `SN-${String(number).padStart(4, "0")}`);
/** Of no package of the batch: a document stays where it is, and so does what it says. */
const DOCUMENT_SERIAL = "SN-DOC-77";
const EPCIS = file("epcis.json", "application/json", JSON.stringify({
  "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], type: "EPCISDocument", schemaVersion: "2.0",
  creationDate: "2026-05-03T10:00:00Z",
  epcisBody: {
    eventList: [{
      type: "ObjectEvent", eventTime: "2026-05-03T12:00:00+02:00", eventTimeZoneOffset: "+02:00", action: "ADD", bizStep: "commissioning",
      disposition: "active", epcList: [`https://id.gs1.org/01/${GTIN}/10/${LOT}/21/${DOCUMENT_SERIAL}`],
    }],
  },
}));
const scan = (serial, expiry = "310630") => `(01)${GTIN}(17)${expiry}(10)${LOT}(21)${serial}`;

await story("supply", async (stage, step) => {
  const maker = await stage.person("maker");
  const pharmacy = await stage.person("pharmacy");
  const patient = await stage.person("patient", { viewport: PHONE });
  for (const serial of [...SERIALS.slice(0, 3), DOCUMENT_SERIAL]) stage.secret(`serial ${serial}`, serial);
  let tickets;
  let salt;

  /** Chooses a document where one may be. */
  const choose = async (where) => {
    await where.getByLabel("EPCIS document").setInputFiles(EPCIS);
    await where.getByText("It is an EPCIS 2.0 document").waitFor();
  };
  const saveSalt = async (page, where) => {
    const { bytes } = await downloaded(page, () => where.getByRole("button", { name: "Save the salt" }).click());
    await where.getByText("Its salt is saved").waitFor();
    return bytes;
  };

  await step("a maker, a pharmacy and a patient", async () => {
    for (const person of [maker, pharmacy, patient]) await makeKey(person);
    await openChart(patient);
    await stage.credential(await addressOf(maker), "maker");
    await stage.credential(await addressOf(pharmacy), "organisation,provider,pharmacy");
    await publish(pharmacy);
    await share(patient, await requestLink(pharmacy));
  });

  await step("who is no maker is told before they fill in anything", async () => {
    await pharmacy.go("/supply/register");
    await pharmacy.page.getByText("This account is not registered as a maker.").waitFor();
  });

  await step("the maker registers a batch, and keeps its tickets", async () => {
    const { page } = maker;
    await maker.go("/supply/register");
    const make = page.getByRole("button", { name: "Make the tickets" });
    await make.click();
    await page.getByText("Write at least one serial.").waitFor();
    await page.getByRole("textbox", { name: "GTIN" }).fill("09506000134353");
    await page.getByRole("textbox", { name: "Lot" }).fill(LOT);
    await page.getByLabel("Last day of use").fill(EXPIRY);
    await page.getByRole("textbox", { name: "Serials" }).fill([...SERIALS, SERIALS[0]].join("\n"));
    await make.click();
    await page.getByText(/the GTIN.s last digit is 3/).waitFor();
    await page.getByRole("textbox", { name: "GTIN" }).fill(GTIN);
    await make.click();
    await page.getByText(/are the same; give each package its own/).waitFor();
    await page.getByRole("textbox", { name: "Serials" }).fill(SERIALS.join("\n"));
    await page.getByLabel("EPCIS document").setInputFiles(file("none.json", "application/json", "{}"));
    await page.getByText(/type is not EPCISDocument/).waitFor();
    await make.click();
    await page.getByText("Choose another document").waitFor();
    await audit(maker, "a batch that lacks something");
    await choose(page);
    salt = await saveSalt(page, page);
    const { bytes } = await downloaded(page, () => make.click());
    tickets = bytes.toString().trim().split("\n");
    assert.equal(tickets.length, SERIALS.length);
    assert.equal(await page.getByText("This account is not registered").count(), 0);
    await page.getByRole("button", { name: "Register it" }).click();
    await confirm(page, "Register it");
  });

  await step("the maker offers ten packages, and the pharmacy accepts", async () => {
    const { page } = maker;
    await maker.go("/supply/units");
    await page.getByRole("button", { name: "Offer Packages 0 to 11" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "To whom" }).fill(await addressOf(pharmacy));
    await dialog.getByRole("textbox", { name: "Last package" }).fill("12");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("Write numbers from 0 to 11").first().waitFor();
    await dialog.getByRole("textbox", { name: "Last package" }).fill("9");
    await choose(dialog);
    await saveSalt(page, dialog);
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Offer them");
    await page.getByText("Packages 0 to 9").waitFor();
    await audit(maker, "the maker's packages");
    await pharmacy.go("/supply/shipments");
    await pharmacy.page.getByRole("button", { name: /^Check a document of Shipment/ }).waitFor();
    await audit(pharmacy, "shipments");
    await pharmacy.page.getByRole("button", { name: /^Accept shipment/ }).click();
    const accepting = pharmacy.page.getByRole("dialog");
    await choose(accepting);
    assert.ok(await accepting.getByRole("button", { name: "Accept", exact: true }).isDisabled(), "its salt is not saved yet");
    await saveSalt(pharmacy.page, accepting);
    await confirm(pharmacy.page, "Accept");
    await pharmacy.page.getByText("Accepted", { exact: true }).waitFor();
    await pharmacy.go("/supply/units");
    await pharmacy.page.getByText("Packages 0 to 9").waitFor();
  });

  const check = async (person, serial, ticket, expiry) => {
    const { page } = person;
    await page.getByRole("textbox", { name: "What the scanner reads" }).fill(scan(serial, expiry));
    await page.getByRole("textbox", { name: "Ticket", exact: true }).fill(ticket);
    await page.getByRole("button", { name: "Check it" }).click();
  };

  await step("the pharmacy checks packages, and dispenses a genuine one into the chart", async () => {
    const { page } = pharmacy;
    await pharmacy.go("/supply");
    const verdict = page.getByRole("region", { name: "Verdict" });
    const false_ = JSON.parse(tickets[4]);
    await check(pharmacy, "SN-9999", JSON.stringify({ ...false_, serial: "SN-9999" }));
    await verdict.getByText("False: keep it aside and report it").waitFor();
    await check(pharmacy, SERIALS[5], tickets[4]);
    await page.getByText("there is no ticket of this package").waitFor();
    await check(pharmacy, SERIALS[3], tickets.join("\n"));
    await verdict.getByText("As it should be").waitFor();
    await page.getByRole("button", { name: "Where it comes from" }).click();
    await page.getByText("Sold", { exact: true }).waitFor();
    await audit(pharmacy, "a package and where it comes from");
    await page.getByRole("button", { name: "Check a document" }).click();
    const dialog = page.getByRole("dialog");
    const written = dialog.getByRole("textbox", { name: "Salt" });
    const compare = dialog.getByRole("button", { name: "Compare with the chain" });
    await dialog.getByLabel("Document", { exact: true }).setInputFiles(EPCIS);
    await written.fill(`0x${"12".repeat(32)}`);
    await compare.click();
    await dialog.getByText("This is none of the documents").waitFor();
    await dialog.getByLabel("Or the file that it was saved in").setInputFiles({ name: "epcis.salt.json", mimeType: "application/json", buffer: salt });
    await eventually("the salt is there", async () => (await written.inputValue()) === JSON.parse(salt).salt);
    await compare.click();
    await dialog.getByText("This is the document of: 1. Made").waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Dispense" }).click();
    await page.getByRole("dialog").getByLabel("Tell it to a chart").selectOption(patient.chart);
    await confirm(page, "Dispense it");
  });

  await step("the same package a second time is refused", async () => {
    const { page } = pharmacy;
    await check(pharmacy, SERIALS[3], tickets[3]);
    await page.getByRole("region", { name: "Verdict" }).getByText(/Stop|False/).waitFor();
    assert.equal(await page.getByRole("button", { name: "Dispense" }).count(), 0);
  });

  await step("the patient checks the package", async () => {
    const { page } = patient;
    await patient.go("/medicines");
    await check(patient, SERIALS[3], tickets[3]);
    await page.getByRole("region", { name: "Verdict" }).getByText("As it should be").waitFor();
    await page.getByRole("button", { name: "Look for recalls" }).click();
    await page.getByText("No package that your chart tells of was recalled.").waitFor();
  });

  await step("the maker recalls, and the patient's own client finds it", async () => {
    const { page } = maker;
    await maker.go("/supply/units");
    const batch = await page.getByText(/^0x[0-9a-f]{64}$/).first().textContent();
    await maker.go("/supply/recalls");
    await heading(page, "Nothing was ever recalled", 2);
    await page.getByRole("button", { name: "Recall packages" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Batch" }).fill("0x12");
    await dialog.getByRole("textbox", { name: "Last package" }).fill("5");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await dialog.getByText("This is not a batch's id").waitFor();
    await dialog.getByRole("textbox", { name: "Batch" }).fill(batch);
    await dialog.getByLabel("Class").selectOption("class-i");
    await dialog.getByLabel("Reason").selectOption("contaminated");
    await dialog.getByRole("button", { name: "Continue" }).click();
    await confirm(page, "Recall them");
    await page.getByText("Class I: may kill or do serious harm").waitFor();
    const { page: phone } = patient;
    await phone.getByRole("button", { name: "Look for recalls" }).click();
    await phone.getByText("1 package of yours recalled").waitFor();
    await phone.getByRole("link", { name: /Class I.*Contaminated/ }).waitFor();
    await audit(patient, "a package that was recalled");
    await check(pharmacy, SERIALS[5], tickets[5]);
    await pharmacy.page.getByRole("region", { name: "Verdict" }).getByText("Stop: do not sell").waitFor();
  });
});
