// Codes, dates and amounts in words that people read.
import { own } from "../own";
import { locale, text } from "../text";
import { at, choice, items, number, string, type Json, type Maybe } from "./json";

/** Short names for frequent LOINC codes, whose own names are written for laboratories. */
const PLAIN: Record<string, string> = text.fhir.plainNames;

/** "pH" and "mRNA" begin as they do. */
export function capital(words: string): string {
  return /^[a-z][A-Z]/.test(words) ? words : words.charAt(0).toUpperCase() + words.slice(1);
}

/** `in-progress`, `inProgress` or `Medication_Review` as words. */
export function spaced(word: string): string {
  const apart = word
    .replace(/[_-]+/g, " ")
    .replace(/([a-z0-9])([A-Z])/g, (_, end: string, start: string) => `${end} ${start.toLowerCase()}`);
  return capital(apart.trim());
}

/** What SNOMED CT ends the names of its concepts with. */
const SNOMED_KINDS = [
  "procedure|disorder|finding|situation|event|regime/therapy|body structure|morphologic abnormality|observable entity|qualifier value",
  "physical object|substance|product|medicinal product|clinical drug|dose form|organism|person|occupation|environment|record artifact",
].join("|");
const SNOMED_KIND = new RegExp(`\\s*\\((${SNOMED_KINDS})\\)$`, "i");

/** SNOMED's kind of concept and codes' underscores are not for people. */
export function tidy(display: string): string {
  const words = display
    .replace(SNOMED_KIND, "")
    .replace(/^Structure of (region of )?/i, "")
    .replace(/\s+/g, " ")
    .trim();
  if (words === "") return display.trim();
  return /^[\w-]+$/.test(words) && words.includes("_") ? spaced(words) : capital(words.replace(/_/g, " "));
}

/** LOINC's property and method are for laboratories. Brackets elsewhere may hold a brand: they stay. */
function withoutMethod(display: string): string {
  const words = display
    .replace(/\s*\[[^\]]*\]/g, "")
    .replace(/ by Automated count$| with all children optional$| - Reported$/i, "")
    .trim();
  return words === "" ? display : words;
}

/** Whether it is an address or an id, which says nothing to a person. */
export function isOpaque(words: string): boolean {
  return /^(https?:|urn:|0x[0-9a-f]{16})/i.test(words) || /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-/i.test(words);
}

/** A code without display of HL7's own lists is an English word ("final", "in-progress"): it is shown as one. */
function codeWord(code: string): string | undefined {
  const known = own(text.fhir.codes, code);
  if (known !== undefined) return known;
  return /^[a-z]+([-_ ][a-z]+)*$/.test(code) && code.length > 2 ? spaced(code) : undefined;
}

/** Of a Coding, by its system. */
function shortCode(coding: Maybe): string | undefined {
  const system = string(at(coding, "system"))?.split(/[/#]/).pop() ?? "";
  const systems: Record<string, Record<string, string>> = text.fhir.systems;
  return own(own(systems, system) ?? {}, string(at(coding, "code")) ?? "");
}

/** Text of a CodeableConcept, a Coding, a CodeableReference, a code or a string. */
export function concept(value: Maybe): string | undefined {
  const inner = at(value, "concept");
  return conceptText(inner === undefined ? value : inner);
}

function conceptText(value: Maybe): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  if (typeof first === "string") return isOpaque(first) ? undefined : (codeWord(first) ?? tidy(first));
  if (first === undefined || first === null || typeof first !== "object") return undefined;
  const codings = items(at(first, "coding"));
  for (const coding of codings.length === 0 ? [first] : codings) {
    const plain = own(PLAIN, string(at(coding, "code")) ?? "");
    const system = string(at(coding, "system")) ?? "";
    if (plain !== undefined && system === "http://loinc.org") return plain;
    // Displays of these lists are for programmers ("ambulatory") and engineers.
    const known = shortCode(coding);
    if (known !== undefined) return known;
  }
  const written = string(at(first, "text")) ?? codings.map((coding) => string(at(coding, "display"))).find((found) => found !== undefined);
  const display = written ?? string(at(first, "display"));
  const loinc = codings.some((coding) => at(coding, "system") === "http://loinc.org");
  if (display !== undefined && !isOpaque(display)) return tidy(loinc ? withoutMethod(display) : display);
  for (const code of [...codings.map((coding) => at(coding, "code")), at(first, "code")]) {
    const word = codeWord(string(code) ?? "");
    if (word !== undefined) return word;
  }
  return undefined;
}

/** As the source writes it, untouched: shown beside a plain name. */
export function officialName(value: Maybe): string | undefined {
  const codings = items(at(value, "coding"));
  return codings.map((coding) => string(at(coding, "display"))).find((found) => found !== undefined) ?? string(at(value, "text"));
}

/** "LOINC 718-7, SNOMED CT 1234". */
export function codeList(value: Maybe): string | undefined {
  const systems: Record<string, string> = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": "ICD-10-GM",
    "http://fhir.de/CodeSystem/ifa/pzn": "PZN",
    "http://www.whocc.no/atc": "ATC",
  };
  const codes = items(at(value, "coding")).flatMap((coding) => {
    const code = string(at(coding, "code"));
    const system = own(systems, string(at(coding, "system")) ?? "");
    return code === undefined || system === undefined ? [] : [`${system} ${code}`];
  });
  return codes.length === 0 ? undefined : codes.join(", ");
}

export function concepts(value: Maybe): string[] {
  return [...new Set(items(value).flatMap((one) => concept(one) ?? []))];
}

export function listed(words: string[]): string | undefined {
  return words.length === 0 ? undefined : new Intl.ListFormat(locale, { type: "conjunction" }).format(words);
}

/** A status word of any resource. */
export function status(value: Maybe): string | undefined {
  return concept(value);
}

/** A FHIR date, dateTime or instant, as precise as it is written. */
export function day(value: Maybe): string | undefined {
  const written = string(value);
  const parts = written === undefined ? null : /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?/.exec(written);
  if (parts === null || parts[1] === undefined) return undefined;
  const [, year, month, date] = parts;
  if (month === undefined) return year;
  const when = new Date(Date.UTC(Number(year), Number(month) - 1, Number(date ?? "1")));
  if (Number.isNaN(when.getTime())) return year;
  const options: Intl.DateTimeFormatOptions = date === undefined ? { month: "long" } : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(locale, { ...options, year: "numeric", timeZone: "UTC" }).format(when);
}

/** With the time of day where one is written, as the clock on the wall showed it there. */
export function moment(value: Maybe): string | undefined {
  const date = day(value);
  const time = /T(\d\d:\d\d)/.exec(string(value) ?? "")?.[1];
  return date === undefined || time === undefined || time === "00:00" ? date : text.fhir.dateAndTime(date, time);
}

export function period(value: Maybe): string | undefined {
  const [from, to] = [day(at(value, "start")), day(at(value, "end"))];
  if (from !== undefined && to !== undefined) return from === to ? from : text.fhir.fromTo(from, to);
  if (from !== undefined) return text.fhir.since(from);
  return to === undefined ? undefined : text.fhir.until(to);
}

/** The clinical time of a resource as it is written, for sorting and lists: as crates/fhir/src/describe.rs has it. */
export function clinicalDate(resource: Maybe): string | undefined {
  const names = [
    "effectiveDateTime",
    "effectivePeriod",
    "effectiveInstant",
    "occurrenceDateTime",
    "occurrencePeriod",
    "performedDateTime",
    "performedPeriod",
    "onsetDateTime",
    "onsetPeriod",
    "started",
    "billablePeriod",
    "period",
    "servicedDate",
    "authoredOn",
    "whenHandedOver",
    "start",
    "date",
    "recordedDate",
    "recorded",
    "issued",
    "created",
    "manufactureDate",
  ];
  for (const name of names) {
    const value = at(resource, name);
    const found = string(value) ?? string(at(value, "start")) ?? string(at(value, "end"));
    if (found !== undefined && /^\d{4}/.test(found)) return found;
  }
  return undefined;
}

const UNITS: Record<string, string> = {
  "mm[Hg]": "mmHg",
  Cel: "°C",
  "[degF]": "°F",
  "{score}": "",
  "{#}": "",
  "1": "",
  "/min": "per minute",
  "{beats}/min": "per minute",
  "{Breaths}/min": "per minute",
  "10*3/uL": "×10³/µL",
  "10*6/uL": "×10⁶/µL",
  "10*9/L": "×10⁹/L",
  "10*12/L": "×10¹²/L",
  "[lb_av]": "lb",
  "[in_i]": "in",
  ug: "µg",
  "ug/L": "µg/L",
  "umol/L": "µmol/L",
  uL: "µL",
  "kg/m2": "kg/m²",
  "mL/min/{1.73_m2}": "mL/min/1.73 m²",
  a: "years",
  mo: "months",
  wk: "weeks",
  d: "days",
  h: "hours",
  min: "minutes",
};

export function unit(value: Maybe): string {
  const written = string(at(value, "unit")) ?? string(at(value, "code")) ?? "";
  return own(UNITS, written) ?? written.replace(/\{[^}]*\}/g, "").trim();
}

/** As exact as it helps: machines write digits that no measurement has. The technical details have them all. */
export function amount(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits, useGrouping: false }).format(value);
}

export function quantity(value: Maybe): string | undefined {
  const found = number(at(value, "value"));
  if (found === undefined) return undefined;
  const of = unit(value);
  const sign = string(at(value, "comparator"));
  return `${sign === undefined ? "" : `${sign} `}${amount(found)}${of === "%" || of === "" ? of : ` ${of}`}`;
}

export function money(value: Maybe): string | undefined {
  const found = number(at(value, "value"));
  if (found === undefined) return undefined;
  const currency = string(at(value, "currency")) ?? string(at(value, "code"));
  if (currency === undefined || !/^[A-Z]{3}$/.test(currency)) return amount(found);
  return new Intl.NumberFormat(locale, { style: "currency", currency }).format(found);
}

/** A HumanName. */
export function personName(value: Maybe): string | undefined {
  const names = items(value);
  const best = names.find((name) => at(name, "use") === "official") ?? names[0];
  if (typeof best === "string") return best;
  const written = string(at(best, "text"));
  if (written !== undefined) return written;
  const parts = ["prefix", "given", "family", "suffix"].flatMap((part) => items(at(best, part)).flatMap((one) => string(one) ?? []));
  return parts.length === 0 ? undefined : parts.join(" ");
}

export function address(value: Maybe): string | undefined {
  const written = string(at(value, "text"));
  if (written !== undefined) return written;
  const city = [string(at(value, "postalCode")), string(at(value, "city"))].filter((part) => part !== undefined).join(" ");
  const lines = [
    ...items(at(value, "line")).flatMap((line) => string(line) ?? []),
    city,
    string(at(value, "state")),
    string(at(value, "country")),
  ];
  const shown = lines.filter((line) => line !== undefined && line !== "");
  return shown.length === 0 ? undefined : shown.join(", ");
}

/** A name by which organisations write in capitals, as people write it. */
export function properName(name: string): string {
  return name === name.toUpperCase() && name.length > 4
    ? name.toLowerCase().replace(/(^|[\s-])\p{L}/gu, (letter) => letter.toUpperCase())
    : name;
}

/** "Twice a day", as far as a Timing can be put in words. */
export function timing(value: Maybe): string | undefined {
  const code = concept(at(value, "code"));
  if (code !== undefined) return code;
  const repeat = at(value, "repeat");
  const every = number(at(repeat, "period"));
  const per = string(at(repeat, "periodUnit"));
  if (every === undefined || per === undefined) return undefined;
  return text.fhir.timesPer(number(at(repeat, "frequency")) ?? 1, every, own(UNITS, per) ?? per);
}

/** Dose and how often of one Dosage. */
export function dosage(value: Maybe): string | undefined {
  const written = string(at(value, "text"));
  const dose = at(value, "doseAndRate", "doseQuantity") ?? at(value, "doseQuantity") ?? at(value, "dose");
  const range = at(value, "doseAndRate", "doseRange");
  const plain = number(at(dose, "value"));
  const much =
    (plain !== undefined && unit(dose) === "" ? text.fhir.takeCount(amount(plain)) : quantity(dose)) ??
    (range === undefined ? undefined : between(at(range, "low"), at(range, "high")));
  const often = timing(at(value, "timing"));
  const needed = at(value, "asNeededBoolean") === true ? text.fhir.asNeeded : undefined;
  const reason = concept(at(value, "asNeededCodeableConcept"));
  const route = concept(at(value, "route"));
  const parts = [written, much, often?.toLowerCase(), reason === undefined ? needed : text.fhir.asNeededFor(reason), route?.toLowerCase()];
  const said = parts.filter((part) => part !== undefined).join(", ");
  return said === "" ? undefined : capital(said);
}

export function between(low: Maybe, high: Maybe): string | undefined {
  const [from, to] = [number(at(low, "value")), number(at(high, "value"))];
  const of = unit(low) || unit(high);
  const shown = of === "%" || of === "" ? of : ` ${of}`;
  if (from !== undefined && to !== undefined) return text.fhir.rangeFromTo(amount(from), amount(to)) + shown;
  if (from !== undefined) return text.fhir.rangeFrom(amount(from)) + shown;
  return to === undefined ? undefined : text.fhir.rangeTo(amount(to)) + shown;
}

/** A `value[x]` of any type in words. */
export function anyValue(found: { type: string; value: Json } | undefined): string | undefined {
  if (found === undefined) return undefined;
  const { type, value } = found;
  switch (type) {
    case "Quantity":
    case "SimpleQuantity":
    case "Age":
    case "Duration":
    case "Distance":
    case "Count":
      return quantity(value);
    case "CodeableConcept":
    case "Coding":
    case "Code":
    case "CodeableReference":
      return concept(value);
    case "Boolean":
      return value === true ? text.fhir.yes : text.fhir.no;
    case "Range":
      return between(at(value, "low"), at(value, "high"));
    case "Period":
      return period(value);
    case "Date":
    case "DateTime":
    case "Instant":
      return moment(value);
    case "Money":
      return money(value);
    case "Ratio": {
      const [numerator, denominator] = [quantity(at(value, "numerator")), quantity(at(value, "denominator"))];
      return numerator === undefined ? undefined : denominator === undefined ? numerator : `${numerator} : ${denominator}`;
    }
    case "Timing":
      return timing(value);
    case "HumanName":
      return personName(value);
    case "Address":
      return address(value);
    case "Integer":
    case "Decimal":
    case "PositiveInt":
    case "UnsignedInt":
      return typeof value === "number" ? amount(value) : undefined;
    default:
      return typeof value === "string" ? value : (string(at(value, "display")) ?? string(at(value, "text")));
  }
}

export function valueOf(resource: Maybe): string | undefined {
  return anyValue(choice(resource, "value"));
}
