// Insurance: cover, what was charged, and what was paid.
import { text } from "../../text";
import { Tag } from "../../ui";
import { at, items, string, type Maybe } from "../json";
import { Facts, Headline, referenceName, NOTHING, Rows, type ViewProps } from "../parts";
import { total } from "../summary";
import { concept, concepts, day, listed, money, period, status } from "../words";

export function ClaimView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const adjudicated = resource.resourceType === "ExplanationOfBenefit";
  const state = status(adjudicated ? resource["outcome"] : resource["status"]);
  const services = items(resource["item"]);
  const categories = [
    ...new Set(services.flatMap((item) => items(at(item, "adjudication")).flatMap((one) => concept(at(one, "category")) ?? []))),
  ];
  const totals = items(resource["total"]).flatMap((one) => {
    const [label, sum] = [concept(at(one, "category")), money(at(one, "amount"))];
    return label === undefined || sum === undefined ? [] : [[label, sum] as [string, string]];
  });
  return (
    <>
      <Headline note={state === undefined ? undefined : <Tag>{state}</Tag>}>{total(resource, "submitted") ?? total(resource)}</Headline>
      {services.length > 0 && (
        <Rows
          caption={words.services}
          head={[words.service, ...(adjudicated && categories.length > 0 ? categories : [words.price])]}
          rows={services.map((item) => [
            <>
              {concept(at(item, "productOrService")) ?? words.unnamed}
              {served(item) !== undefined && <span class="fhir-quiet"> {served(item)}</span>}
            </>,
            ...(adjudicated && categories.length > 0
              ? categories.map(
                  (category) =>
                    money(
                      at(
                        items(at(item, "adjudication")).find((one) => concept(at(one, "category")) === category),
                        "amount",
                      ),
                    ) ?? NOTHING,
                )
              : [money(at(item, "net")) ?? money(at(item, "unitPrice")) ?? NOTHING]),
          ])}
        />
      )}
      <Facts
        facts={[
          ...totals.map(([label, sum]): [string, string] => [words.totalOf(label), sum]),
          [words.paid, money(at(resource, "payment", "amount"))],
          [words.paidOn, day(at(resource, "payment", "date"))],
          [words.time, period(resource["billablePeriod"])],
          [words.made, day(resource["created"])],
          [words.sort, listed(concepts(resource["type"]))],
          [words.insurer, referenceName(resource["insurer"], props)],
          [words.clinic, referenceName(resource["provider"], props)],
          [words.cover, referenceName(at(resource, "insurance", "coverage"), props)],
          [
            words.diagnoses,
            listed(
              items(resource["diagnosis"]).flatMap(
                (one) => concept(at(one, "diagnosisCodeableConcept")) ?? referenceName(at(one, "diagnosisReference"), props) ?? [],
              ),
            ),
          ],
          [words.says, string(resource["disposition"])],
        ]}
      />
    </>
  );
}

function served(item: Maybe): string | undefined {
  return day(at(item, "servicedDate")) ?? period(at(item, "servicedPeriod"));
}

export function CoverageView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const state = status(resource["status"]);
  return (
    <>
      <Headline note={state === undefined ? undefined : <Tag>{state}</Tag>} />
      <Facts
        facts={[
          [words.insurer, listed(items(resource["payor"] ?? resource["insurer"]).flatMap((one) => referenceName(one, props) ?? []))],
          [words.sort, concept(resource["type"])],
          [words.time, period(resource["period"])],
          [words.memberNumber, string(resource["subscriberId"])],
          [words.relationship, concept(resource["relationship"])],
          ...items(resource["class"]).flatMap((one): [string, string][] => {
            const [label, value] = [concept(at(one, "type")) ?? words.sort, string(at(one, "name")) ?? string(at(one, "value"))];
            return value === undefined ? [] : [[label, value]];
          }),
        ]}
      />
    </>
  );
}
