// A record opened: what a person wants to know first, then everything in it, then how it is written.
import { useState, useEffect } from "preact/hooks";
import type { ComponentType } from "preact";
import type { RecordDocument } from "../core/core";
import { own } from "../own";
import { text } from "../text";
import { Boundary, CopyButton, Notice, Spinner } from "../ui";
import type { ViewProps } from "./parts";
import { isFhir, useRelated, useResource } from "./resource";
import { summarise } from "./summary";
import { ClaimView, CoverageView } from "./views/claims";
import {
  AllergyView,
  CarePlanView,
  CareTeamView,
  ConditionView,
  DeviceView,
  EncounterView,
  ImagingView,
  ImmunizationView,
  MedicationView,
  OrganisationView,
  PersonView,
  ProcedureView,
  SupplyView,
} from "./views/clinical";
import { DocumentView, FileView } from "./views/files";
import { GenericView } from "./views/generic";
import { ObservationView, ReportView } from "./views/results";
import "../style/fhir.css";

const VIEWS: Record<string, ComponentType<ViewProps>> = {
  AllergyIntolerance: AllergyView,
  Binary: DocumentView,
  CarePlan: CarePlanView,
  CareTeam: CareTeamView,
  Claim: ClaimView,
  Condition: ConditionView,
  Coverage: CoverageView,
  Device: DeviceView,
  DiagnosticReport: ReportView,
  DocumentReference: DocumentView,
  Encounter: EncounterView,
  ExplanationOfBenefit: ClaimView,
  HealthcareService: OrganisationView,
  ImagingStudy: ImagingView,
  Immunization: ImmunizationView,
  Location: OrganisationView,
  Media: DocumentView,
  MedicationAdministration: MedicationView,
  MedicationDispense: MedicationView,
  MedicationRequest: MedicationView,
  MedicationStatement: MedicationView,
  Observation: ObservationView,
  Organization: OrganisationView,
  Patient: PersonView,
  Person: PersonView,
  Practitioner: PersonView,
  PractitionerRole: OrganisationView,
  Procedure: ProcedureView,
  RelatedPerson: PersonView,
  SupplyDelivery: SupplyView,
};

/** Where there is no related record. One list, so that it is the same at every rendering. */
const NONE: readonly RecordDocument[] = [];

export interface RecordViewProps {
  document: RecordDocument;
  /** Others of the chart that are opened: names of who and where, results of a report, earlier values. */
  related?: readonly RecordDocument[];
}

/** Begins with the record's title; the page's h1 is `summarise(document).kind`. */
export function RecordView({ document, related = NONE }: RecordViewProps) {
  const resource = useResource(document);
  const others = useRelated(related);
  if (resource === undefined) return <Spinner />;
  if (resource === null) return <NotFhir document={document} />;
  const View = own(VIEWS, resource.resourceType);
  return (
    <div class="fhir">
      <Boundary of={document} fallback={() => <Notice kind="warning">{text.fhir.viewFailed}</Notice>}>
        <Title document={document} />
        {retracted(resource["status"], resource["verificationStatus"]) && <Notice kind="warning">{text.fhir.enteredByMistake}</Notice>}
        {View === undefined ? <GenericView resource={resource} related={others} /> : <View resource={resource} related={others} />}
        {View !== undefined && <Everything resource={resource} related={others} />}
      </Boundary>
      <Technical document={document} />
    </div>
  );
}

function Title({ document }: { document: RecordDocument }) {
  const { title, kind } = summarise(document);
  return title === kind ? null : <h2 class="fhir-title">{title}</h2>;
}

function retracted(...states: unknown[]): boolean {
  return states.some((state) => JSON.stringify(state ?? null).includes('"entered-in-error"'));
}

function NotFhir({ document }: { document: RecordDocument }) {
  const { mediaType } = document.metadata;
  return (
    <div class="fhir">
      <Title document={document} />
      {isFhir(document) && <Notice kind="warning">{text.fhir.notReadable}</Notice>}
      <Boundary of={document} fallback={() => <Notice kind="warning">{text.fhir.viewFailed}</Notice>}>
        <FileView blob={document.content} mediaType={mediaType} name={summarise(document).title} />
      </Boundary>
    </div>
  );
}

/** Rendered when it is opened: a claim may have hundreds of elements. */
function Everything(props: ViewProps) {
  const [open, setOpen] = useState(false);
  return (
    <details class="fhir-more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text.fhir.everything}</summary>
      {open && (
        <Boundary of={props.resource} fallback={() => <Notice kind="warning">{text.fhir.viewFailed}</Notice>}>
          <GenericView {...props} />
        </Boundary>
      )}
    </details>
  );
}

function Technical({ document }: { document: RecordDocument }) {
  const [open, setOpen] = useState(false);
  const [source, setSource] = useState<string | null>(null);
  useEffect(() => {
    let here = true;
    if (open) void document.content.text().then((content) => here && setSource(content));
    return () => {
      here = false;
    };
  }, [open, document]);
  return (
    <details class="fhir-more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text.fhir.technical}</summary>
      {source !== null && (
        <>
          <CopyButton value={source}>{text.fhir.copySource}</CopyButton>
          <pre tabIndex={0} aria-label={text.fhir.technical}>
            {pretty(source)}
          </pre>
        </>
      )}
    </details>
  );
}

/** A record that is nested to exhaust the page would be mostly spaces. */
const INDENT_MAX = 20;

/** Line breaks and indents, the numbers as they are written: JSON.parse would lose the zero of 5.40. */
function pretty(source: string): string {
  let indent = 0;
  const line = () => `\n${"  ".repeat(Math.min(INDENT_MAX, Math.max(0, indent)))}`;
  return source.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+|\s+/g, (token) => {
    if (token === "{" || token === "[") {
      indent++;
      return token + line();
    }
    if (token === "}" || token === "]") {
      indent--;
      return line() + token;
    }
    if (token === ",") return token + line();
    return token === ":" ? ": " : token.trim() === "" ? "" : token;
  });
}
