// Any resource, readable: labels from the names of its elements, codes by their display texts. Nothing is left out that a person
// could want, and nothing of a narrative's HTML is rendered.
import type { ComponentChildren } from "preact";
import { own } from "../../own";
import { text } from "../../text";
import { at, isResource, items, string, type Json } from "../json";
import { Facts, Section, referenceName, type Fact, type ViewProps } from "../parts";
import { kindOf, summariseResource } from "../summary";
import { address, anyValue, concept, dosage, isOpaque, money, moment, period, personName, quantity, spaced, timing } from "../words";

/** Deeper than any resource goes: a record made to exhaust the page ends here. */
const DEPTH_MAX = 12;
const LIST_SHOWN_MAX = 200;

/** Of machines: ids, profiles, narrative HTML; and the patient, who is known. */
const MACHINE = new Set([
  "resourceType",
  "id",
  "meta",
  "text",
  "implicitRules",
  "contained",
  "extension",
  "modifierExtension",
  "subject",
  "patient",
  "beneficiary",
  "url",
  "system",
  "version",
  "userSelected",
]);

/** Elements of FHIR that hold a code of a fixed list, which is an English word. */
const CODES = new Set([
  "status",
  "intent",
  "gender",
  "use",
  "outcome",
  "priority",
  "criticality",
  "severity",
  "category",
  "kind",
  "lifecycleStatus",
  "docStatus",
]);

export function GenericView(props: ViewProps) {
  const { resource } = props;
  const contained = items(resource["contained"]).filter(isResource);
  return (
    <>
      <Facts facts={[...elements(resource, props, 0), ...extensions(resource, props, 0)]} />
      {contained.map((one, index) => (
        <Section key={index} title={`${kindOf(one.resourceType)}: ${summariseResource(one).title}`}>
          <Facts facts={elements(one, { ...props, resource: one }, 1)} />
        </Section>
      ))}
    </>
  );
}

function elements(object: { [name: string]: Json }, props: ViewProps, depth: number): Fact[] {
  return Object.entries(object).flatMap(([name, value]): Fact[] => {
    if (MACHINE.has(name) || name.startsWith("_")) return [];
    const shown = show(value, name, props, depth);
    return shown === undefined ? [] : [[label(name), shown]];
  });
}

const TYPES =
  "CodeableConcept|Quantity|DateTime|Reference|Boolean|String|Period|Range|Ratio|PositiveInt|Integer|Decimal|Money|Timing|Coding|Attachment";
const TYPE_AT_END = new RegExp(`(?<=[a-z])(${TYPES})$`);

/** `value[x]` elements end with their type, which is no part of a label. */
function label(name: string): string {
  return own(text.fhir.elements, name) ?? spaced(name.replace(TYPE_AT_END, ""));
}

function show(value: Json, name: string, props: ViewProps, depth: number): ComponentChildren | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    const shown = counted(value.slice(0, LIST_SHOWN_MAX).flatMap((one) => show(one, name, props, depth) ?? []));
    if (shown.length === 0) return undefined;
    if (shown.length === 1 && value.length === 1) return shown[0];
    return (
      <ul>
        {shown.map((one, index) => (
          <li key={index}>{one}</li>
        ))}
        {value.length > LIST_SHOWN_MAX && <li>{text.fhir.moreInDetails(value.length - LIST_SHOWN_MAX)}</li>}
      </ul>
    );
  }
  if (typeof value !== "object") return scalar(value, name);
  const said = known(value, name, props);
  if (said !== undefined) return said;
  if (depth >= DEPTH_MAX) return text.fhir.moreInDetails(1);
  const facts = [...elements(value, props, depth + 1), ...extensions(value, props, depth + 1)];
  return facts.length === 0 ? undefined : <Facts facts={facts} />;
}

/** What is said several times is said once, with how often. */
function counted(shown: ComponentChildren[]): ComponentChildren[] {
  const times = new Map<ComponentChildren, number>();
  for (const one of shown) times.set(one, (times.get(one) ?? 0) + 1);
  return [...times].map(([one, count]) => (count > 1 && typeof one === "string" ? text.fhir.times(one, count) : one));
}

function scalar(value: string | number | boolean, name: string): string | undefined {
  if (typeof value === "boolean") return value ? text.fhir.yes : text.fhir.no;
  if (typeof value === "number") return String(value);
  if (value.trim() === "") return undefined;
  // The bytes of an attachment are shown as a file, or in the technical details.
  if (name === "data" && value.length > 64) return text.fhir.embeddedFile;
  if (/^\d{4}(-\d\d){0,2}(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(value)) return moment(value) ?? value;
  if (isOpaque(value)) return value;
  return /^[a-z]+([-_][a-z]+)+$/.test(value) || CODES.has(name) ? (concept(value) ?? value) : value;
}

/** FHIR's data types that have a short way to be said. */
function known(value: { [name: string]: Json }, name: string, props: ViewProps): string | undefined {
  if ("reference" in value) return referenceName(value, props) ?? text.fhir.anotherRecord;
  if ("coding" in value || ("code" in value && "system" in value && !("value" in value)) || ("display" in value && "code" in value))
    return concept(value) ?? text.fhir.codeOnly(codeOf(value));
  if ("currency" in value) return money(value);
  if (typeof value["value"] === "number" && ("unit" in value || "code" in value || Object.keys(value).length === 1)) return quantity(value);
  if ("family" in value || "given" in value) return personName(value);
  if ("city" in value || "line" in value || "postalCode" in value) return address(value);
  if ("start" in value || "end" in value) return period(value);
  if ("doseAndRate" in value || "asNeededBoolean" in value) return dosage(value);
  if ("repeat" in value) return timing(value);
  if (name === "identifier")
    return [concept(value["type"]), string(value["value"])].filter((part) => part !== undefined).join(" ") || undefined;
  if (name === "telecom")
    return [concept(value["system"]), string(value["value"])].filter((part) => part !== undefined).join(" ") || undefined;
  const keys = Object.keys(value).filter((key) => key !== "text");
  return keys.length === 0 ? string(value["text"]) : undefined;
}

function codeOf(value: { [name: string]: Json }): string {
  return string(at(value, "coding", "code")) ?? string(value["code"]) ?? "";
}

/** An extension is named by the end of its address. */
function extensions(object: { [name: string]: Json }, props: ViewProps, depth: number): Fact[] {
  return [...items(object["extension"]), ...items(object["modifierExtension"])].flatMap((extension): Fact[] => {
    const name = string(at(extension, "url"))
      ?.split(/[/#]/)
      .pop()
      ?.replace(/^us-core-|^patient-/, "");
    if (name === undefined || name === "" || depth >= DEPTH_MAX) return [];
    const inner = items(at(extension, "extension"));
    if (inner.length > 0) {
      const facts = extensions({ extension: inner }, props, depth + 1);
      return facts.length === 0 ? [] : [[spaced(name), <Facts facts={facts} />]];
    }
    const entry =
      extension !== null && typeof extension === "object" && !Array.isArray(extension)
        ? Object.entries(extension).find(([key]) => key.startsWith("value"))
        : undefined;
    if (entry === undefined) return [];
    const [type, value] = [entry[0].slice("value".length), entry[1]];
    const shown = type === "Reference" ? referenceName(value, props) : (anyValue({ type, value }) ?? show(value, name, props, depth + 1));
    return shown === undefined ? [] : [[spaced(name), shown]];
  });
}
