// Allergies, conditions, medicines, vaccinations, procedures, visits, scans, devices, plans and people.
import type { ComponentChildren } from "preact";
import { text } from "../../text";
import { Tag } from "../../ui";
import { at, choice, items, string, type Maybe } from "../json";
import { Facts, Headline, referenceName, NOTHING, Rows, Section, type Fact, type ViewProps } from "../parts";
import { doseNumber, medication } from "../summary";
import {
  address,
  anyValue,
  codeList,
  concept,
  concepts,
  day,
  dosage,
  listed,
  moment,
  officialName,
  period,
  personName,
  quantity,
  status,
} from "../words";
import { Notes } from "./results";

/** When, as any of the shapes that FHIR allows for it. */
function when(value: Maybe, stem: string): string | undefined {
  return anyValue(choice(value, stem));
}

function names(references: Maybe, props: ViewProps): string | undefined {
  return listed([...new Set(items(references).flatMap((one) => referenceName(one, props) ?? []))]);
}

/** Who took part: `performer[].actor`, or the references themselves. */
function actors(value: Maybe, props: ViewProps): string | undefined {
  return names(
    items(value).map((one) => at(one, "actor") ?? one),
    props,
  );
}

function coded({ resource }: ViewProps): Fact[] {
  return [
    [text.fhir.officialName, officialName(resource["code"])],
    [text.fhir.code, codeList(resource["code"])],
  ];
}

export function AllergyView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const high = resource["criticality"] === "high";
  const reactions = items(resource["reaction"]);
  const substances = concepts(items(at(resource, "code", "coding")));
  return (
    <>
      <Headline note={high ? <Tag kind="bad">{words.highRisk}</Tag> : undefined} />
      {reactions.length > 0 && (
        <Rows
          caption={words.reactions}
          head={[words.reaction, words.severity, words.when]}
          rows={reactions.map((reaction) => [
            listed(concepts(at(reaction, "manifestation"))) ?? string(at(reaction, "description")) ?? words.reaction,
            at(reaction, "severity") === undefined ? NOTHING : <Severity value={at(reaction, "severity")} />,
            day(at(reaction, "onset")) ?? NOTHING,
          ])}
        />
      )}
      <Facts
        facts={[
          [words.alsoNamed, substances.length > 1 ? substances.slice(1).join(", ") : undefined],
          [words.risk, concept(resource["criticality"])],
          [words.status, status(resource["clinicalStatus"])],
          [words.certainty, concept(resource["verificationStatus"])],
          [words.sort, listed([...concepts(resource["category"]), ...concepts(resource["type"])])],
          [words.began, when(resource, "onset")],
          [words.lastSeen, day(resource["lastOccurrence"])],
          [words.recorded, day(resource["recordedDate"])],
          [words.recordedBy, referenceName(resource["recorder"], props)],
          [words.code, codeList(resource["code"])],
        ]}
      />
      <Notes resource={resource} />
    </>
  );
}

function Severity({ value }: { value: Maybe }) {
  const said = concept(value);
  if (said === undefined) return null;
  return value === "severe" ? <Tag kind="bad">{said}</Tag> : value === "moderate" ? <Tag kind="warning">{said}</Tag> : <Tag>{said}</Tag>;
}

export function ConditionView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  return (
    <>
      <Headline note={<Standing value={resource["clinicalStatus"]} />} />
      <Facts
        facts={[
          [words.severity, concept(resource["severity"])],
          [words.began, when(resource, "onset")],
          [words.ended, when(resource, "abatement")],
          [words.certainty, concept(resource["verificationStatus"])],
          [words.sort, listed(concepts(resource["category"]))],
          [words.bodySite, listed(concepts(resource["bodySite"]))],
          [words.stage, concept(at(resource, "stage", "summary"))],
          [words.recorded, day(resource["recordedDate"])],
          [words.recordedBy, referenceName(resource["recorder"] ?? resource["asserter"], props)],
          [words.visit, referenceName(resource["encounter"], props)],
          ...coded(props),
        ]}
      />
      <Notes resource={resource} />
    </>
  );
}

function Standing({ value }: { value: Maybe }) {
  const said = status(value);
  return said === undefined ? null : <Tag>{said}</Tag>;
}

export function MedicationView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const doses = [...items(resource["dosageInstruction"]), ...items(resource["dosage"])];
  const spoken = doses.flatMap((dose) => dosage(dose) ?? []);
  const elsewhere =
    medication(resource) === undefined
      ? referenceName(resource["medicationReference"] ?? at(resource, "medication", "reference"), props)
      : undefined;
  const dispense = resource["dispenseRequest"];
  return (
    <>
      <Headline note={<Standing value={resource["status"]} />} />
      {spoken.length > 0 && (
        <Section title={words.howToTake}>
          {spoken.length === 1 ? (
            <p>{spoken[0]}</p>
          ) : (
            <ol>
              {spoken.map((one, index) => (
                <li key={index}>{one}</li>
              ))}
            </ol>
          )}
          {doses
            .flatMap((dose) => string(at(dose, "patientInstruction")) ?? [])
            .map((one, index) => (
              <p key={index}>{one}</p>
            ))}
        </Section>
      )}
      <Facts
        facts={[
          [words.kinds.Medication, elsewhere],
          [words.prescribed, moment(resource["authoredOn"])],
          [
            words.taken,
            when(resource, "effective") ??
              when(resource, "occurence") ??
              period(at(resource, "dosageInstruction", "timing", "repeat", "boundsPeriod")),
          ],
          [words.handedOut, moment(resource["whenHandedOver"])],
          [words.prescribedBy, referenceName(resource["requester"], props)],
          [words.who, actors(resource["performer"], props)],
          [
            words.reason,
            listed([...concepts(resource["reasonCode"]), ...concepts(resource["reason"])]) ?? names(resource["reasonReference"], props),
          ],
          [words.quantity, quantity(at(dispense, "quantity")) ?? quantity(resource["quantity"])],
          [words.supplyFor, quantity(at(dispense, "expectedSupplyDuration"))],
          [words.repeats, anyValue(choice(dispense, "numberOfRepeats")) ?? repeats(at(dispense, "numberOfRepeatsAllowed"))],
          [words.validUntil, day(at(dispense, "validityPeriod", "end"))],
          [words.intent, concept(resource["intent"])],
          [words.stoppedBecause, concept(resource["statusReason"])],
          [words.visit, referenceName(resource["encounter"] ?? resource["context"], props)],
          [words.code, codeList(resource["medicationCodeableConcept"] ?? at(resource, "medication", "concept"))],
        ]}
      />
      <Notes resource={resource} />
    </>
  );
}

function repeats(value: Maybe): string | undefined {
  return typeof value === "number" ? String(value) : undefined;
}

export function ImmunizationView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const done = resource["status"] === "completed";
  return (
    <>
      <Headline
        note={done ? <Tag kind="good">{words.given}</Tag> : <Tag kind="warning">{status(resource["status"]) ?? words.notGiven}</Tag>}
      />
      <Facts
        facts={[
          [words.when, when(resource, "occurrence")],
          [words.protectsAgainst, listed(concepts(at(resource, "protocolApplied", "targetDisease")))],
          [words.doseLabel, doseNumber(resource)],
          [words.why, concept(resource["statusReason"])],
          [words.bodySite, concept(resource["site"])],
          [words.route, concept(resource["route"])],
          [words.quantity, quantity(resource["doseQuantity"])],
          [words.maker, referenceName(resource["manufacturer"], props)],
          [words.lot, string(resource["lotNumber"])],
          [words.expires, day(resource["expirationDate"])],
          [words.who, actors(resource["performer"], props)],
          [words.where, referenceName(resource["location"], props)],
          [words.visit, referenceName(resource["encounter"], props)],
          [words.code, codeList(resource["vaccineCode"])],
        ]}
      />
      <Notes resource={resource} />
    </>
  );
}

export function ProcedureView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  return (
    <>
      <Headline note={<Standing value={resource["status"]} />} />
      <Facts
        facts={[
          [words.when, when(resource, "performed") ?? when(resource, "occurrence")],
          [words.who, actors(resource["performer"], props)],
          [words.where, referenceName(resource["location"], props)],
          [
            words.reason,
            listed([...concepts(resource["reasonCode"]), ...concepts(resource["reason"])]) ?? names(resource["reasonReference"], props),
          ],
          [words.bodySite, listed(concepts(resource["bodySite"]))],
          [words.outcome, concept(resource["outcome"])],
          [words.complications, listed(concepts(resource["complication"]))],
          [words.followUp, listed(concepts(resource["followUp"]))],
          [words.visit, referenceName(resource["encounter"], props)],
          ...coded(props),
        ]}
      />
      <Notes resource={resource} />
    </>
  );
}

export function EncounterView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const kind = concept(resource["class"]);
  return (
    <>
      <Headline note={kind === undefined ? undefined : <Tag>{kind}</Tag>} />
      <Facts
        facts={[
          [words.when, visitTime(resource["period"] ?? resource["actualPeriod"])],
          [
            words.reason,
            listed([...concepts(resource["reasonCode"]), ...concepts(at(resource, "reason", "value"))]) ??
              names(resource["reasonReference"], props),
          ],
          [
            words.diagnoses,
            names(
              items(resource["diagnosis"]).map((one) => at(one, "condition") ?? null),
              props,
            ),
          ],
          [
            words.who,
            names(
              items(resource["participant"]).map((one) => at(one, "individual") ?? at(one, "actor") ?? null),
              props,
            ),
          ],
          [words.clinic, referenceName(resource["serviceProvider"], props)],
          [
            words.where,
            names(
              items(resource["location"]).map((one) => at(one, "location") ?? null),
              props,
            ),
          ],
          [words.discharge, concept(at(resource, "hospitalization", "dischargeDisposition"))],
          [words.status, status(resource["status"])],
        ]}
      />
    </>
  );
}

function visitTime(value: Maybe): string | undefined {
  const [start, end] = [moment(at(value, "start")), moment(at(value, "end"))];
  return start === undefined ? period(value) : end === undefined || end === start ? start : text.fhir.fromTo(start, end);
}

export function CarePlanView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const activities = items(resource["activity"]).map((activity) => ({
    name:
      concept(at(activity, "detail", "code")) ??
      string(at(activity, "detail", "description")) ??
      referenceName(at(activity, "reference") ?? at(activity, "plannedActivityReference"), props),
    status: status(at(activity, "detail", "status")),
  }));
  return (
    <>
      <Headline note={<Standing value={resource["status"]} />} />
      {string(resource["description"]) !== undefined && <p>{string(resource["description"])}</p>}
      {activities.length > 0 && (
        <Section title={words.whatToDo}>
          <ul>
            {activities.map((one, index) => (
              <li key={index}>
                {one.name ?? words.unnamed}
                {one.status !== undefined && (
                  <>
                    {" "}
                    <Tag>{one.status}</Tag>
                  </>
                )}
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Facts
        facts={[
          [words.time, period(resource["period"])],
          [words.goals, names(resource["goal"], props)],
          [words.addresses, names(resource["addresses"], props)],
          [words.team, names(resource["careTeam"], props)],
          [words.madeBy, referenceName(resource["author"], props)],
          [words.visit, referenceName(resource["encounter"], props)],
        ]}
      />
      <Notes resource={resource} />
    </>
  );
}

export function CareTeamView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const members = items(resource["participant"]).map((one): ComponentChildren[] => [
    referenceName(at(one, "member"), props) ?? words.notNamed,
    listed(concepts(at(one, "role"))) ?? NOTHING,
    period(at(one, "period")) ?? NOTHING,
  ]);
  return (
    <>
      <Headline note={<Standing value={resource["status"]} />} />
      {members.length > 0 && <Rows caption={words.kinds.CareTeam} head={[words.name, words.role, words.time]} rows={members} />}
      <Facts
        facts={[
          [words.time, period(resource["period"])],
          [words.clinic, names(resource["managingOrganization"], props)],
          [words.reason, listed(concepts(resource["reasonCode"]))],
        ]}
      />
    </>
  );
}

export function PersonView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  return (
    <>
      <Facts
        facts={[
          [words.born, day(resource["birthDate"])],
          [words.died, moment(resource["deceasedDateTime"])],
          [words.gender, concept(resource["gender"])],
          [words.relationship, listed(concepts(resource["relationship"]))],
          ...contact(props),
          [words.languages, listed(concepts(items(resource["communication"]).map((one) => at(one, "language") ?? one)))],
          [words.maritalStatus, concept(resource["maritalStatus"])],
          [words.doctor, names(resource["generalPractitioner"], props)],
          [words.contacts, listed(items(resource["contact"]).flatMap((one) => contactPerson(one) ?? []))],
          [words.qualification, listed(concepts(items(resource["qualification"]).map((one) => at(one, "code") ?? null)))],
          ...identifiers(props),
        ]}
      />
    </>
  );
}

function contactPerson(value: Maybe): string | undefined {
  const parts = [personName(at(value, "name")), listed(concepts(at(value, "relationship"))), string(at(value, "telecom", "value"))];
  const said = parts.filter((part) => part !== undefined).join(", ");
  return said === "" ? undefined : said;
}

function contact({ resource }: ViewProps): Fact[] {
  const telecom = items(resource["telecom"]).flatMap((one): Fact[] => {
    const value = string(at(one, "value"));
    const label = concept(at(one, "system")) ?? text.fhir.contact;
    const use = concept(at(one, "use"));
    return value === undefined ? [] : [[use === undefined ? label : text.fhir.contactUse(label, use.toLowerCase()), value]];
  });
  const addresses = items(resource["address"]).flatMap((one) => address(one) ?? []);
  return [...telecom, [text.fhir.address, addresses.length === 0 ? undefined : addresses.map((one) => <div key={one}>{one}</div>)]];
}

function identifiers({ resource }: ViewProps): Fact[] {
  return items(resource["identifier"]).flatMap((one): Fact[] => {
    const [label, value] = [concept(at(one, "type")), string(at(one, "value"))];
    return label === undefined || value === undefined ? [] : [[label, value]];
  });
}

export function OrganisationView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  return (
    <>
      <Facts
        facts={[
          [words.name, referenceName(resource["practitioner"], props)],
          [words.sort, listed(concepts(resource["type"]))],
          [words.specialty, listed(concepts(resource["specialty"]))],
          [words.role, listed(concepts(resource["code"]))],
          [words.clinic, referenceName(resource["organization"] ?? resource["managingOrganization"] ?? resource["partOf"], props)],
          ...contact(props),
          ...identifiers(props),
        ]}
      />
    </>
  );
}

export function DeviceView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  return (
    <>
      <Headline note={<Standing value={resource["status"]} />} />
      <Facts
        facts={[
          [words.maker, string(resource["manufacturer"])],
          [words.model, string(resource["modelNumber"])],
          [words.serial, string(resource["serialNumber"])],
          [words.lot, string(resource["lotNumber"])],
          [words.made, day(resource["manufactureDate"])],
          [words.expires, day(resource["expirationDate"])],
          [words.deviceId, string(at(resource, "udiCarrier", "deviceIdentifier"))],
          [words.deviceLabel, string(at(resource, "udiCarrier", "carrierHRF"))],
          [words.safety, listed(concepts(resource["safety"]))],
        ]}
      />
      <Notes resource={resource} />
    </>
  );
}

export function ImagingView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const series = items(resource["series"]).map((one): ComponentChildren[] => [
    string(at(one, "description")) ?? string(at(one, "instance", "title")) ?? concept(at(one, "modality")) ?? words.unnamed,
    concept(at(one, "modality")) ?? NOTHING,
    concept(at(one, "bodySite")) ?? NOTHING,
    typeof at(one, "numberOfInstances") === "number" ? String(at(one, "numberOfInstances")) : String(items(at(one, "instance")).length),
  ]);
  return (
    <>
      <Headline note={<Standing value={resource["status"]} />} />
      {series.length > 0 && <Rows caption={words.series} head={[words.series, words.method, words.bodySite, words.images]} rows={series} />}
      <Facts
        facts={[
          [words.when, moment(resource["started"])],
          [words.reason, listed(concepts(resource["reasonCode"]))],
          [words.who, names(resource["interpreter"], props)],
          [words.orderedBy, referenceName(resource["referrer"], props)],
          [words.where, referenceName(resource["location"], props)],
          [words.visit, referenceName(resource["encounter"], props)],
        ]}
      />
      <p class="fhir-quiet">{words.imagesApart}</p>
      <Notes resource={resource} />
    </>
  );
}

export function SupplyView(props: ViewProps) {
  const { resource } = props;
  const words = text.fhir;
  const item = at(resource, "suppliedItem");
  return (
    <>
      <Headline note={<Standing value={resource["status"]} />} />
      <Facts
        facts={[
          [words.quantity, quantity(at(item, "quantity"))],
          [words.when, when(resource, "occurrence")],
          [words.supplier, referenceName(resource["supplier"], props)],
          [words.sort, concept(resource["type"])],
        ]}
      />
    </>
  );
}
