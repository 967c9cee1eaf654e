// A hospital's message: its results as a table, then every segment with its fields.
import { useMemo } from "preact/hooks";
import { own } from "../../own";
import { text } from "../../text";
import { Notice, Tag } from "../../ui";
import { components, hl7Date, parseHl7v2, type Segment } from "../hl7v2";
import { Facts, NOTHING, Rows, Section } from "../parts";
import { moment } from "../words";

export function Hl7v2View({ bytes }: { bytes: Uint8Array }) {
  const words = text.fhir.hl7;
  const message = useMemo(() => parseHl7v2(new TextDecoder().decode(bytes)), [bytes]);
  if (message === null) return <Notice kind="warning">{words.notReadable}</Notice>;
  const results = message.segments.filter((segment) => segment.name === "OBX");
  return (
    <>
      {results.length > 0 && (
        <Section title={text.fhir.results}>
          <Rows caption={text.fhir.results} head={[text.fhir.measured, text.fhir.value, text.fhir.usual]} rows={results.map(result)} />
        </Section>
      )}
      {message.segments.map((segment, index) => (
        <details key={index} class="fhir-segment" open={segment.name === "PID" || segment.name === "NTE"}>
          <summary>{own(words.segments, segment.name) ?? words.segment(segment.name)}</summary>
          <Facts facts={facts(segment)} />
        </details>
      ))}
    </>
  );
}

/** OBX: 3 what, 5 value, 6 units, 7 reference range, 8 abnormal flag. */
function result({ fields }: Segment) {
  const named = components(fields[2] ?? "");
  const unit = components(fields[5] ?? "")[0] ?? "";
  const flag = own(text.fhir.hl7.flags, fields[7] ?? "");
  return [
    named[1] ?? named[0] ?? text.fhir.measured,
    <>
      {`${fields[4] ?? ""} ${unit}`.trim() || text.fhir.noValue}{" "}
      {flag !== undefined && <Tag kind={flag === text.fhir.flags.normal ? "good" : "warning"}>{flag}</Tag>}
    </>,
    fields[6] === undefined || fields[6] === "" ? NOTHING : fields[6],
  ];
}

function facts({ name, fields }: Segment): [string, string][] {
  return fields.flatMap((field, index): [string, string][] => {
    if (field === "") return [];
    const place = `${name}-${index + 1}`;
    const time = /^\d{8}(\d{4,6})?([+-]\d{4})?$/.test(field) ? moment(hl7Date(field)) : undefined;
    return [[own(text.fhir.hl7.fields, place) ?? place, time ?? field]];
  });
}
