import { useEffect, useMemo, useState } from "preact/hooks";
import type { Hex, RecordDocument, Version } from "../../core/core";
import { RecordView, categoryName, summarise, useResource } from "../../fhir";
import { useLibrary } from "../../state/library";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  BackIcon, Button, Card, CategoryIcon, Empty, ExportIcon, FaultNotice, Link, Notice, PageTitle, RecordsIcon, ShareIcon, Spinner, Tag, Time,
  TransactionDialog, TrashIcon, download, explainFault, navigate, useLoaded, useTask,
} from "../../ui";
import { ErasureReport } from "./erasure";
import { fileName } from "./file-name";
import { Who } from "./who";

export function RecordPage({ chart, record }: { chart: Hex; record: Hex }) {
  const { core, library: libraryOf } = useSession();
  const library = libraryOf(chart);
  const { versions, documents, faults, error } = useLibrary(library);
  useEffect(() => void library.load(), [library]);
  const older = useTask((version: number) => core.read(chart, record, "PATRQT", version));
  const known = versions?.find((version) => version.record_id === record);
  const newest = documents.get(record);
  const fault = faults.get(record);
  const document = older.result ?? newest;
  const back = <Link to="/records" class="button bare small"><BackIcon size={18} />{text.records.back}</Link>;
  if (!known || !document) {
    return (
      <>
        <PageTitle title={text.records.title} />
        <div class="stack">
          <div>{back}</div>
          <FaultNotice error={error ?? (fault ? explainFault(fault) : null)} onRetry={() => void library.load()} />
          {versions !== null && !known && (
            <Empty icon={<RecordsIcon size={28} />} title={text.records.notHere}><p>{text.records.notHereHelp}</p></Empty>
          )}
          {!error && !fault && (versions === null || known) && <Spinner label={text.records.opening} />}
        </div>
      </>
    );
  }
  return (
    <Shown
      chart={chart} known={known} document={document} documents={documents} back={back}
      onVersion={(version) => (version === known.version ? older.reset() : void older.run(version))}
      busy={older.busy} error={<FaultNotice error={older.error} />} onRemoved={() => library.forget(record)}
    />
  );
}

interface ShownProps {
  chart: Hex;
  known: Version;
  document: RecordDocument;
  documents: Map<Hex, RecordDocument>;
  back: preact.ComponentChildren;
  onVersion: (version: number) => void;
  busy: boolean;
  error: preact.ComponentChildren;
  onRemoved: () => void;
}

function Shown({ chart, known, document, documents, back, onVersion, busy, error, onRemoved }: ShownProps) {
  const { core } = useSession();
  const [asked, setAsked] = useState(false);
  const versions = useLoaded(() => core.versions(chart, known.record_id), [chart, known.record_id, known.version]);
  const related = useMemo(() => [...documents.values()], [documents]);
  // The summary is better once the content is parsed, which this waits for.
  useResource(document);
  const { title, kind, date } = summarise(document);
  return (
    <>
      <div class="no-print">{back}</div>
      <PageTitle title={kind} />
      <div class="stack">
        {known.status === "entered-in-error" && <Notice kind="warning">{text.records.inError}</Notice>}
        {document.version !== known.version && (
          <Notice>
            <span class="row apart">
              {text.record.older(document.version)}
              <Button size="small" onClick={() => onVersion(known.version)}>{text.record.showNewest}</Button>
            </span>
          </Notice>
        )}
        {error}
        <Card><RecordView document={document} related={related} /></Card>
        <div class="row no-print">
          <Button onClick={() => download(fileName(title, document), document.content)}><ExportIcon />{text.record.download}</Button>
          <Link to={`/share?categories=${document.compartment}`} class="button"><ShareIcon />{text.record.share}</Link>
          <Button variant="danger" onClick={() => setAsked(true)}><TrashIcon />{text.record.remove}</Button>
        </div>
        <Card title={text.record.facts}>
          <dl class="facts">
            <dt>{text.record.category}</dt>
            <dd class="row"><CategoryIcon compartment={document.compartment} />{categoryName(document.compartment)}</dd>
            {date && <><dt>{text.record.date}</dt><dd><Time at={date} /></dd></>}
            <dt>{text.record.author}</dt>
            <dd><Who address={known.author} /></dd>
            <dt>{text.record.added}</dt>
            <dd><Time at={known.created_at} show="time" /></dd>
            {(versions.result?.length ?? 0) > 1 && (
              <>
                <dt>{text.record.versions}</dt>
                <dd>
                  <ul role="list" class="stack tight">
                    {[...(versions.result ?? [])].reverse().map((version) => (
                      <li key={version.version} class="row">
                        <Button
                          size="small" variant={version.version === document.version ? "primary" : "plain"}
                          busy={busy && version.version !== document.version}
                          onClick={() => onVersion(version.version)}
                        >
                          {text.record.version(version.version)}
                        </Button>
                        {version.version === known.version && <Tag>{text.record.newest}</Tag>}
                        <span class="muted small"><Time at={version.created_at} show="time" /></span>
                      </li>
                    ))}
                  </ul>
                </dd>
              </>
            )}
          </dl>
        </Card>
      </div>
      {asked && (
        <TransactionDialog
          title={text.record.removeTitle} danger confirm={text.record.removeDo} typed={text.record.removeWord}
          summary={text.record.removeSummary(title)}
          details={[{ label: text.record.removeWhat, value: text.record.removeWhatValue }]}
          act={(watch) => core.shred(chart, known.record_id, watch)}
          outcome={(erasure) => <ErasureReport erasure={erasure} />}
          onClose={() => setAsked(false)}
          onFinished={() => {
            onRemoved();
            if (location.hash.includes(known.record_id)) navigate("/records", true);
          }}
        />
      )}
    </>
  );
}
