// One record in a list: what it is, in a line or two that people read.
import type { RecordDocument } from "../core/core";
import { own } from "../own";
import { text } from "../text";
import { categoryName } from "./categories";
import { at, isResource, items, number, string, type Maybe, type Resource } from "./json";
import { knownResource } from "./resource";
import {
  amount,
  clinicalDate,
  concept,
  concepts,
  dosage,
  isOpaque,
  listed,
  money,
  personName,
  properName,
  quantity,
  spaced,
  status,
  tidy,
  unit,
  valueOf,
} from "./words";

export interface Summary {
  title: string;
  /** The one fact that matters most beside the title; may be empty. */
  subtitle: string;
  category: string;
  /** FHIR date or dateTime. */
  date: string | null;
  /** "Lab result", "Vaccination": what sort of thing it is. */
  kind: string;
}

/** From the metadata alone, until `loadResource` has parsed the content; then from that. */
export function summarise(document: RecordDocument): Summary {
  const category = categoryName(document.compartment);
  const resource = knownResource(document);
  if (resource !== null && resource !== undefined) {
    try {
      const { title, subtitle, kind } = summariseResource(resource);
      return { title, subtitle, category, date: clinicalDate(resource) ?? document.metadata.date, kind };
    } catch {
      // Lists ask for all of their records at once: one that is broken must not take the others with it.
    }
  }
  const { mediaType, resourceType, title, date } = document.metadata;
  const kind = resourceType === null ? fileKind(mediaType) : kindOf(resourceType);
  // What a file is called stays as it is.
  const known = title === null || title.trim() === "" || isOpaque(title) ? kind : resourceType === null ? title.trim() : tidy(title);
  return { title: known, subtitle: known === kind ? "" : kind, category, date, kind };
}

export function kindOf(resourceType: string): string {
  return own(text.fhir.kinds, resourceType) ?? spaced(resourceType);
}

function fileKind(mediaType: string): string {
  const { files } = text.fhir;
  if (mediaType.startsWith("image/")) return files.image;
  if (mediaType.startsWith("text/")) return files.text;
  switch (mediaType.split(";")[0]) {
    case "application/pdf":
      return files.pdf;
    case "application/dicom":
      return files.dicom;
    case "application/hl7-v2":
      return files.hl7v2;
    default:
      return files.other;
  }
}

export function summariseResource(resource: Resource): { title: string; subtitle: string; kind: string } {
  const measured =
    resource.resourceType === "Observation" && items(resource["category"]).some((one) => at(one, "coding", "code") === "vital-signs");
  const kind = measured ? text.fhir.measurement : kindOf(resource.resourceType);
  const { title, subtitle } = facts(resource);
  const shown = title === undefined || title === "" || isOpaque(title) ? kind : title;
  return { title: shown, subtitle: subtitle ?? (shown === kind ? "" : kind), kind };
}

/** Who or what a Reference is, where it says so itself. */
function display(reference: Maybe): string | undefined {
  const words = string(at(reference, "display"));
  return words === undefined || isOpaque(words) ? undefined : properName(words);
}

/** The medication of any of the medication resources, R4 or R5. */
export function medication(resource: Resource): string | undefined {
  const named = concept(resource["medicationCodeableConcept"]) ?? concept(at(resource, "medication", "concept"));
  const reference = resource["medicationReference"] ?? at(resource, "medication", "reference");
  if (named !== undefined) return named;
  const name = string(at(reference, "reference"));
  const contained = items(resource["contained"])
    .filter(isResource)
    .find((one) => name === `#${String(one["id"])}`);
  return (contained === undefined ? undefined : concept(contained["code"])) ?? display(reference);
}

/** "118/76 mmHg" of a blood pressure, else its components or value. */
export function observed(resource: Resource): string | undefined {
  const own = valueOf(resource);
  if (own !== undefined) return own;
  const parts = items(resource["component"]);
  const pressure = ["8480-6", "8462-4"].map((wanted) =>
    parts.find((part) => items(at(part, "code", "coding")).some((coding) => at(coding, "code") === wanted)),
  );
  const [systolic, diastolic] = pressure.map((part) => number(at(part, "valueQuantity", "value")));
  if (systolic !== undefined && diastolic !== undefined) {
    return `${amount(Math.round(systolic))}/${amount(Math.round(diastolic))} ${unit(at(pressure[0], "valueQuantity"))}`;
  }
  const values = parts.flatMap((part) => {
    const [name, value] = [concept(at(part, "code")), valueOf(part)];
    return name === undefined || value === undefined ? [] : [`${name} ${value}`];
  });
  return values.length === 0 ? concept(resource["dataAbsentReason"]) : values.join(", ");
}

/** Total of a Claim, or of an ExplanationOfBenefit by the category of amount. */
export function total(resource: Resource, category?: string): string | undefined {
  const totals = items(resource["total"]);
  if (category === undefined) return money(totals[0]) ?? money(at(totals[0], "amount"));
  const found = totals.find((one) => items(at(one, "category", "coding")).some((coding) => at(coding, "code") === category));
  return money(at(found, "amount"));
}

/** What was claimed or done, by the items of a claim. */
function claimed(resource: Resource): string | undefined {
  const services = [...new Set(items(resource["item"]).flatMap((item) => concept(at(item, "productOrService")) ?? []))];
  const first = services[0];
  return first === undefined ? undefined : services.length === 1 ? first : text.fhir.andMore(first, services.length - 1);
}

function joined(...parts: (string | undefined)[]): string | undefined {
  const said = parts.filter((part) => part !== undefined && part !== "");
  return said.length === 0 ? undefined : said.join(" · ");
}

function facts(resource: Resource): { title?: string | undefined; subtitle?: string | undefined } {
  const words = text.fhir;
  const code = concept(resource["code"]);
  switch (resource.resourceType) {
    case "Patient":
    case "Person":
    case "RelatedPerson":
    case "Practitioner":
      return { title: personName(resource["name"]) };
    case "PractitionerRole":
      return { title: display(resource["practitioner"]) ?? concept(resource["specialty"]) ?? concept(resource["code"]) };
    case "Organization":
    case "Location":
    case "HealthcareService": {
      const name = string(resource["name"]);
      return { title: name === undefined ? concept(resource["type"]) : properName(name) };
    }
    case "AllergyIntolerance": {
      const critical = resource["criticality"] === "high" ? words.highRisk : undefined;
      const reaction = concepts(items(resource["reaction"]).flatMap((one) => items(at(one, "manifestation"))));
      return { title: code, subtitle: joined(critical, listed(reaction), status(resource["clinicalStatus"])) };
    }
    case "Condition":
      return { title: code, subtitle: joined(status(resource["clinicalStatus"]), concept(resource["severity"])) };
    case "MedicationRequest":
    case "MedicationStatement":
    case "MedicationAdministration":
    case "MedicationDispense": {
      const dose = dosage(at(resource, "dosageInstruction")) ?? dosage(at(resource, "dosage"));
      return { title: medication(resource), subtitle: joined(dose, status(resource["status"])) };
    }
    case "Medication":
      return { title: code };
    case "Observation":
      return { title: code, subtitle: joined(observed(resource), flagWords(resource["interpretation"])) ?? words.noValue };
    case "DiagnosticReport": {
      const count = items(resource["result"]).length;
      return {
        title: code ?? concept(resource["category"]),
        subtitle: string(resource["conclusion"]) ?? (count === 0 ? undefined : words.resultsInIt(count)),
      };
    }
    case "Immunization":
      return {
        title: concept(resource["vaccineCode"]),
        subtitle: joined(
          resource["status"] === "not-done" ? words.notGiven : undefined,
          doseNumber(resource),
          concept(at(resource, "protocolApplied", "targetDisease")),
        ),
      };
    case "Encounter":
      return {
        title: concept(resource["type"]) ?? concept(resource["class"]),
        subtitle: joined(
          concepts(resource["reasonCode"])[0] ?? concepts(at(resource, "reason", "value"))[0],
          display(resource["serviceProvider"]),
        ),
      };
    case "Procedure":
      return { title: code, subtitle: joined(status(resource["status"]), display(at(resource, "performer", "actor"))) };
    case "ServiceRequest":
    case "DeviceRequest":
      return { title: code ?? concept(resource["codeCodeableConcept"]), subtitle: status(resource["status"]) };
    case "CarePlan": {
      const categories = concepts(resource["category"]).filter((one) => one !== words.codes["assess-plan"]);
      return { title: string(resource["title"]) ?? categories[0], subtitle: joined(status(resource["status"])) };
    }
    case "CareTeam":
      return {
        title: string(resource["name"]) ?? concept(resource["category"]),
        subtitle: joined(status(resource["status"]), words.people(items(resource["participant"]).length)),
      };
    case "Goal":
      return { title: concept(resource["description"]), subtitle: status(resource["lifecycleStatus"]) };
    case "Claim":
      return { title: claimed(resource), subtitle: joined(total(resource), status(resource["status"])) };
    case "ExplanationOfBenefit":
      return { title: claimed(resource), subtitle: joined(total(resource, "submitted") ?? total(resource), status(resource["outcome"])) };
    case "Coverage":
      return {
        title: string(at(resource, "class", "name")) ?? concept(resource["type"]),
        subtitle: joined(display(resource["payor"]), status(resource["status"])),
      };
    case "ImagingStudy": {
      const modality = concept(at(resource, "series", "modality")) ?? concept(resource["modality"]);
      return {
        title: concept(resource["procedureCode"]) ?? string(resource["description"]) ?? modality,
        subtitle: joined(modality, concept(at(resource, "series", "bodySite"))),
      };
    }
    case "DocumentReference": {
      // What its author called it says more than what sort of document it is.
      const written = string(at(resource, "content", "attachment", "title"));
      const titled = written !== undefined && !isOpaque(written) ? written : undefined;
      const sort = concept(resource["type"]);
      return {
        title: titled ?? sort ?? string(resource["description"]),
        subtitle: joined(titled === undefined ? undefined : sort, string(resource["description"]), concept(resource["category"])),
      };
    }
    case "Device":
      return {
        title: concept(resource["type"]) ?? string(at(resource, "deviceName", "name")) ?? string(resource["displayName"]),
        subtitle: joined(string(resource["manufacturer"]), status(resource["status"])),
      };
    case "SupplyDelivery":
      return {
        title: concept(at(resource, "suppliedItem", "itemCodeableConcept")) ?? concept(resource["type"]),
        subtitle: joined(quantityCount(at(resource, "suppliedItem", "quantity")), status(resource["status"])),
      };
    case "Provenance":
      return { title: concept(resource["activity"]), subtitle: words.recordsCovered(items(resource["target"]).length) };
    case "FamilyMemberHistory":
      return {
        title: concept(resource["relationship"]),
        subtitle: listed(concepts(items(resource["condition"]).map((one) => at(one, "code") ?? null))),
      };
    default:
      return {
        title:
          string(resource["title"]) ??
          code ??
          concept(resource["type"]) ??
          string(resource["name"]) ??
          string(resource["description"]) ??
          concept(resource["category"]),
        subtitle: status(resource["status"]),
      };
  }
}

function quantityCount(value: Maybe): string | undefined {
  return unit(value) === "" ? text.fhir.pieces(number(at(value, "value")) ?? 1) : quantity(value);
}

export function doseNumber(resource: Resource): string | undefined {
  const dose =
    at(resource, "protocolApplied", "doseNumberPositiveInt") ??
    at(resource, "protocolApplied", "doseNumberString") ??
    at(resource, "protocolApplied", "doseNumber");
  const shown = number(dose) ?? string(dose);
  return shown === undefined ? undefined : text.fhir.dose(String(shown));
}

export type Flag = "low" | "high" | "critical" | "abnormal" | "normal";

/** v3-ObservationInterpretation, as far as it says how a value stands. */
export function flagOf(interpretation: Maybe): Flag | undefined {
  const codes = items(interpretation).flatMap((one) => items(at(one, "coding")).map((coding) => string(at(coding, "code")) ?? ""));
  if (codes.some((code) => ["AA", "HH", "LL", "HU", "LU"].includes(code))) return "critical";
  if (codes.includes("H")) return "high";
  if (codes.includes("L")) return "low";
  if (codes.some((code) => ["A", "POS", "R"].includes(code))) return "abnormal";
  return codes.includes("N") || codes.includes("NEG") ? "normal" : undefined;
}

/** Nothing of what is normal: a list points out what is not. */
function flagWords(interpretation: Maybe): string | undefined {
  const flag = flagOf(interpretation);
  return flag === undefined || flag === "normal" ? undefined : text.fhir.flags[flag];
}
