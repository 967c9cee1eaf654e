import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { Grant } from "../../core/core";
import { categoryNames } from "../../fhir";
import { own } from "../../own";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Empty, FaultNotice, Field, Link, PageTitle, PersonIcon, Spinner, Tag, Time, useTask } from "../../ui";
import { useGrants } from "./basis";
import { usePatientName } from "./patient-name";
import { mayWrite, standing } from "./shared";

/** From here on people search instead of looking. */
const SEARCHED = 8;

export function Patients() {
  const words = text.provider;
  const { names } = useSession();
  const grants = useGrants();
  // It is loaded again by itself, too, which is no news.
  const refresh = useTask(() => grants.run());
  const [search, setSearch] = useState("");
  const all = [...(grants.result ?? [])].sort(
    (one, other) =>
      Number(standing(one, now()) === "ended") - Number(standing(other, now()) === "ended") || other.granted_at - one.granted_at,
  );
  const found = all.filter((grant) => `${names.get(grant.chart) ?? ""} ${grant.chart}`.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <>
      <PageTitle
        title={words.patients}
        aside={
          <Button size="small" busy={refresh.busy} onClick={() => void refresh.run()}>
            {words.refresh}
          </Button>
        }
      >
        {words.patientsLead}
      </PageTitle>
      <div class="stack">
        <FaultNotice error={grants.error} onRetry={() => void grants.run()} />
        {grants.result === undefined && grants.error === null && <Spinner />}
        {grants.result !== undefined && all.length === 0 && (
          <Empty icon={<PersonIcon size={28} />} title={words.noPatients}>
            <p>{words.noPatientsHelp}</p>
            <Link to="/provider/identity" class="button primary">
              {words.identity}
            </Link>
          </Empty>
        )}
        {all.length > SEARCHED && <Field label={words.searchPatients} type="search" value={search} onInput={setSearch} />}
        {all.length > SEARCHED && (
          <p class="muted small" role="status">
            {words.patientCount(found.length, all.length)}
          </p>
        )}
        <ul role="list" class="patient-list">
          {found.map((grant) => (
            <li key={grant.chart}>
              <PatientRow grant={grant} />
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

function PatientRow({ grant }: { grant: Grant }) {
  const words = text.provider;
  const name = usePatientName(grant.chart);
  const state = standing(grant, now());
  return (
    <Link to={`/provider/chart/${grant.chart}`} class="card patient-row">
      <span class="row apart">
        <strong class="large">{name}</strong>
        <span class="row">
          {mayWrite(grant) && state === "current" && <Tag>{words.mayAdd}</Tag>}
          <StandingTag grant={grant} />
        </span>
      </span>
      <span>{categoryNames(grant.compartments)}</span>
      <span class="muted small">
        {words.forPurposes(grant.purposes.map((purpose) => own(text.purposes, purpose)?.name ?? purpose))}
        {" · "}
        {grant.expiry === 0 ? (
          words.noEnd
        ) : state === "ended" ? (
          <>
            {words.endedOn} <Time at={grant.expiry} />
          </>
        ) : (
          <>
            {words.untilDay} <Time at={grant.expiry} />
          </>
        )}
      </span>
    </Link>
  );
}

export function StandingTag({ grant }: { grant: Grant }) {
  const words = text.provider;
  const state = standing(grant, now());
  if (state === "current") return <Tag kind="good">{words.current}</Tag>;
  return state === "ended" ? <Tag kind="bad">{words.ended}</Tag> : <Tag kind="warning">{words.later}</Tag>;
}
