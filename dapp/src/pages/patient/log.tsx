import { useState } from "preact/hooks";
import type { Access, Hex } from "../../core/core";
import { summarise } from "../../fhir";
import { own } from "../../own";
import { useLibrary } from "../../state/library";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  BadIcon, Button, CheckIcon, Checkbox, Empty, EyeIcon, FaultNotice, Field, InfoIcon, Link, Notice, PageTitle, Spinner, Tag, Time, WarningIcon, csv,
  download, shortAddress, useLoaded,
} from "../../ui";
import { Who } from "./who";

const SHOWN = 50;

export function Log({ chart }: { chart: Hex }) {
  const { core, me, names, library: libraryOf } = useSession();
  const library = libraryOf(chart);
  const { versions, documents, progress } = useLibrary(library);
  const log = useLoaded(() => core.accesses(chart), [chart]);
  const [reader, setReader] = useState("");
  const [showOwn, setShowOwn] = useState(false);
  const [shown, setShown] = useState(SHOWN);
  const titleOf = (record: Hex) => {
    const document = documents.get(record);
    return document ? summarise(document).title : null;
  };
  const all = [...(log.result ?? [])].sort((one, other) => other.receivedAt - one.receivedAt);
  const mine = all.filter((access) => access.reader === me.address).length;
  const readers = [...new Set(all.map((access) => access.reader))].filter((one) => one !== me.address);
  const visible = all.filter((access) => (reader !== "" ? access.reader === reader : showOwn || access.reader !== me.address || isRefuted(access)));
  const refuted = all.filter(isRefuted).length;
  const emergencies = all.filter((access) => access.breakGlass).length;
  const save = () =>
    download("who-looked.csv", csv([
      [text.log.when, text.log.reader, text.identity.address, text.log.record, text.log.why, text.log.proof],
      ...visible.map((access) => [
        new Date(access.receivedAt * 1000).toISOString(), names.get(access.reader) ?? "", access.reader, titleOf(access.recordId) ?? access.recordId,
        own(text.purposes, access.purpose)?.name ?? access.purpose, proofOf(access).label,
      ]),
    ]));
  return (
    <>
      <PageTitle title={text.log.title}>{text.log.lead}</PageTitle>
      <div class="stack">
        <FaultNotice error={log.error} onRetry={() => void log.run()} />
        {!log.result && !log.error && <Spinner label={text.log.checking} />}
        {refuted > 0 && <Notice kind="bad" title={text.log.refutedTitle(refuted)}>{text.log.refutedHelp}</Notice>}
        {emergencies > 0 && <Notice kind="warning">{text.log.emergencies(emergencies)}</Notice>}
        {log.result && all.length > 0 && (
          <div class="row apart">
            <div class="grow">
              <Field
                label={text.log.reader} type="select" value={reader} onInput={setReader}
                options={[
                  { value: "", label: text.log.everybody },
                  ...readers.map((one) => ({ value: one, label: names.get(one) ?? shortAddress(one) })),
                ]}
              />
              {mine > 0 && reader === "" && <Checkbox label={text.log.own(mine)} checked={showOwn} onChange={setShowOwn} />}
            </div>
            <Button onClick={save} disabled={visible.length === 0}>{text.log.csv}</Button>
          </div>
        )}
        {log.result && visible.length === 0 && <Empty icon={<EyeIcon size={28} />} title={text.log.none}><p>{text.log.noneHelp}</p></Empty>}
        {log.result && visible.length > 0 && (versions === null || progress) && (
          // Not by itself: it would be looks of one's own.
          <div><Button size="small" busy={progress !== null} onClick={() => void library.load()}>{text.log.names}</Button></div>
        )}
        <ul role="list" class="record-list">
          {visible.slice(0, shown).map((access) => (
            <Entry
              key={`${access.sequence}-${access.reader}`} access={access} title={titleOf(access.recordId)}
              here={versions?.some((one) => one.record_id === access.recordId) ?? false}
            />
          ))}
        </ul>
        {visible.length > shown && (
          <div class="center"><Button onClick={() => setShown(shown + SHOWN)}>{text.log.more(Math.min(SHOWN, visible.length - shown))}</Button></div>
        )}
        {log.result && all.length > 0 && (
          <details class="more">
            <summary>{text.log.how}</summary>
            <p class="muted">{text.log.howBody}</p>
          </details>
        )}
      </div>
    </>
  );
}

function Entry({ access, title, here }: { access: Access; title: string | null; here: boolean }) {
  const { label, kind, Icon } = proofOf(access);
  const shown = title ?? text.log.unknownRecord;
  return (
    <li class={access.breakGlass ? "access alarming" : "access"}>
      <div class="row apart">
        <div>
          <Who address={access.reader} />
          {access.organisation !== null && <p class="small">{text.log.forWhom} <Who address={access.organisation} /></p>}
        </div>
        <span class="muted small"><Time at={access.receivedAt} show="time" /></span>
      </div>
      <p>
        {here ? <Link to={`/records/${access.recordId}`}>{shown}</Link> : shown}
        <span class="muted"> · {own(text.purposes, access.purpose)?.name ?? access.purpose}</span>
      </p>
      <div class="row">
        {access.breakGlass && <Tag kind="warning"><WarningIcon size={14} />{text.log.emergency}</Tag>}
        <Tag {...(kind ? { kind } : {})}><Icon size={14} />{label}</Tag>
      </div>
    </li>
  );
}

const isRefuted = (access: Access) => access.anchoring.state === "refuted" || (access.checkable && !access.proven);

function proofOf(access: Access) {
  if (isRefuted(access)) return { label: text.log.refuted, kind: "bad" as const, Icon: BadIcon };
  if (!access.checkable) return { label: text.log.notCheckable, kind: undefined, Icon: InfoIcon };
  if (access.anchoring.state === "anchored") return { label: text.log.anchored, kind: "good" as const, Icon: CheckIcon };
  return { label: text.log.waiting, kind: "accent" as const, Icon: CheckIcon };
}
