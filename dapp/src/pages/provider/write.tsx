import { useRef, useState } from "preact/hooks";
import { now } from "../../clock";
import type { Grant, Hex, ImportReport, ImportOptions } from "../../core/core";
import { CATEGORIES, SENSITIVE } from "../../fhir";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  BackIcon,
  Button,
  Card,
  Checkbox,
  FaultNotice,
  Field,
  Form,
  Link,
  Notice,
  PageTitle,
  Spinner,
  Tabs,
  Tag,
  TransactionDialog,
  useTask,
} from "../../ui";
import { FileField } from "../file-field";
import { useGrants } from "./basis";
import { localTime, measured, note, vitals, type Vitals } from "./compose";
import { Unsaved } from "./ended";
import { usePatientName } from "./patient-name";
import { mayWrite, purposeOf, sharedChart, standing } from "./shared";

type Kind = "note" | "vitals" | "files";
const EMPTY: Vitals = { systolic: "", diastolic: "", pulse: "", temperature: "", weight: "" };

/** What is about to be sent to the chart. */
interface Draft {
  files: Chosen[];
  summary: string;
}

interface Chosen {
  file: File;
  options: Omit<ImportOptions, "purpose">;
}

export function Write({ chart }: { chart: Hex }) {
  const words = text.provider;
  const session = useSession();
  const { core } = session;
  const name = usePatientName(chart);
  const grants = useGrants();
  const grant = grants.result?.find((one) => one.chart === chart);
  const [kind, setKind] = useState<Kind>("note");
  const [draft, setDraft] = useState<Draft | null>(null);
  const [reports, setReports] = useState<ImportReport[]>([]);
  const [round, setRound] = useState(0);
  const allowed = grant !== undefined && mayWrite(grant) && standing(grant, now()) === "current";
  // What is being written stays on the page when the share ends.
  const begun = useRef<Grant | null>(null);
  if (allowed) begun.current = grant;
  const under = begun.current;
  return (
    <>
      <div>
        <Link to={`/provider/chart/${chart}`} class="button bare small">
          <BackIcon size={18} />
          {name}
        </Link>
      </div>
      <PageTitle title={words.writeTitle(name)}>{words.writeLead}</PageTitle>
      <div class="stack">
        <FaultNotice error={grants.error} onRetry={() => void grants.run()} />
        {grants.result === undefined && grants.error === null && <Spinner />}
        {grants.result !== undefined && under === null && <Notice kind="warning">{words.mayNotWrite}</Notice>}
        {reports.length > 0 && <Report reports={reports} chart={chart} />}
        {under !== null && (
          <Tabs
            label={words.writeKind}
            tabs={[
              { id: "note", label: words.note },
              { id: "vitals", label: words.vitals },
              { id: "files", label: words.files },
            ]}
            selected={kind}
            onSelect={setKind}
          >
            {kind === "note" ? (
              <NoteForm key={round} ended={!allowed} onReady={setDraft} />
            ) : kind === "vitals" ? (
              <VitalsForm key={round} ended={!allowed} onReady={setDraft} />
            ) : allowed ? (
              <FilesForm key={round} chart={chart} purpose={purposeOf(grant)} onReady={setDraft} />
            ) : (
              <Notice kind="warning">{words.mayNotWrite}</Notice>
            )}
          </Tabs>
        )}
      </div>
      {draft !== null && under !== null && (
        <TransactionDialog
          title={words.writeDo}
          summary={draft.summary}
          details={[{ label: words.patient, value: name }]}
          confirm={words.writeDo}
          act={async (watch, progress) => {
            const all: ImportReport[] = [];
            for (const { file, options } of draft.files)
              all.push(await core.importFile(chart, file, { ...options, purpose: purposeOf(under) }, progress, watch));
            return all;
          }}
          onDone={(all) => {
            setReports(all);
            setRound((before) => before + 1);
            void sharedChart(session, chart).list();
          }}
          onClose={() => setDraft(null)}
        />
      )}
    </>
  );
}

function Report({ reports, chart }: { reports: ImportReport[]; chart: Hex }) {
  const words = text.provider;
  const entries = reports.flatMap((report) => report.entries);
  const refused = entries.filter((entry) => entry.outcome === "refused");
  const added = entries.filter((entry) => entry.outcome !== "refused").length;
  return (
    <Notice kind={refused.length === 0 ? "good" : "warning"} live title={words.written(added)}>
      {refused.length > 0 && (
        <ul>
          {refused.map((entry) => (
            <li key={entry.recordId}>{words.refusedEntry(entry.title ?? entry.resourceType ?? words.record, entry.why ?? "")}</li>
          ))}
        </ul>
      )}
      <Link to={`/provider/chart/${chart}`}>{words.backToChart}</Link>
    </Notice>
  );
}

function written() {
  return { at: localTime(new Date()), newId: () => crypto.randomUUID() };
}

interface FormProps {
  /** It can no longer be saved. */
  ended: boolean;
  onReady: (draft: Draft) => void;
}

function NoteForm({ ended, onReady }: FormProps) {
  const words = text.provider;
  const { key } = useSession();
  const [title, setTitle] = useState("");
  const [content, setContent] = useState("");
  const [sensitive, setSensitive] = useState(false);
  const [tried, setTried] = useState(false);
  const submit = () => {
    setTried(true);
    if (ended || title.trim() === "" || content.trim() === "") return;
    const resource = note(title.trim(), content, key.name, written());
    onReady({
      files: [{ file: new File([resource], "note.json", { type: "application/fhir+json" }), options: { kind: "fhir", sensitive } }],
      summary: words.noteSummary(title.trim()),
    });
  };
  return (
    <Card title={words.note}>
      {ended && <Unsaved written={[title, content].filter(Boolean).join("\n\n")} />}
      <Form onSubmit={submit}>
        <Field
          label={words.noteTitle}
          value={title}
          onInput={setTitle}
          error={tried && title.trim() === "" ? words.noteTitleMissing : null}
        />
        <Field
          label={words.noteText}
          hint={words.noteHint}
          type="textarea"
          rows={10}
          value={content}
          onInput={setContent}
          error={tried && content.trim() === "" ? words.noteTextMissing : null}
        />
        <Checkbox label={words.sensitive} hint={CATEGORIES[SENSITIVE]?.explanation} checked={sensitive} onChange={setSensitive} />
        <div class="row">
          <Button type="submit" variant="primary" disabled={ended}>
            {words.review}
          </Button>
        </div>
      </Form>
    </Card>
  );
}

function VitalsForm({ ended, onReady }: FormProps) {
  const words = text.provider;
  const { key } = useSession();
  const [values, setValues] = useState(EMPTY);
  const [tried, setTried] = useState(false);
  const parts = Object.keys(EMPTY) as (keyof Vitals)[];
  const wrong = (part: keyof Vitals): string | null => {
    const written = values[part].trim();
    if (written !== "") return measured(part, written) === undefined ? words.outOfBounds(words.bounds[part]) : null;
    const other = part === "systolic" ? values.diastolic : part === "diastolic" ? values.systolic : "";
    return other.trim() === "" ? null : words.bothPressures;
  };
  const empty = parts.every((part) => values[part].trim() === "");
  const submit = () => {
    setTried(true);
    if (ended || empty || parts.some((part) => wrong(part) !== null)) return;
    const lines = vitals(values, key.name, written());
    onReady({
      files: [
        {
          file: new File([`${lines.join("\n")}\n`], "measurements.ndjson", { type: "application/fhir+ndjson" }),
          options: { kind: "fhir" },
        },
      ],
      summary: words.vitalsSummary(lines.length),
    });
  };
  return (
    <Card title={words.vitals}>
      {ended && <Unsaved written={empty ? "" : parts.map((part) => `${words.vitalNames[part]}: ${values[part]}`).join("\n")} />}
      <Form onSubmit={submit}>
        {tried && empty && (
          <Notice kind="bad" live>
            {words.vitalsMissing}
          </Notice>
        )}
        <div class="grid">
          {parts.map((part) => (
            <Field
              key={part}
              label={words.vitalNames[part]}
              inputmode="decimal"
              value={values[part]}
              error={tried ? wrong(part) : null}
              onInput={(value) => setValues({ ...values, [part]: value })}
            />
          ))}
        </div>
        <p class="muted small">{words.vitalsNow}</p>
        <div class="row">
          <Button type="submit" variant="primary" disabled={ended}>
            {words.review}
          </Button>
        </div>
      </Form>
    </Card>
  );
}

interface FilesFormProps {
  chart: Hex;
  purpose: ImportOptions["purpose"];
  onReady: (draft: Draft) => void;
}

function FilesForm({ chart, purpose, onReady }: FilesFormProps) {
  const words = text.provider;
  const { core } = useSession();
  const [files, setFiles] = useState<File[]>([]);
  const [category, setCategory] = useState("");
  const [done, setDone] = useState({ done: 0, all: 0 });
  // Resources, messages and images know their category, and the client refuses another.
  const chosen = files.map((file): Chosen => ({
    file,
    options: category === "" || /\.(json|ndjson|hl7|dcm)$/i.test(file.name) ? {} : { category },
  }));
  const preview = useTask(async (some: Chosen[]) => {
    const all: ImportReport[] = [];
    for (const { file, options } of some) {
      all.push(
        await core.importFile(
          chart,
          file,
          { ...options, dryRun: true, purpose },
          (count, of) => setDone({ done: count, all: of }),
          () => {},
        ),
      );
    }
    return all;
  });
  const entries = preview.result?.flatMap((report) => report.entries) ?? [];
  const outcomes = (["added", "amended", "unchanged", "refused"] as const).map(
    (outcome) => [outcome, entries.filter((entry) => entry.outcome === outcome)] as const,
  );
  const willAdd = entries.some((entry) => entry.outcome === "added" || entry.outcome === "amended");
  return (
    <Card title={words.files}>
      <Form onSubmit={() => void preview.run(chosen)}>
        <FileField
          label={words.chooseFiles}
          hint={words.filesHint}
          multiple
          onFiles={(some) => {
            setFiles(some);
            preview.reset();
          }}
        />
        <Field
          label={words.documentCategory}
          hint={words.documentCategoryHint}
          type="select"
          value={category}
          onInput={(value) => {
            setCategory(value);
            preview.reset();
          }}
          options={[{ value: "", label: words.automatic }, ...CATEGORIES.map((one) => ({ value: one.key, label: one.name }))]}
        />
        <FaultNotice error={preview.error} />
        {preview.busy && (
          <p role="status" class="muted">
            {words.previewing(done.done, done.all)}
          </p>
        )}
        {preview.result === undefined && (
          <div class="row">
            <Button type="submit" variant="primary" busy={preview.busy} disabled={files.length === 0}>
              {words.preview}
            </Button>
          </div>
        )}
      </Form>
      {preview.result !== undefined && (
        <div class="stack" role="status">
          <h3>{words.previewTitle}</h3>
          <ul role="list" class="row">
            {outcomes
              .filter(([, some]) => some.length > 0)
              .map(([outcome, some]) => (
                <li key={outcome}>
                  <Tag kind={outcome === "refused" ? "bad" : outcome === "unchanged" ? "accent" : "good"}>
                    {words.outcomes[outcome](some.length)}
                  </Tag>
                </li>
              ))}
          </ul>
          {entries
            .filter((entry) => entry.outcome === "refused")
            .map((entry) => (
              <p key={entry.recordId}>{words.refusedEntry(entry.title ?? entry.resourceType ?? words.record, entry.why ?? "")}</p>
            ))}
          {willAdd ? (
            <div class="row">
              <Button variant="primary" onClick={() => onReady({ files: chosen, summary: words.filesSummary(files.length) })}>
                {words.review}
              </Button>
            </div>
          ) : (
            <Notice>{words.nothingToAdd}</Notice>
          )}
        </div>
      )}
    </Card>
  );
}
