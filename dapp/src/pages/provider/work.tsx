import { now } from "../../clock";
import type { Grant, Hex, Version } from "../../core/core";
import { categoryName, FRAMES } from "../../fhir";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Button,
  Card,
  CheckIcon,
  Empty,
  FaultNotice,
  Link,
  Notice,
  PageTitle,
  Spinner,
  Tag,
  Time,
  explain,
  useLoaded,
  type Explained,
} from "../../ui";
import { usePatientName } from "./patient-name";
import { markSeen, seen, standing } from "./shared";

const ENDING_SECONDS = 14 * 86_400;
/** Charts that are asked at once. */
const AT_ONCE = 6;

interface Work {
  news: { grant: Grant; versions: Version[] }[];
  ending: Grant[];
  faults: { grant: Grant; error: Explained }[];
  /** When it was looked at: what comes later is new next time. */
  at: number;
}

export function WorkList() {
  const words = text.provider;
  const { core, me } = useSession();
  const work = useLoaded(() => look(), []);

  async function look(): Promise<Work> {
    const at = now();
    const grants = await core.myGrants();
    const current = grants.filter((grant) => standing(grant, at) === "current");
    const before = seen(me.address);
    const result: Work = {
      news: [],
      ending: grants.filter((grant) => grant.expiry > at - ENDING_SECONDS && grant.expiry !== 0 && grant.expiry < at + ENDING_SECONDS),
      faults: [],
      at,
    };
    for (let from = 0; from < current.length; from += AT_ONCE) {
      await Promise.all(
        current.slice(from, from + AT_ONCE).map(async (grant) => {
          try {
            const since = before[grant.chart] ?? 0;
            const versions = (await core.records(grant.chart)).filter(
              (one) => one.created_at > since && one.author !== me.address && one.compartment !== FRAMES && one.status === "current",
            );
            if (versions.length > 0) result.news.push({ grant, versions });
          } catch (error) {
            result.faults.push({ grant, error: explain(error) });
          }
        }),
      );
    }
    result.ending.sort((one, other) => one.expiry - other.expiry);
    result.news.sort((one, other) => newest(other.versions) - newest(one.versions));
    return result;
  }

  const done = (charts: Hex[], at: number) => {
    for (const chart of charts) markSeen(me.address, chart, at);
    void work.run();
  };
  const { result } = work;
  return (
    <>
      <PageTitle
        title={words.work}
        aside={
          <Button size="small" busy={work.busy} onClick={() => void work.run()}>
            {words.refresh}
          </Button>
        }
      >
        {words.workLead}
      </PageTitle>
      <div class="stack">
        <FaultNotice error={work.error} onRetry={() => void work.run()} />
        {result === undefined && work.error === null && <Spinner label={words.looking} />}
        {result !== undefined && (
          <>
            <Card
              title={words.news}
              aside={
                result.news.length > 1 && (
                  <Button
                    size="small"
                    onClick={() =>
                      done(
                        result.news.map((one) => one.grant.chart),
                        result.at,
                      )
                    }
                  >
                    {words.allSeen}
                  </Button>
                )
              }
            >
              {result.news.length === 0 ? (
                <Empty icon={<CheckIcon size={28} />} title={words.nothingNew}>
                  {words.nothingNewHelp}
                </Empty>
              ) : (
                <ul role="list" class="work-list">
                  {result.news.map(({ grant, versions }) => (
                    <li key={grant.chart}>
                      <div class="grow">
                        <PatientLink chart={grant.chart} />
                        <p>
                          {words.newRecords(versions.length)}: {counts(versions)}
                        </p>
                        <p class="muted small">
                          {words.latest} <Time at={newest(versions)} show="relative" />
                        </p>
                      </div>
                      <Button size="small" onClick={() => done([grant.chart], result.at)}>
                        {words.markSeen}
                      </Button>
                    </li>
                  ))}
                </ul>
              )}
            </Card>
            <Card title={words.ending}>
              {result.ending.length === 0 ? (
                <p class="muted">{words.noneEnding}</p>
              ) : (
                <ul role="list" class="work-list">
                  {result.ending.map((grant) => (
                    <li key={grant.chart}>
                      <div class="grow">
                        <PatientLink chart={grant.chart} />
                        <p class="muted small">
                          <Time at={grant.expiry} />
                          {" · "}
                          <Time at={grant.expiry} show="relative" />
                        </p>
                      </div>
                      {grant.expiry <= result.at ? <Tag kind="bad">{words.ended}</Tag> : <Tag kind="warning">{words.endsSoon}</Tag>}
                    </li>
                  ))}
                </ul>
              )}
              {result.ending.length > 0 && <p class="muted small">{words.endingHelp}</p>}
            </Card>
            {result.faults.map(({ grant, error }) => (
              <Notice key={grant.chart} kind="warning" title={words.couldNotLook}>
                <PatientLink chart={grant.chart} /> {error.message}
              </Notice>
            ))}
          </>
        )}
      </div>
    </>
  );
}

function PatientLink({ chart }: { chart: Hex }) {
  return (
    <Link to={`/provider/chart/${chart}`}>
      <strong>{usePatientName(chart)}</strong>
    </Link>
  );
}

function newest(versions: Version[]): number {
  return Math.max(...versions.map((version) => version.created_at));
}

/** "Lab results 3, Visits 1". */
function counts(versions: Version[]): string {
  const by = new Map<number, number>();
  for (const { compartment } of versions) by.set(compartment, (by.get(compartment) ?? 0) + 1);
  return [...by]
    .sort(([one], [other]) => one - other)
    .map(([compartment, count]) => `${categoryName(compartment)} ${count}`)
    .join(", ");
}
