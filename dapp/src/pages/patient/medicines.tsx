// Packages of drugs: what one is that the patient has in hand, and whether any in the chart was recalled.
import type { Core, Hex, RecalledPackage } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, FaultNotice, Link, Notice, PageTitle, useLoaded, useTask } from "../../ui";
import { PackageForm, VerdictOf, type InHand } from "../supply/package";
import "../../style/insurer.css";

export default function Medicines({ chart }: { chart: Hex }) {
  const words = text.supply;
  const { core } = useSession();
  const inspect = useTask(({ tickets, scan }: InHand) => core.inspectOwnPackage(tickets, scan, chart, "PATRQT"));
  const opened = useLoaded(() => recalledOnce(core, chart), [core, chart, useIndexed()]);
  const look = useTask(() => recalled(core, chart));
  const found = look.result ?? opened.result;
  return (
    <>
      <PageTitle title={words.medicines}>{words.medicinesLead}</PageTitle>
      <div class="stack">
        <Card title={words.recalledTitle}>
          <p class="muted">{words.recalledHelp}</p>
          <div class="row"><Button variant="primary" busy={look.busy || opened.busy} onClick={() => void look.run()}>{words.lookForRecalls}</Button></div>
          <FaultNotice error={look.error ?? (look.result ? null : opened.error)} />
          <div role="status">
            {found?.length === 0 && <Notice kind="good">{words.noneRecalled}</Notice>}
            {found && found.length > 0 && (
              <Notice kind="bad" title={words.someRecalled(found.length)}>
                <p>{words.someRecalledHelp}</p>
                <ul>
                  {found.map((one) => (
                    <li key={`${one.batch}-${one.index}`}><Link to={`/records/${one.record_id}`}>{nth(words.classes, one.class)}: {nth(words.recallReasons, one.reason)}</Link></li>
                  ))}
                </ul>
              </Notice>
            )}
          </div>
        </Card>
        <Card title={words.checkTitle}>
          <p class="muted">{words.checkPatient}</p>
          <PackageForm button={words.checkIt} busy={inspect.busy} onAsk={(inHand) => void inspect.run(inHand)} />
          <div class="stack" role="status">
            <FaultNotice error={inspect.error} />
            {inspect.result && <VerdictOf found={inspect.result} />}
          </div>
        </Card>
      </div>
    </>
  );
}

/** What was found in a chart, and of how many recalls and records: where these are the same, so is that. */
const looked = new WeakMap<Core, Map<Hex, { of: string; found: RecalledPackage[] }>>();

/** Reading a chart's packages leaves a receipt for each: it is not done again and again. */
async function recalledOnce(core: Core, chart: Hex): Promise<RecalledPackage[]> {
  const [recalls, records] = await Promise.all([core.recalls(), core.records(chart)]);
  const of = `${recalls.length} ${records.length}`;
  const known = looked.get(core)?.get(chart);
  if (known?.of === of) return known.found;
  const found = await recalled(core, chart);
  looked.set(core, (looked.get(core) ?? new Map<Hex, { of: string; found: RecalledPackage[] }>()).set(chart, { of, found }));
  return found;
}

function recalled(core: Core, chart: Hex): Promise<RecalledPackage[]> {
  return core.recalledPackages(chart, "PATRQT");
}

/** The contract counts classes and reasons from 1, in this order. */
function nth(names: Record<string, string>, number: number): string {
  return Object.values(names)[number - 1] ?? String(number);
}
