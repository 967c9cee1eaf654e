// Records that a clinician writes, as FHIR R4. Pure: ids and times are passed in.
export interface Vitals {
  weight: string;
  systolic: string;
  diastolic: string;
  temperature: string;
  pulse: string;
}

export interface Written {
  /** ISO 8601 with the zone. */
  at: string;
  newId: () => string;
}

const LOINC = "http://loinc.org";
const UCUM = "http://unitsofmeasure.org";

/** Outside of these a number is a slip of the pen. */
const BOUNDS: Record<keyof Vitals, [number, number]> = {
  weight: [0.2, 700],
  systolic: [40, 320],
  diastolic: [20, 220],
  temperature: [25, 45],
  pulse: [15, 350],
};

/** A number as people type it, with a point or a comma; undefined: it is none, or out of bounds. */
export function measured(part: keyof Vitals, written: string): number | undefined {
  const value = /^\d+([.,]\d+)?$/.test(written.trim()) ? Number(written.trim().replace(",", ".")) : Number.NaN;
  const [least, most] = BOUNDS[part];
  return value >= least && value <= most ? value : undefined;
}

/** A note as a DocumentReference that holds its text. */
export function note(title: string, content: string, author: string, { at, newId }: Written): string {
  return JSON.stringify({
    resourceType: "DocumentReference",
    id: newId(),
    status: "current",
    docStatus: "final",
    type: { coding: [{ system: LOINC, code: "11506-3", display: "Progress note" }], text: title },
    date: at,
    ...(author === "" ? {} : { author: [{ display: author }] }),
    content: [{ attachment: { contentType: "text/plain; charset=utf-8", data: base64(content), title } }],
  });
}

/** One Observation a measurement, one a line. */
export function vitals(values: Vitals, author: string, { at, newId }: Written): string[] {
  const observation = (code: string, display: string, value: object) =>
    JSON.stringify({
      resourceType: "Observation",
      id: newId(),
      status: "final",
      category: [
        { coding: [{ system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "vital-signs", display: "Vital Signs" }] },
      ],
      code: { coding: [{ system: LOINC, code, display }] },
      effectiveDateTime: at,
      ...(author === "" ? {} : { performer: [{ display: author }] }),
      ...value,
    });
  const quantity = (value: number, unit: string, code: string) => ({ value, unit, system: UCUM, code });
  const part = (code: string, display: string, value: number) => ({
    code: { coding: [{ system: LOINC, code, display }] },
    valueQuantity: quantity(value, "mmHg", "mm[Hg]"),
  });
  const found: string[] = [];
  const [systolic, diastolic] = [measured("systolic", values.systolic), measured("diastolic", values.diastolic)];
  if (systolic !== undefined && diastolic !== undefined) {
    const component = [part("8480-6", "Systolic blood pressure", systolic), part("8462-4", "Diastolic blood pressure", diastolic)];
    found.push(observation("85354-9", "Blood pressure panel with all children optional", { component }));
  }
  const single: [keyof Vitals, string, string, string, string][] = [
    ["weight", "29463-7", "Body weight", "kg", "kg"],
    ["temperature", "8310-5", "Body temperature", "°C", "Cel"],
    ["pulse", "8867-4", "Heart rate", "beats/min", "/min"],
  ];
  for (const [name, code, display, unit, ucum] of single) {
    const value = measured(name, values[name]);
    if (value !== undefined) found.push(observation(code, display, { valueQuantity: quantity(value, unit, ucum) }));
  }
  return found;
}

/** With the offset of this place: when it was measured here. */
export function localTime(date: Date): string {
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day}T${time}${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}

export function base64(content: string): string {
  return btoa(Array.from(new TextEncoder().encode(content), (byte) => String.fromCharCode(byte)).join(""));
}

export function fromBase64(data: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(data.replace(/\s+/g, "")), (letter) => letter.charCodeAt(0)));
}
