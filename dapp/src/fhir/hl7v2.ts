// HL7 v2 messages (ER7 encoding, HL7 v2.5.1 chapter 2) taken apart for reading. Nothing is interpreted beyond fields' names.
import { own } from "../own";

export interface Segment {
  name: string;
  /** From field 1 on; MSH-1 is the separator itself. */
  fields: string[];
}

export interface Message {
  segments: Segment[];
}

const SEGMENTS_MAX = 2_000;

export function parseHl7v2(content: string): Message | null {
  // MLLP frames a message by VT, FS and CR.
  const lines = content
    .replace(/[\u000b\u001c]/g, "")
    .split(/\r\n?|\n/)
    .filter((line) => line.trim() !== "");
  const header = lines.find((line) => line.startsWith("MSH"));
  if (header === undefined || header.length < 8) return null;
  const separator = header.charAt(3);
  const [component = "^", repetition = "~", escape = "\\", subcomponent = "&"] = header.slice(4, 8);
  const read = (field: string) =>
    field
      .split(repetition)
      .map((one) =>
        one
          .split(component)
          .map((part) =>
            part
              .split(subcomponent)
              .map((sub) => unescape(sub, escape))
              .filter((sub) => sub !== "")
              .join(" "),
          )
          .filter((part) => part !== "")
          .join(" · "),
      )
      .filter((one) => one !== "")
      .join("; ");
  const segments = lines.slice(0, SEGMENTS_MAX).map((line): Segment => {
    const [name = "", ...fields] = line.split(separator);
    // The first field of a header segment is the separator, the second holds the other delimiters.
    return /^(MSH|FHS|BHS)$/.test(name) ? { name, fields: ["", "", ...fields.slice(1).map(read)] } : { name, fields: fields.map(read) };
  });
  return { segments };
}

/** One component of a field of the segment as it was sent, with its escapes resolved by `parseHl7v2`'s rules. */
export function components(field: string): string[] {
  return field.split(" · ");
}

/** Chapter 2.7: delimiters, line breaks and bytes in hexadecimal; what formats is dropped. */
function unescape(value: string, escape: string): string {
  const names: Record<string, string> = { F: "|", S: "^", T: "&", R: "~", E: "\\", ".br": "\n", H: "", N: "" };
  const parts = value.split(escape);
  if (parts.length < 3) return value;
  return parts
    .map((part, index) => {
      if (index % 2 === 0 || index === parts.length - 1) return part;
      const hex = /^X((?:[0-9A-Fa-f]{2})+)$/.exec(part)?.[1];
      if (hex === undefined) return own(names, part) ?? "";
      const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      return new TextDecoder().decode(bytes);
    })
    .join("");
}

/** 20260414111500+0200 as FHIR writes it, which words.ts puts in words. */
export function hl7Date(value: string): string | undefined {
  const parts = /^(\d{4})(\d\d)?(\d\d)?(?:(\d\d)(\d\d))?/.exec(value);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute] = parts;
  if (month === undefined) return year;
  if (day === undefined) return `${year}-${month}`;
  return hour === undefined ? `${year}-${month}-${day}` : `${year}-${month}-${day}T${hour}:${minute}`;
}
