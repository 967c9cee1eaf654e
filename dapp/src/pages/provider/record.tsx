import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Hex, Purpose, RecordDocument, Version } from "../../core/core";
import { categoryName, knownResource, RecordView, summarise, useResource } from "../../fhir";
import { at, items, string, type Resource } from "../../fhir/json";
import { useSession } from "../../state/session";
import { useStore } from "../../state/store";
import { text } from "../../text";
import {
  BackIcon,
  Button,
  Card,
  Dialog,
  download,
  Empty,
  explainFault,
  ExportIcon,
  FaultNotice,
  Field,
  Link,
  Notice,
  PageTitle,
  Spinner,
  Time,
  TransactionDialog,
  useLoaded,
} from "../../ui";
import { Who } from "../patient/who";
import { fileName } from "../patient/file-name";
import { base64, fromBase64 } from "./compose";
import { useBasis } from "./basis";
import { Ended, Unsaved } from "./ended";
import { InPerson } from "./glass";
import { usePatientName } from "./patient-name";
import { mayWrite, openedOf, sharedChart } from "./shared";

export function SharedRecord({ chart, record }: { chart: Hex; record: Hex }) {
  const words = text.provider;
  const session = useSession();
  const name = usePatientName(chart);
  const shared = sharedChart(session, chart);
  const { versions, documents, faults, progress, error, ended } = useStore(shared.state);
  const { grants, grant, granted, emergency, readable, purposeFor } = useBasis(chart);
  const [amending, setAmending] = useState<{ document: RecordDocument; purpose: Purpose } | null>(null);
  const known = versions?.find((one) => one.record_id === record);
  const document = known === undefined ? undefined : openedOf(documents, known);
  const fault = faults.get(record);
  // Also where it is listed: it may have been changed since, as may what is shared.
  useEffect(() => {
    if (readable) void shared.list();
  }, [readable, shared, grant?.granted_block]);
  return (
    <>
      <div class="no-print">
        <Link to={`/provider/chart/${chart}`} class="button bare small">
          <BackIcon size={18} />
          {name}
        </Link>
      </div>
      {document !== undefined && known !== undefined ? (
        <Shown
          chart={chart}
          known={known}
          document={document}
          documents={documents}
          writable={granted && grant !== undefined && mayWrite(grant)}
          onAmend={() => setAmending({ document, purpose: purposeFor(known) })}
        />
      ) : (
        <>
          <PageTitle title={words.record} />
          <div class="stack">
            {ended && <Ended />}
            <FaultNotice
              error={error ?? grants.error ?? (fault === undefined ? null : explainFault(fault))}
              onRetry={() => void (grants.error === null ? shared.list() : grants.run())}
            />
            {grants.result === undefined && grants.error === null && <Spinner />}
            {!ended && grants.result !== undefined && !granted && emergency === null && <Empty title={words.notShared}>{words.notSharedHelp}</Empty>}
            {emergency !== null && !readable && <InPerson />}
            {versions !== null && known === undefined && <Empty title={words.recordGone}>{words.recordGoneHelp}</Empty>}
            {progress !== null && <Spinner label={words.opening} />}
            {readable && known !== undefined && progress === null && (
              <Card title={categoryName(known.compartment)}>
                {documents.has(record) && <Notice>{words.newerVersion}</Notice>}
                <Notice>{words.logged}</Notice>
                <div class="row">
                  <Button variant="primary" onClick={() => void shared.open([record], purposeFor(known))}>
                    {words.openRecord}
                  </Button>
                </div>
              </Card>
            )}
          </div>
        </>
      )}
      {amending !== null && <Amend chart={chart} {...amending} ended={ended} onClose={() => setAmending(null)} />}
    </>
  );
}

interface ShownProps {
  chart: Hex;
  known: Version;
  document: RecordDocument;
  documents: Map<Hex, RecordDocument>;
  writable: boolean;
  onAmend: () => void;
}

function Shown({ chart, known, document, documents, writable, onAmend }: ShownProps) {
  const words = text.provider;
  const session = useSession();
  const { core, me } = session;
  useResource(document);
  const { title, kind } = summarise(document);
  const related = useMemo(() => [...documents.values()], [documents]);
  const [marking, setMarking] = useState(false);
  const own = known.author === me.address;
  const inError = known.status === "entered-in-error";
  return (
    <>
      <PageTitle title={kind} />
      <div class="stack">
        {inError && <Notice kind="warning">{text.fhir.enteredByMistake}</Notice>}
        <Card>
          <RecordView document={document} related={related} />
        </Card>
        <div class="row no-print">
          <Button onClick={() => download(fileName(title, document), document.content)}>
            <ExportIcon />
            {words.download}
          </Button>
          {own && writable && !inError && <Button onClick={onAmend}>{words.amend}</Button>}
          {own && writable && !inError && (
            <Button variant="danger" onClick={() => setMarking(true)}>
              {words.markInError}
            </Button>
          )}
        </div>
        <Card title={words.about}>
          <dl class="facts">
            <dt>{words.category}</dt>
            <dd>{categoryName(document.compartment)}</dd>
            <dt>{words.writtenBy}</dt>
            <dd>
              <Who address={known.author} />
            </dd>
            <dt>{words.added}</dt>
            <dd>
              <Time at={known.created_at} show="time" />
            </dd>
            <dt>{words.version}</dt>
            <dd>{known.version}</dd>
          </dl>
          <p class="muted small">{words.wasLogged}</p>
        </Card>
      </div>
      {marking && (
        <TransactionDialog
          title={words.markInError}
          summary={words.inErrorSummary(title)}
          confirm={words.markInError}
          danger
          act={(watch) => core.markInError(chart, known.record_id, known.pointer, watch)}
          onDone={() => void sharedChart(session, chart).list()}
          onClose={() => setMarking(false)}
        />
      )}
    </>
  );
}

interface AmendProps {
  chart: Hex;
  document: RecordDocument;
  purpose: Purpose;
  /** It can no longer be saved. What was written stays for as long as the dialog is open; what was opened does not. */
  ended: boolean;
  onClose: () => void;
}

function Amend({ chart, document, purpose, ended, onClose }: AmendProps) {
  const words = text.provider;
  const session = useSession();
  const { core } = session;
  const resource = knownResource(document) ?? null;
  const noted = resource === null ? undefined : noteOf(resource);
  const source = useLoaded(() => document.content.text(), [document]);
  const [content, setContent] = useState<string | null>(null);
  const [ready, setReady] = useState<string | null>(null);
  const before = noted ?? source.result;
  const shown = content ?? before ?? "";
  const broken = resource !== null && noted === undefined && !isJsonLike(shown, resource);
  const saved = useRef(false);
  const empty = ended && (content === null || content === before);
  useEffect(() => {
    if (empty) onClose();
  }, [empty]);
  if (empty) return null;
  if (ready !== null) {
    return (
      <TransactionDialog
        title={words.amend}
        summary={words.amendSummary(document.version + 1)}
        details={[{ label: words.earlier, value: words.earlierStay }]}
        confirm={words.amend}
        act={(watch) => core.amend(chart, document.recordId, document.version, ready, purpose, watch)}
        onDone={() => (saved.current = true)}
        // Not before its end was read.
        onFinished={() => {
          const shared = sharedChart(session, chart);
          shared.forget(document.recordId);
          void shared.list().then(() => shared.open([document.recordId], purpose));
        }}
        onClose={() => {
          // Where it was refused because somebody else was faster, their version is what there is to see.
          void sharedChart(session, chart).list();
          if (ended && !saved.current) setReady(null);
          else onClose();
        }}
      />
    );
  }
  return (
    <Dialog
      title={words.amend}
      wide
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button
            variant="primary"
            disabled={ended || broken || shown.trim() === "" || shown === before}
            onClick={() => setReady(noted === undefined || resource === null ? shown : withNote(resource, shown))}
          >
            {words.review}
          </Button>
        </>
      }
    >
      {ended ? <Unsaved written={shown} /> : <p>{words.amendHelp}</p>}
      <Field
        label={noted !== undefined || resource === null ? words.noteText : words.source}
        type="textarea"
        rows={14}
        value={shown}
        onInput={setContent}
        hint={noted === undefined && resource !== null ? words.sourceHint : undefined}
        error={broken ? words.sourceBroken : null}
      />
    </Dialog>
  );
}

/** The text of a note that is written here: the one attachment, plain. */
function noteOf(resource: Resource): string | undefined {
  const contents = items(resource["content"]);
  const attachment = at(contents[0], "attachment");
  const data = string(at(attachment, "data"));
  const plain = (string(at(attachment, "contentType")) ?? "").startsWith("text/plain");
  if (resource.resourceType !== "DocumentReference" || contents.length !== 1 || data === undefined || !plain) return undefined;
  try {
    return fromBase64(data);
  } catch {
    return undefined;
  }
}

function withNote(resource: Resource, content: string): string {
  const [first] = items(resource["content"]);
  const rest = typeof first === "object" && first !== null && !Array.isArray(first) ? first : {};
  const attachment = at(first, "attachment");
  const kept = typeof attachment === "object" && attachment !== null && !Array.isArray(attachment) ? attachment : {};
  // Size and hash were of the text before.
  const { size: _size, hash: _hash, ...same } = kept;
  return JSON.stringify({ ...resource, content: [{ ...rest, attachment: { ...same, data: base64(content) } }] });
}

/** The same resource still, so that it stays the same record. */
function isJsonLike(content: string, before: Resource): boolean {
  try {
    const value = JSON.parse(content) as Partial<Resource> | null;
    return value !== null && value.resourceType === before.resourceType && value["id"] === before["id"];
  } catch {
    return false;
  }
}
