// Measurements and laboratory results: the value, how it stands, and how it was before.
import { text } from "../../text";
import { Tag } from "../../ui";
import { at, items, number, string, type Json, type Maybe, type Resource } from "../json";
import { Facts, Headline, NoteText, referenceName, NOTHING, Rows, Section, type ViewProps } from "../parts";
import { resolve, type Related } from "../resource";
import { flagOf, observed, summariseResource, type Flag } from "../summary";
import {
  amount,
  between,
  clinicalDate,
  codeList,
  concept,
  concepts,
  day,
  listed,
  moment,
  officialName,
  period,
  quantity,
  status,
  unit,
  valueOf,
} from "../words";
import { Attachment } from "./files";
import { Trend, type Series } from "./trend";

const TONES: Record<Flag, "good" | "warning" | "bad"> = {
  critical: "bad",
  high: "warning",
  low: "warning",
  abnormal: "warning",
  normal: "good",
};

export function ObservationView(props: ViewProps) {
  const { resource, related } = props;
  const words = text.fhir;
  const components = items(resource["component"]);
  const value = observed(resource);
  const series = trends(resource, related);
  const members = items(resource["hasMember"]).flatMap((member) => resolve(member, resource, related) ?? []);
  return (
    <>
      <Headline note={<FlagMark interpretation={resource["interpretation"]} />}>{value ?? words.noValue}</Headline>
      <RangeBar value={resource["valueQuantity"]} range={resource["referenceRange"]} />
      {components.length > 0 && (
        <Rows
          caption={words.parts}
          head={[words.measured, words.value, words.usual]}
          rows={components.map((part) => [
            concept(at(part, "code")) ?? words.measured,
            <>
              {valueOf(part) ?? words.noValue} <FlagMark interpretation={at(part, "interpretation")} />
            </>,
            rangeText(at(part, "referenceRange")) ?? NOTHING,
          ])}
        />
      )}
      {members.length > 0 && <ResultTable results={members} />}
      {series.map((one) => (
        <Trend key={one.name} series={one} />
      ))}
      <Facts
        facts={[
          [
            words.when,
            moment(resource["effectiveDateTime"]) ?? period(resource["effectivePeriod"]) ?? moment(resource["effectiveInstant"]),
          ],
          [words.status, status(resource["status"])],
          [words.who, listed(items(resource["performer"]).flatMap((one) => referenceName(one, props) ?? []))],
          [words.method, concept(resource["method"])],
          [words.bodySite, concept(resource["bodySite"])],
          [words.officialName, officialName(resource["code"])],
          [words.code, codeList(resource["code"])],
        ]}
      />
      <Notes resource={resource} />
    </>
  );
}

export function ReportView(props: ViewProps) {
  const { resource, related } = props;
  const words = text.fhir;
  const results = items(resource["result"]).map((reference) => ({ reference, found: resolve(reference, resource, related) }));
  const found = results.flatMap((one) => one.found ?? []);
  const conclusion = string(resource["conclusion"]);
  const coded = concepts(resource["conclusionCode"]);
  return (
    <>
      {(conclusion !== undefined || coded.length > 0) && (
        <Section title={words.conclusion}>
          {conclusion !== undefined && <NoteText>{conclusion}</NoteText>}
          {coded.length > 0 && <p>{listed(coded)}</p>}
        </Section>
      )}
      {found.length > 0 && (
        <Section title={words.results}>
          <ResultTable results={found} />
        </Section>
      )}
      {found.length < results.length && <p class="fhir-quiet">{words.resultsElsewhere(results.length - found.length)}</p>}
      {items(resource["presentedForm"]).map((form, index) => (
        <Attachment key={index} attachment={form} />
      ))}
      <Facts
        facts={[
          [words.when, moment(resource["effectiveDateTime"]) ?? period(resource["effectivePeriod"])],
          [words.issued, moment(resource["issued"])],
          [words.status, status(resource["status"])],
          [words.area, listed(concepts(resource["category"]))],
          [words.who, listed(items(resource["performer"]).flatMap((one) => referenceName(one, props) ?? []))],
          [words.code, codeList(resource["code"])],
        ]}
      />
    </>
  );
}

function ResultTable({ results }: { results: Resource[] }) {
  const words = text.fhir;
  return (
    <Rows
      caption={words.results}
      head={[words.measured, words.value, words.usual]}
      rows={results.map((result) => [
        summariseResource(result).title,
        <>
          {observed(result) ?? words.noValue} <FlagMark interpretation={result["interpretation"]} />
        </>,
        rangeText(result["referenceRange"]) ?? NOTHING,
      ])}
    />
  );
}

function FlagMark({ interpretation }: { interpretation: Maybe }) {
  const flag = flagOf(interpretation);
  if (flag === undefined) {
    const said = concept(interpretation);
    return said === undefined ? null : <Tag>{said}</Tag>;
  }
  return <Tag kind={TONES[flag]}>{text.fhir.flags[flag]}</Tag>;
}

function rangeText(ranges: Maybe): string | undefined {
  const range = items(ranges)[0];
  return between(at(range, "low"), at(range, "high")) ?? string(at(range, "text"));
}

/** Where the value lies between the ends of its usual range. The words under it say the same. */
function RangeBar({ value, range }: { value: Maybe; range: Maybe }) {
  const words = rangeText(range);
  if (words === undefined) return null;
  const [measured, low, high] = [number(at(value, "value")), number(at(range, "low", "value")), number(at(range, "high", "value"))];
  const usual = <p class="fhir-quiet">{text.fhir.usualRange(words)}</p>;
  if (measured === undefined || low === undefined || high === undefined || high <= low) return usual;
  // The usual range takes the middle half; what lies far outside stays at the end.
  const place = Math.min(98, Math.max(2, 25 + (50 * (measured - low)) / (high - low)));
  return (
    <div class="fhir-range">
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="fhir-range-all" x="0" y="2" width="100" height="4" rx="1" />
        <rect class="fhir-range-usual" x="25" y="2" width="50" height="4" />
      </svg>
      <span class="fhir-range-mark" style={{ insetInlineStart: `${place}%` }} aria-hidden="true" />
      <span class="fhir-range-end" style={{ insetInlineStart: "25%" }} aria-hidden="true">
        {amount(low)}
      </span>
      <span class="fhir-range-end" style={{ insetInlineStart: "75%" }} aria-hidden="true">
        {amount(high)}
      </span>
      {usual}
    </div>
  );
}

export function Notes({ resource }: { resource: Resource }) {
  const notes = items(resource["note"]).flatMap((note) => string(at(note, "text")) ?? []);
  if (notes.length === 0) return null;
  return (
    <Section title={text.fhir.notes}>
      {notes.map((note, index) => (
        <NoteText key={index}>{note}</NoteText>
      ))}
    </Section>
  );
}

/** The same measurement over time; of one with parts, each part. */
function trends(resource: Resource, related: readonly Related[]): Series[] {
  const alike = [resource, ...related.map((one) => one.resource).filter((one) => one !== resource && one.resourceType === "Observation")];
  const parts: { code: Maybe; value: (of: Resource) => Maybe }[] =
    resource["valueQuantity"] !== undefined
      ? [{ code: resource["code"], value: (of) => (sameCode(of["code"], resource["code"]) ? of["valueQuantity"] : undefined) }]
      : items(resource["component"]).map((part) => ({ code: at(part, "code"), value: (of) => component(of, at(part, "code")) }));
  return parts.flatMap(({ code, value }) => {
    const seen = new Set<unknown>();
    const points = alike.flatMap((one) => {
      const found = value(one);
      const [measured, when] = [number(at(found, "value")), clinicalDate(one)];
      if (measured === undefined || when === undefined || one["status"] === "entered-in-error" || seen.has(one["id"] ?? one)) return [];
      seen.add(one["id"] ?? one);
      return [
        {
          when,
          value: measured,
          unit: unit(found),
          text: quantity(found) ?? "",
          day: day(when) ?? "",
          flag: flagOf(one["interpretation"]),
          own: one === resource,
        },
      ];
    });
    // Values of other units would be drawn at a false height.
    const same = points.filter((point) => point.unit === points[0]?.unit).sort((a, b) => a.when.localeCompare(b.when));
    const range = items(resource["referenceRange"])[0];
    const [low, high] = [number(at(range, "low", "value")), number(at(range, "high", "value"))];
    return same.length < 2 ? [] : [{ name: concept(code) ?? text.fhir.measured, unit: same[0]?.unit ?? "", points: same, low, high }];
  });
}

function component(resource: Resource, code: Maybe): Maybe {
  const part = items(resource["component"]).find((one: Json) => sameCode(at(one, "code"), code));
  return at(part, "valueQuantity");
}

function sameCode(one: Maybe, other: Maybe): boolean {
  const codes = (value: Maybe) =>
    items(at(value, "coding")).map((coding) => `${string(at(coding, "system")) ?? ""}|${string(at(coding, "code")) ?? ""}`);
  const wanted = codes(other);
  if (wanted.length === 0) return concept(one) !== undefined && concept(one) === concept(other);
  return codes(one).some((code) => wanted.includes(code));
}
