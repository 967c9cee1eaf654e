import { useState } from "preact/hooks";
import type { Hex } from "../../core/core";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, CopyButton, Field, PageTitle, Tag, Time, TransactionDialog, navigate } from "../../ui";

export function Charts() {
  const { core, charts, chart: shown, selectChart, reloadCharts, names } = useSession();
  const [asked, setAsked] = useState(false);
  return (
    <>
      <PageTitle title={text.charts.title}>{text.charts.lead}</PageTitle>
      <div class="stack">
        {charts?.map(({ chart, controlledSince }, at) => (
          <Card
            key={chart} title={names.get(chart) ?? text.charts.chart(at + 1)}
            aside={chart === shown ? <Tag kind="accent">{text.charts.shown}</Tag> : (
              <Button
                size="small" onClick={() => {
                  selectChart(chart);
                  navigate("/records");
                }}
              >
                {text.charts.choose}
              </Button>
            )}
          >
            <p class="muted small">{text.charts.since} <Time at={controlledSince} /></p>
            <ChartName chart={chart} />
            <div><CopyButton value={chart}>{text.charts.copy}</CopyButton></div>
          </Card>
        ))}
        <div><Button onClick={() => setAsked(true)}>{text.charts.open}</Button></div>
      </div>
      {asked && (
        <TransactionDialog
          title={text.charts.open} summary={text.charts.openSummary} confirm={text.charts.open}
          act={(watch) => core.openChart(watch)}
          onDone={() => void reloadCharts()} onClose={() => setAsked(false)}
        />
      )}
    </>
  );
}

function ChartName({ chart }: { chart: Hex }) {
  const { names } = useSession();
  return <Field label={text.charts.name} value={names.get(chart) ?? ""} optional onInput={(name) => names.set(chart, name)} />;
}
