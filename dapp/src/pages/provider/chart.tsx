import { useEffect, useState } from "preact/hooks";
import { now } from "../../clock";
import type { Grant, Hex, Purpose, Version } from "../../core/core";
import { categoryName, categoryNames, knownResource, summariseResource } from "../../fhir";
import { own } from "../../own";
import { useSession } from "../../state/session";
import { useStore } from "../../state/store";
import { text } from "../../text";
import {
  BackIcon,
  Button,
  Card,
  CategoryIcon,
  Empty,
  EyeIcon,
  FaultNotice,
  IconButton,
  Link,
  Notice,
  PageTitle,
  ProgressBar,
  RecordsIcon,
  RefreshIcon,
  Spinner,
  Time,
} from "../../ui";
import { NameDialog } from "../name-dialog";
import { RecordList } from "../patient/list";
import { useBasis } from "./basis";
import { Ended } from "./ended";
import { InPerson, OpenEmergency } from "./glass";
import { usePatientName } from "./patient-name";
import { StandingTag } from "./patients";
import { markSeen, mayWrite, openedOf, sharedChart, standing, type SharedChart } from "./shared";

export function ChartPage({ chart }: { chart: Hex }) {
  const words = text.provider;
  const session = useSession();
  const { me, names, organisation } = session;
  const name = usePatientName(chart);
  const shared = sharedChart(session, chart);
  const { versions, documents, faults, progress, error, ended } = useStore(shared.state);
  const { grants, grant, granted, emergency, ready, onReady, purposeFor } = useBasis(chart);
  const current = granted || (emergency !== null && organisation === null && ready);
  const [naming, setNaming] = useState(false);
  useEffect(() => {
    if (!current) return;
    const at = now();
    void shared.list().then(() => shared.state.get().error === null && markSeen(me.address, chart, at));
    // A share that took the place of another may be of other categories.
  }, [current, shared, grant?.granted_block]);
  const patient = [...documents.values()].map(knownResource).find((resource) => resource?.resourceType === "Patient");
  const suggestion = patient === undefined || patient === null ? "" : summariseResource(patient).title;
  const isOpened = (one: Version) => openedOf(documents, one) !== undefined || faults.has(one.record_id);
  const opened = versions?.filter(isOpened) ?? [];
  const locked = versions?.filter((one) => !isOpened(one)) ?? [];
  return (
    <>
      <div class="no-print">
        <Link to="/provider" class="button bare small">
          <BackIcon size={18} />
          {words.patients}
        </Link>
      </div>
      <PageTitle
        title={name}
        aside={
          <div class="row">
            <Button size="small" onClick={() => setNaming(true)}>
              {names.get(chart) === null ? words.rename : words.renameAgain}
            </Button>
            {current && (
              <IconButton label={text.records.refresh} onClick={() => void shared.list()}>
                <RefreshIcon />
              </IconButton>
            )}
          </div>
        }
      />
      <div class="stack">
        <FaultNotice error={grants.error ?? error} onRetry={() => void (grants.error === null ? shared.list() : grants.run())} />
        {grants.result === undefined && grants.error === null && <Spinner />}
        {ended && <Ended />}
        {!ended && grants.result !== undefined && grant === undefined && emergency === null && (
          <Empty title={words.notShared}>
            <p>{words.notSharedHelp}</p>
            <Link to={`/provider/emergency?chart=${chart}`} class="button">{text.glass.break}</Link>
          </Empty>
        )}
        {emergency !== null && organisation !== null && <InPerson />}
        {emergency !== null && organisation === null && <OpenEmergency chart={chart} open={emergency} onReady={onReady} />}
        {grant !== undefined && <Terms grant={grant} chart={chart} />}
        {!ended && grant !== undefined && !granted && (
          <Notice kind="warning">{standing(grant, now()) === "ended" ? words.endedHelp : words.laterHelp}</Notice>
        )}
        {current && versions === null && error === null && <Spinner label={words.listing} />}
        {current && versions?.length === 0 && (
          <Empty icon={<RecordsIcon size={28} />} title={words.noRecords}>
            {words.noRecordsHelp}
          </Empty>
        )}
        {current && progress !== null && <ProgressBar label={words.opening} done={progress.done} all={progress.all} />}
        {current && progress === null && locked.length > 0 && (
          <Locked
            locked={locked}
            onOpen={(some) => void openFor(shared, some, purposeFor)}
          />
        )}
        {opened.length > 0 && (
          <RecordList
            versions={opened}
            documents={documents}
            faults={faults}
            to={(record) => `/provider/chart/${chart}/record/${record}`}
          />
        )}
      </div>
      {naming && (
        <NameDialog
          of={chart}
          title={words.rename}
          label={words.patientName}
          hint={words.nameHint}
          save={words.saveName}
          suggestion={suggestion}
          onClose={() => setNaming(false)}
        />
      )}
    </>
  );
}

/** Each for what it may be read for. */
async function openFor(shared: SharedChart, some: Version[], purposeFor: (version: Version) => Purpose): Promise<void> {
  for (const purpose of new Set(some.map(purposeFor))) {
    const records = some.filter((one) => purposeFor(one) === purpose).map((one) => one.record_id);
    await shared.open(records, purpose);
  }
}

function Terms({ grant, chart }: { grant: Grant; chart: Hex }) {
  const words = text.provider;
  return (
    <Card title={words.terms} aside={<StandingTag grant={grant} />}>
      <dl class="facts">
        <dt>{words.what}</dt>
        <dd>{categoryNames(grant.compartments)}</dd>
        <dt>{words.why}</dt>
        <dd>{grant.purposes.map((purpose) => own(text.purposes, purpose)?.name ?? purpose).join(", ")}</dd>
        <dt>{words.until}</dt>
        <dd>{grant.expiry === 0 ? words.noEnd : <Time at={grant.expiry} />}</dd>
        <dt>{words.addRecords}</dt>
        <dd>{mayWrite(grant) ? text.fhir.yes : text.fhir.no}</dd>
      </dl>
      {mayWrite(grant) && standing(grant, now()) === "current" && (
        <div class="row">
          <Link to={`/provider/chart/${chart}/new`} class="button primary">
            {words.write}
          </Link>
        </div>
      )}
    </Card>
  );
}

/** What is there and not opened yet, by category. */
function Locked({ locked, onOpen }: { locked: Version[]; onOpen: (some: Version[]) => void }) {
  const words = text.provider;
  const categories = [...new Set(locked.map((one) => one.compartment))].sort((one, other) => one - other);
  return (
    <Card title={words.notOpened(locked.length)}>
      <Notice>{words.logged}</Notice>
      <ul role="list" class="open-list">
        {categories.map((compartment) => {
          const some = locked.filter((one) => one.compartment === compartment);
          return (
            <li key={compartment}>
              <Button onClick={() => onOpen(some)}>
                <CategoryIcon compartment={compartment} />
                {words.openCategory(categoryName(compartment), some.length)}
              </Button>
            </li>
          );
        })}
      </ul>
      {categories.length > 1 && (
        <div class="row">
          <Button variant="primary" onClick={() => onOpen(locked)}>
            <EyeIcon />
            {words.openAll(locked.length)}
          </Button>
        </div>
      )}
    </Card>
  );
}
