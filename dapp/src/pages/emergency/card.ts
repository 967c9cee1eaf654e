// What an emergency card can say, from the records that are open here. Pure: nothing is kept and nothing leaves the page.
import type { RecordDocument } from "../../core/core";
import { knownResource, summariseResource } from "../../fhir";
import { at, items, string, type Resource } from "../../fhir/json";
import { observed } from "../../fhir/summary";
import { concepts, day, personName } from "../../fhir/words";
import { text } from "../../text";

export type Part = "allergies" | "medications" | "conditions";

export interface Fact {
  /** Where it was found first; the same fact of several records is one. */
  id: string;
  part: Part;
  words: string;
  /** It belongs at the top. */
  grave: boolean;
}

export interface Findings {
  name: string;
  born: string;
  bloodGroup: string;
  languages: string;
  facts: Fact[];
}

export interface Contact {
  name: string;
  relation: string;
  phone: string;
}

export interface Card {
  name: string;
  born: string;
  bloodGroup: string;
  languages: string;
  allergies: string[];
  medications: string[];
  conditions: string[];
  contacts: Contact[];
  other: string;
}

/** ABO and Rh in one, and each alone. */
const BLOOD_GROUP = "882-1";
const ABO = "883-9";
const RH = "10331-7";

export function find(documents: readonly RecordDocument[]): Findings {
  const resources = documents
    .map((document) => knownResource(document))
    .filter((resource): resource is Resource => resource !== null && resource !== undefined);
  const facts = new Map<string, Fact>();
  for (const resource of resources) {
    const found = factOf(resource);
    if (found === null) continue;
    const id = `${found.part}:${found.words.toLowerCase()}`;
    if (!facts.has(id) || found.grave) facts.set(id, { ...found, id });
  }
  const patient = resources.find((resource) => resource.resourceType === "Patient");
  const ordered = [...facts.values()].sort((one, other) => Number(other.grave) - Number(one.grave) || one.words.localeCompare(other.words));
  return {
    name: personName(patient?.["name"]) ?? "",
    born: day(patient?.["birthDate"]) ?? "",
    bloodGroup: bloodGroup(resources),
    languages: concepts(items(patient?.["communication"]).map((one) => at(one, "language") ?? one)).join(", "),
    facts: ordered,
  };
}

function factOf(resource: Resource): Omit<Fact, "id"> | null {
  const { title } = summariseResource(resource);
  const state = code(resource["clinicalStatus"]);
  const certainty = code(resource["verificationStatus"]);
  if (certainty === "refuted" || certainty === "entered-in-error" || resource["status"] === "entered-in-error") return null;
  switch (resource.resourceType) {
    case "AllergyIntolerance": {
      if (state === "inactive" || state === "resolved") return null;
      const reaction = concepts(items(resource["reaction"]).flatMap((one) => items(at(one, "manifestation"))));
      const grave = resource["criticality"] === "high" || items(resource["reaction"]).some((one) => at(one, "severity") === "severe");
      const said = reaction.length === 0 ? title : text.emergency.withReaction(title, reaction.join(", ").toLowerCase());
      return { part: "allergies", words: grave ? text.emergency.grave(said) : said, grave };
    }
    case "MedicationRequest":
    case "MedicationStatement":
      return resource["status"] === "active" || resource["status"] === "recorded"
        ? { part: "medications", words: title, grave: false }
        : null;
    case "Condition":
      return state === "active" || state === "recurrence" || state === "relapse"
        ? { part: "conditions", words: title, grave: false }
        : null;
    default:
      return null;
  }
}

function code(value: Resource[string] | undefined): string | undefined {
  return string(at(value, "coding", "code"));
}

function bloodGroup(resources: Resource[]): string {
  const latest = (wanted: string) =>
    resources
      .filter(
        (one) =>
          one.resourceType === "Observation" &&
          one["status"] !== "entered-in-error" &&
          items(at(one, "code", "coding")).some((coding) => at(coding, "code") === wanted),
      )
      .sort((one, other) => (string(other["effectiveDateTime"]) ?? "").localeCompare(string(one["effectiveDateTime"]) ?? ""))
      .map((one) => observed(one))
      .find((value) => value !== undefined);
  return latest(BLOOD_GROUP) ?? [latest(ABO), latest(RH)].filter((part) => part !== undefined).join(" ");
}

/** The lines of a card: what is printed, and what the QR code holds. */
export function cardText(card: Card, today: string): string {
  const words = text.emergency;
  const lines = [
    words.cardTitle.toUpperCase(),
    [card.name, card.born === "" ? "" : words.bornOn(card.born)].filter(Boolean).join(", "),
    line(words.bloodGroup, card.bloodGroup),
    line(words.allergies, card.allergies.join("; ") || words.noneChosen),
    line(words.medications, card.medications.join("; ")),
    line(words.conditions, card.conditions.join("; ")),
    line(words.other, card.other.trim()),
    line(words.languages, card.languages),
    ...card.contacts.filter(isContact).map((contact) => line(words.call, contactText(contact))),
    words.asOf(today),
  ];
  return lines.filter((one) => one !== "").join("\n");
}

export function isContact(contact: Contact): boolean {
  return contact.name.trim() !== "" || contact.phone.trim() !== "";
}

export function contactText({ name, relation, phone }: Contact): string {
  return [name.trim(), relation.trim() === "" ? "" : `(${relation.trim()})`, phone.trim()].filter(Boolean).join(" ");
}

function line(label: string, value: string): string {
  return value === "" ? "" : `${label}: ${value}`;
}
