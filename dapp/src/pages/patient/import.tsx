import { useRef, useState } from "preact/hooks";
import type { Hex, ImportOptions, ImportReport, Step } from "../../core/core";
import { CATEGORIES, categoryName, kindOf } from "../../fhir";
import type { Act } from "../../state/activity";
import { own } from "../../own";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Button, CameraIcon, Card, Checkbox, CrossIcon, Field, IconButton, ImportIcon, Link, Notice, PageTitle, Spinner, Tag, Time, TransactionDialog,
  explain, type Explained,
} from "../../ui";
import { endsAll } from "./several";

type Options = Omit<ImportOptions, "purpose">;

interface Chosen {
  id: number;
  file: File;
  options: Options;
  /** What a dry run said. */
  preview: ImportReport | null;
  error: Explained | null;
}

interface Outcome {
  id: number;
  name: string;
  /** null: it was not added. */
  report: ImportReport | null;
  /** Why not; null without a report: its turn did not come. */
  error: Explained | null;
}

export function Import({ chart }: { chart: Hex }) {
  const { core, library } = useSession();
  const [chosen, setChosen] = useState<Chosen[]>([]);
  const [asked, setAsked] = useState(false);
  const [outcomes, setOutcomes] = useState<Outcome[] | null>(null);
  const last = useRef(0);

  const preview = async (one: Chosen) => {
    // Unless other options were chosen meanwhile.
    const isSame = (other: Chosen) => other.id === one.id && other.options === one.options;
    const settle = (change: Partial<Chosen>) => setChosen((all) => all.map((other) => (isSame(other) ? { ...other, ...change } : other)));
    try {
      const options: ImportOptions = { ...one.options, purpose: "PATRQT", dryRun: true };
      settle({ preview: await core.importFile(chart, one.file, options, () => {}, () => {}), error: null });
    } catch (error) {
      settle({ preview: null, error: explain(error) });
    }
  };
  const add = (files: Iterable<File>) => {
    setOutcomes(null);
    const added = [...files].map((file): Chosen => ({ id: ++last.current, file, options: {}, preview: null, error: null }));
    setChosen((all) => [...all, ...added]);
    for (const one of added) void preview(one);
  };
  const choose = (one: Chosen, options: Options) => {
    // What was found stays on the page meanwhile, and with it the field that has the focus.
    const changed = { ...one, options, error: null };
    setChosen((all) => all.map((other) => (other.id === one.id ? changed : other)));
    void preview(changed);
  };

  const ready = chosen.filter((one) => one.preview && adds(one.preview) > 0);
  const looking = chosen.some((one) => !one.preview && !one.error);
  const records = ready.reduce((sum, one) => sum + (one.preview ? adds(one.preview) : 0), 0);
  // File by file: one that fails by itself does not end the rest.
  const act: Act<Outcome[]> = async (watch, progress) => {
    const all: Outcome[] = [];
    let mined = null as Step | null;
    let fault: unknown = null;
    const told = (step: Step) => {
      if (step.step === "mined") mined = step;
      watch(step);
    };
    for (const { id, file, options } of ready) {
      let report: ImportReport | null = null;
      let error: Explained | null = null;
      if (!endsAll(fault)) {
        try {
          report = await core.importFile(chart, file, { ...options, purpose: "PATRQT" }, progress, told);
        } catch (thrown) {
          fault = thrown;
          error = explain(thrown);
        }
      }
      all.push({ id, name: file.name, report, error });
    }
    if (!all.some(isAdded)) throw fault;
    // The steps of a file that failed would stand there as under way: what is done is shown instead.
    if (mined) watch(mined);
    return all;
  };

  return (
    <>
      <PageTitle title={text.imports.title}>{text.imports.lead}</PageTitle>
      <div class="stack">
        {outcomes ? <Report outcomes={outcomes} onMore={() => setOutcomes(null)} /> : <Chooser onFiles={add} />}
        {chosen.map((one) => (
          <FileCard
            key={one.id} chosen={one} onChoose={(options) => choose(one, options)}
            onRemove={() => setChosen((all) => all.filter((other) => other.id !== one.id))}
          />
        ))}
        {chosen.length > 0 && (
          <div class="stack tight">
            <p class="muted small">{text.imports.again}</p>
            <div>
              <Button variant="primary" busy={looking} disabled={ready.length === 0 && !looking} onClick={() => setAsked(true)}>
                {text.imports.go(Math.max(1, ready.length))}
              </Button>
            </div>
          </div>
        )}
      </div>
      {asked && (
        <TransactionDialog
          title={text.imports.dialog} confirm={text.imports.go(ready.length)}
          summary={text.imports.summary(records, ready.length)}
          details={ready.map((one) => ({ label: one.file.name, value: one.preview ? <Counts report={one.preview} /> : null }))}
          act={act}
          outcome={(all) => <NotAdded count={all.length - all.filter(isAdded).length} />}
          onDone={(all) => {
            setOutcomes(all);
            // What was not added can be tried again.
            setChosen((before) => before.filter(({ id }) => all.some((one) => one.id === id && !isAdded(one))));
            void library(chart).load();
          }}
          onClose={() => setAsked(false)}
        />
      )}
    </>
  );
}

/** The client has no word of its own for it. */
const isOtherPatient = (error: Explained) => error.reason === "other-patient";

const isAdded = ({ report }: Outcome) => report !== null;

const outcomeCount = (report: ImportReport, outcome: ImportReport["entries"][number]["outcome"]) =>
  report.entries.filter((entry) => entry.outcome === outcome).length;
const adds = (report: ImportReport) => outcomeCount(report, "added") + outcomeCount(report, "amended");

function Chooser({ onFiles }: { onFiles: (files: Iterable<File>) => void }) {
  const [over, setOver] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const photo = useRef<HTMLInputElement>(null);
  const taken = (input: HTMLInputElement) => {
    onFiles([...(input.files ?? [])]);
    // The same file may be chosen again.
    input.value = "";
  };
  return (
    <div
      class={over ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <span class="mark"><ImportIcon size={28} /></span>
      <p class="large wide-pointer">{text.imports.drop}</p>
      <div class="row center">
        <Button variant="primary" onClick={() => files.current?.click()}>{text.imports.choose}</Button>
        <Button onClick={() => photo.current?.click()}><CameraIcon />{text.imports.photo}</Button>
      </div>
      <p class="muted small">{text.imports.kinds}</p>
      <input ref={files} type="file" multiple hidden aria-label={text.imports.choose} onChange={(event) => taken(event.currentTarget)} />
      <input
        ref={photo} type="file" accept="image/*" capture="environment" hidden aria-label={text.imports.photo}
        onChange={(event) => taken(event.currentTarget)}
      />
    </div>
  );
}

interface FileCardProps {
  chosen: Chosen;
  onChoose: (options: Options) => void;
  onRemove: () => void;
}

function FileCard({ chosen, onChoose, onRemove }: FileCardProps) {
  const { file, preview, error, options } = chosen;
  const isDocument = preview?.kind === "document";
  return (
    <Card
      title={<span class="file-name">{file.name}</span>}
      aside={<IconButton label={text.imports.remove(file.name)} onClick={onRemove}><CrossIcon /></IconButton>}
    >
      {!preview && !error && <Spinner label={text.imports.looking} />}
      {error && <Notice kind="bad" live title={error.title}>{isOtherPatient(error) ? text.imports.otherPatient : error.message}</Notice>}
      {error && isOtherPatient(error) && (
        <Checkbox
          label={text.imports.anyPatient} hint={text.imports.anyPatientHint} checked={options.anyPatient ?? false}
          onChange={(anyPatient) => onChoose({ ...options, anyPatient })}
        />
      )}
      {preview && <Counts report={preview} />}
      {preview && isDocument && <DocumentOptions file={file} options={options} onChoose={onChoose} />}
      {preview && preview.entries.length > 1 && <Entries report={preview} />}
    </Card>
  );
}

function DocumentOptions({ file, options, onChoose }: { file: File; options: Options; onChoose: (options: Options) => void }) {
  const [title, setTitle] = useState(options.title ?? file.name.replace(/\.[^.]*$/, ""));
  return (
    <fieldset class="stack">
      <legend class="unseen">{text.imports.document}</legend>
      <div class="filters" onFocusOut={() => title.trim() !== "" && title !== options.title && onChoose({ ...options, title: title.trim() })}>
        <Field label={text.imports.name} value={title} onInput={setTitle} />
        <Field
          label={text.imports.documentCategory} type="select" value={options.category ?? "documents"}
          onInput={(category) => onChoose({ ...options, category })}
          options={CATEGORIES.map((category) => ({ value: category.key, label: category.name }))}
        />
      </div>
      <Checkbox
        label={text.imports.markSensitive} hint={text.imports.markSensitiveHint} checked={options.sensitive ?? false}
        onChange={(sensitive) => onChoose({ ...options, sensitive })}
      />
    </fieldset>
  );
}

/** "12 new, 3 there already; 4 look sensitive". */
function Counts({ report }: { report: ImportReport }) {
  const added = outcomeCount(report, "added");
  const amended = outcomeCount(report, "amended");
  const unchanged = outcomeCount(report, "unchanged");
  const sensitive = report.entries.filter((entry) => entry.topic !== null && entry.outcome !== "refused").length;
  return (
    <div class="stack tight">
      <div class="row">
        {added > 0 && <Tag kind="good">{text.imports.added(added)}</Tag>}
        {amended > 0 && <Tag kind="accent">{text.imports.amended(amended)}</Tag>}
        {unchanged > 0 && <Tag>{text.imports.unchanged(unchanged)}</Tag>}
      </div>
      {adds(report) === 0 && outcomeCount(report, "refused") === 0 && <p class="muted">{text.imports.nothing}</p>}
      {refusals(report).map((refusal) => <Notice key={refusal} kind="warning">{refusal}</Notice>)}
      {sensitive > 0 && <p class="small">{text.imports.sensitive(sensitive)}.</p>}
    </div>
  );
}

/** One for each reason. */
function refusals(report: ImportReport): string[] {
  const whys = report.entries.filter((entry) => entry.outcome === "refused").map((entry) => entry.why ?? "");
  return [...new Set(whys)].map((why) => text.imports.refused(whys.filter((other) => other === why).length, why));
}

/** Enough to recognise the file by; the counts above speak of all. */
const ENTRIES_SHOWN = 200;

function Entries({ report }: { report: ImportReport }) {
  return (
    <details class="more">
      <summary>{text.imports.list}</summary>
      <ul role="list" class="entries">
        {report.entries.slice(0, ENTRIES_SHOWN).map((entry, at) => (
          <li key={at}>
            <span class="grow">
              <strong>{entry.title ?? (entry.resourceType ? kindOf(entry.resourceType) : "")}</strong>
              <span class="muted small">
                {" "}{categoryName(entry.compartment)}
                {entry.date && <> · <Time at={entry.date} /></>}
                {entry.topic && ` · ${text.imports.topic(own(text.imports.topics, entry.topic) ?? entry.topic)}`}
              </span>
            </span>
            <Tag kind={entry.outcome === "refused" ? "warning" : entry.outcome === "added" ? "good" : "accent"}>
              {text.imports.outcome[entry.outcome]}
            </Tag>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Report({ outcomes, onMore }: { outcomes: Outcome[]; onMore: () => void }) {
  return (
    <Card title={text.imports.report}>
      {outcomes.map(({ id, name, report, error }) => (
        <Notice
          key={id} kind={!report ? "bad" : outcomeCount(report, "refused") > 0 ? "warning" : "good"} live
          title={<span class="file-name">{name}</span>}
        >
          {report
            ? text.imports.doneFile(outcomeCount(report, "added"), outcomeCount(report, "amended"), outcomeCount(report, "unchanged"))
            : text.imports.failedFile}
          {report && refusals(report).map((refusal) => <p key={refusal}>{refusal}</p>)}
          {!report && <p>{error ? `${error.title}. ${error.message}` : text.imports.notTried}</p>}
        </Notice>
      ))}
      {!outcomes.every(isAdded) && <p>{text.imports.stayChosen}</p>}
      <div class="row">
        <Link to="/records" class="button primary">{text.imports.seeRecords}</Link>
        <Button onClick={onMore}>{text.imports.moreFiles}</Button>
      </div>
    </Card>
  );
}

/** In the dialog, whose title says done. */
function NotAdded({ count }: { count: number }) {
  return count === 0 ? null : <Notice kind="bad" live title={text.imports.notAdded(count)}>{text.imports.stayChosen}</Notice>;
}
