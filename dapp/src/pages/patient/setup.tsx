import { useEffect, useState } from "preact/hooks";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, FaultNotice, Link, Notice, PageTitle, Spinner, TransactionDialog, useLoaded, useTask } from "../../ui";

/** What is left to do before there is a chart: it is shown in place of the pages that need one. */
export function Setup() {
  const { core, me, reloadCharts } = useSession();
  const published = useLoaded(() => core.isPublished(), []);
  const [asked, setAsked] = useState(false);
  const [made, setMade] = useState(false);
  const indexed = useIndexed();
  const look = useTask(reloadCharts);
  useEffect(() => {
    // The chart is there once the index has it; what the dialog says is read first.
    if (made && !asked) void look.run();
  }, [made, asked, indexed]);
  if (published.result === undefined) {
    return published.error ? <FaultNotice error={published.error} onRetry={() => void published.run()} /> : <Spinner />;
  }
  const isPublished = published.result;
  if (made && !asked) {
    return look.error ? <FaultNotice error={look.error} onRetry={() => void look.run()} /> : <Spinner label={text.records.listing} />;
  }
  return (
    <>
      <PageTitle title={text.setup.title}>{text.setup.lead}</PageTitle>
      <div class="stack">
        <Card>
          <ol class="plan">
            {!isPublished && <li><strong>{text.setup.publish}</strong><span class="muted">{text.setup.publishWhy}</span></li>}
            <li><strong>{text.setup.chart}</strong><span class="muted">{text.setup.chartWhy}</span></li>
          </ol>
          {!me.relayed && <Notice>{text.setup.money}</Notice>}
          <div><Button variant="primary" onClick={() => setAsked(true)}>{text.setup.doIt}</Button></div>
        </Card>
        <Card>
          <p>{text.setup.role}</p>
          <div class="row">
            <Link to="/provider" class="button">{text.setup.asProvider}</Link>
            <Link to="/insurer" class="button">{text.setup.asInsurer}</Link>
          </div>
        </Card>
      </div>
      {asked && (
        <TransactionDialog
          title={text.setup.title} confirm={text.setup.doIt}
          summary={isPublished ? text.setup.summaryChart : text.setup.summary}
          details={[{ label: text.setup.whatPublic, value: text.setup.whatPublicValue }]}
          act={async (watch) => {
            if (!(await core.isPublished())) await core.publishKey(watch);
            return core.openChart(watch);
          }}
          outcome={() => <Notice kind="good">{text.setup.done}</Notice>}
          onClose={() => setAsked(false)}
          onDone={() => setMade(true)}
        />
      )}
    </>
  );
}
