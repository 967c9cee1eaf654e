// Packages of drugs: what one is that the patient has in hand, and whether any in the chart was recalled.
import type { Hex } from "../../core/core";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, FaultNotice, Link, Notice, PageTitle, useTask } from "../../ui";
import { PackageForm, VerdictOf, type InHand } from "../supply/package";
import "../../style/insurer.css";

export default function Medicines({ chart }: { chart: Hex }) {
  const words = text.supply;
  const { core } = useSession();
  const inspect = useTask(({ tickets, scan }: InHand) => core.inspectPackage(tickets, scan, true));
  const look = useTask(() => core.recalledPackages(chart, "PATRQT"));
  const found = look.result;
  return (
    <>
      <PageTitle title={words.medicines}>{words.medicinesLead}</PageTitle>
      <div class="stack">
        <Card title={words.recalledTitle}>
          <p class="muted">{words.recalledHelp}</p>
          <div class="row"><Button variant="primary" busy={look.busy} onClick={() => void look.run()}>{words.lookForRecalls}</Button></div>
          <FaultNotice error={look.error} />
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

/** The contract counts classes and reasons from 1, in this order. */
function nth(names: Record<string, string>, number: number): string {
  return Object.values(names)[number - 1] ?? String(number);
}
