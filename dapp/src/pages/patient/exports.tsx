import { useRef, useState } from "preact/hooks";
import type { Erasure, Hex, Progress, Watch } from "../../core/core";
import { summarise } from "../../fhir";
import type { Act } from "../../state/activity";
import { useLibrary } from "../../state/library";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, FaultNotice, Notice, PageTitle, ProgressBar, TransactionDialog, download, useTask } from "../../ui";
import { SaveKeyFile } from "../unlock/keyfile";
import { endsAll } from "./several";

export function Exports({ chart }: { chart: Hex }) {
  const { core, key } = useSession();
  return (
    <>
      <PageTitle title={text.exports.title}>{text.exports.lead}</PageTitle>
      <div class="stack">
        <TakeOut chart={chart} />
        <Card title={text.exports.key}>
          <p>{text.exports.keyBody}</p>
          {key.passkey && <Notice>{text.exports.keyPasskey}</Notice>}
          <div><SaveKeyFile core={core} stored={key} label={text.exports.keyDo} /></div>
        </Card>
        <DeleteAll chart={chart} />
      </div>
    </>
  );
}

function TakeOut({ chart }: { chart: Hex }) {
  const { core, library } = useSession();
  const { documents } = useLibrary(library(chart));
  const [progress, setProgress] = useState({ done: 0, all: 0 });
  const task = useTask(() => core.exportAll(chart, "PATRQT", (done, all) => setProgress({ done, all })));
  const { result } = task;
  const titleOf = (record: Hex) => {
    const document = documents.get(record);
    return document ? summarise(document).title : text.log.unknownRecord;
  };
  return (
    <Card title={text.exports.all}>
      <p>{text.exports.allBody}</p>
      {task.busy && <ProgressBar label={text.exports.working} {...progress} />}
      <FaultNotice error={task.error} onRetry={() => void task.run()} />
      {result && (
        <Notice kind={result.report.leftOut.length > 0 ? "warning" : "good"} live title={text.exports.ready}>
          <p>{text.exports.report(result.report.resources, result.report.documents)}</p>
          {result.report.leftOut.length > 0 && (
            <>
              <p>{text.exports.leftOut(result.report.leftOut.length)}</p>
              <ul>
                {result.report.leftOut.map((left) => (
                  <li key={left.recordId}>{titleOf(left.recordId)}: {left.why}{left.damaged && ` (${text.exports.damaged})`}</li>
                ))}
              </ul>
            </>
          )}
        </Notice>
      )}
      <div class="row">
        {result && <Button variant="primary" onClick={() => download("medlock-records.json", result.file)}>{text.exports.save}</Button>}
        <Button variant={result ? "plain" : "primary"} busy={task.busy} onClick={() => void task.run()}>{text.exports.allDo}</Button>
      </div>
    </Card>
  );
}

function DeleteAll({ chart }: { chart: Hex }) {
  const { core, library } = useSession();
  const [records, setRecords] = useState<Hex[] | null>(null);
  /** Records that a try has left, where it did not end; 0: the shares alone. */
  const [left, setLeft] = useState<number | null>(null);
  // A second try goes on where the first one ended.
  const erased = useRef(new Map<Hex, Erasure>());
  const isDue = (record: Hex) => !erased.current.has(record);
  // Every record, the frames of imported files too: they tell what was imported.
  const ask = useTask(async () => {
    const versions = await core.records(chart);
    setRecords(versions.filter((version) => version.status !== "shredded").map((version) => version.record_id).filter(isDue));
  });
  const eraseAll = async (all: Hex[], watch: Watch, progress: Progress) => {
    let fault: unknown = null;
    for (const [at, record] of all.entries()) {
      progress(at, all.length);
      if (!isDue(record)) continue;
      try {
        erased.current.set(record, await core.shred(chart, record, watch));
        library(chart).forget(record);
      } catch (error) {
        fault = error;
        if (endsAll(error)) break;
      }
    }
    if (all.some(isDue)) throw fault;
  };
  const act: Act<Erasure[]> = async (watch, progress) => {
    const all = records ?? [];
    try {
      await eraseAll(all, watch, progress);
      await core.revokeAll(chart, watch);
    } catch (error) {
      setLeft(all.filter(isDue).length);
      throw error;
    }
    setLeft(null);
    return [...erased.current.values()];
  };
  return (
    <Card title={text.exports.deleteTitle}>
      <p>{text.exports.deleteBody}</p>
      <FaultNotice error={ask.error} />
      {left !== null && !records && <Notice kind="bad" live title={text.exports.notAll}>{text.exports.left(left)}</Notice>}
      <div><Button variant="danger" busy={ask.busy} onClick={() => void ask.run()}>{text.exports.deleteDo}</Button></div>
      {records && (
        <TransactionDialog
          title={left === null ? text.exports.deleteTitle : text.exports.deleteLeft(left)} danger confirm={text.exports.deleteDo} typed={text.exports.deleteWord}
          summary={text.exports.deleteSummary(records.length)}
          details={[
            { label: text.record.removeWhat, value: text.record.removeWhatValue },
            { label: text.exports.all, value: text.exports.deleteFirst },
          ]}
          act={act}
          outcome={(erasures) => <DeletedReport erasures={erasures} />}
          onClose={() => setRecords(null)}
        />
      )}
    </Card>
  );
}

function DeletedReport({ erasures }: { erasures: Erasure[] }) {
  const partly = erasures.filter((erasure) => !erasure.complete).length;
  return (
    <Notice kind={partly > 0 ? "info" : "good"} live title={text.exports.deleted(erasures.length)}>
      {partly > 0 ? text.exports.deletedPart(partly) : text.exports.deletedAll}
    </Notice>
  );
}
