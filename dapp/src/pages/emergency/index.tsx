// The emergency card: what helpers must know, chosen by the patient from records that are open here, on paper.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { now } from "../../clock";
import type { Hex } from "../../core/core";
import { loadResource } from "../../fhir";
import { useLibrary, type Library } from "../../state/library";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card as Panel, Checkbox, Empty, FaultNotice, Field, formatDate, Link, Notice, PageTitle, ProgressBar, Tabs } from "../../ui";
import { cardText, contactText, find, isContact, type Card, type Contact, type Fact, type Findings, type Part } from "./card";
import { QrCode } from "../../ui/qr";
import "../../style/emergency.css";

const PARTS: Part[] = ["allergies", "medications", "conditions"];
const CONTACTS = 2;
/** More bytes make a code that a phone no longer reads at the size of a wallet card. */
const QR_BYTES_MAX = 700;

type Layout = "wallet" | "sheet";

export default function Emergency() {
  const session = useSession();
  const words = text.emergency;
  if (session.chart === null) {
    return (
      <>
        <PageTitle title={words.title} />
        <Empty title={words.noChart}>{words.noChartHelp}</Empty>
      </>
    );
  }
  return <OfChart chart={session.chart} library={session.library(session.chart)} />;
}

function OfChart({ chart, library }: { chart: Hex; library: Library }) {
  const words = text.emergency;
  const { documents, progress, error, versions } = useLibrary(library);
  const [parsed, setParsed] = useState<typeof documents | null>(null);
  useEffect(() => void library.load(), [library]);
  useEffect(() => {
    let here = true;
    void Promise.all([...documents.values()].map(loadResource)).then(() => here && setParsed(documents));
    return () => {
      here = false;
    };
  }, [documents]);
  // Not before the last record is in: what is missing here could be what matters most.
  const ready = parsed === documents && versions !== null && progress === null;
  // Here and not after parsing: what fails here, the page's boundary tells.
  const findings = useMemo(() => (ready ? find([...documents.values()]) : null), [ready, documents]);
  return (
    <>
      <PageTitle title={words.title} aside={<Link to="/emergency/access" class="button small no-print">{text.access.title}</Link>}>
        {words.lead}
      </PageTitle>
      <FaultNotice error={error} onRetry={() => void library.load()} />
      {findings !== null ? (
        <Editor key={chart} findings={findings} />
      ) : (
        error === null && <ProgressBar label={words.opening} done={progress?.done ?? 0} all={progress?.all ?? 0} />
      )}
    </>
  );
}

function Editor({ findings }: { findings: Findings }) {
  const words = text.emergency;
  const [leftOut, setLeftOut] = useState<ReadonlySet<string>>(new Set());
  const [name, setName] = useState(findings.name);
  const [born, setBorn] = useState(findings.born);
  const [bloodGroup, setBloodGroup] = useState(findings.bloodGroup);
  const [languages, setLanguages] = useState(findings.languages);
  const [other, setOther] = useState("");
  const [contacts, setContacts] = useState<Contact[]>(() =>
    Array.from({ length: CONTACTS }, () => ({ name: "", relation: "", phone: "" })),
  );
  const [layout, setLayout] = useState<Layout>("wallet");
  const toggle = (fact: Fact, on: boolean) => {
    const next = new Set(leftOut);
    if (on) next.delete(fact.id);
    else next.add(fact.id);
    setLeftOut(next);
  };
  const lines = (part: Part) => findings.facts.filter((fact) => fact.part === part && !leftOut.has(fact.id)).map((fact) => fact.words);
  const card: Card = {
    name,
    born,
    bloodGroup,
    languages,
    other,
    contacts,
    allergies: lines("allergies"),
    medications: lines("medications"),
    conditions: lines("conditions"),
  };
  const change = (at: number, part: Partial<Contact>) =>
    setContacts(contacts.map((contact, index) => (index === at ? { ...contact, ...part } : contact)));
  return (
    <div class="em">
      <div class="stack no-print">
        <Notice kind="warning" title={words.warnTitle}>
          {words.warn}
        </Notice>
        <Panel title={words.you}>
          <Field label={words.name} value={name} onInput={setName} />
          <Field label={words.born} value={born} onInput={setBorn} />
          <Field
            label={words.bloodGroup}
            value={bloodGroup}
            onInput={setBloodGroup}
            optional
            hint={findings.bloodGroup === "" ? words.bloodGroupHint : undefined}
          />
          <Field label={words.languages} value={languages} onInput={setLanguages} optional />
        </Panel>
        {PARTS.map((part) => {
          const facts = findings.facts.filter((fact) => fact.part === part);
          return (
            <Panel key={part} title={words[part]}>
              {facts.length === 0 ? (
                <p class="muted">{words.noneFound[part]}</p>
              ) : (
                <fieldset>
                  <legend class="unseen">{words[part]}</legend>
                  {facts.map((fact) => (
                    <Checkbox key={fact.id} label={fact.words} checked={!leftOut.has(fact.id)} onChange={(on) => toggle(fact, on)} />
                  ))}
                </fieldset>
              )}
            </Panel>
          );
        })}
        <Panel title={words.contacts}>
          <p class="muted">{words.contactsHint}</p>
          {contacts.map((contact, at) => (
            <fieldset key={at} class="em-contact">
              <legend>{words.contact(at + 1)}</legend>
              <Field label={words.contactName} value={contact.name} onInput={(value) => change(at, { name: value })} />
              <Field label={words.relation} value={contact.relation} onInput={(value) => change(at, { relation: value })} optional />
              <Field label={words.phone} type="tel" value={contact.phone} onInput={(value) => change(at, { phone: value })} />
            </fieldset>
          ))}
          <Field label={words.other} hint={words.otherHint} type="textarea" rows={2} value={other} onInput={setOther} optional />
        </Panel>
      </div>
      <Preview card={card} layout={layout} setLayout={setLayout} />
    </div>
  );
}

function Preview({ card, layout, setLayout }: { card: Card; layout: Layout; setLayout: (layout: Layout) => void }) {
  const words = text.emergency;
  const today = formatDate(now());
  const content = cardText(card, today);
  const dense = new TextEncoder().encode(content).length > QR_BYTES_MAX;
  const frame = useRef<HTMLDivElement>(null);
  const [overflows, setOverflows] = useState(false);
  useEffect(() => {
    const sides = [...(frame.current?.querySelectorAll(".em-side") ?? [])];
    setOverflows(sides.some((side) => side.scrollHeight > side.clientHeight + 1));
  }, [content, layout]);
  return (
    <div class="em-preview">
      <div class="stack no-print">
        <h2>{words.preview}</h2>
        <Tabs
          label={words.layout}
          tabs={[
            { id: "wallet", label: words.wallet },
            { id: "sheet", label: words.sheet },
          ]}
          selected={layout}
          onSelect={setLayout}
        >
          <p class="muted">{words.layoutHelp[layout]}</p>
        </Tabs>
        {layout === "wallet" && overflows && (
          <Notice kind="warning" live>
            {words.tooMuch}
          </Notice>
        )}
        {layout === "wallet" && dense && (
          <Notice kind="info" live>
            {words.tooDense}
          </Notice>
        )}
      </div>
      <div ref={frame} class={`em-paper em-${layout}`}>
        {layout === "wallet" ? (
          <Wallet card={card} today={today} content={dense ? null : content} />
        ) : (
          <Sheet card={card} today={today} content={content} />
        )}
      </div>
      <div class="no-print">
        <Button variant="primary" onClick={() => print()}>
          {words.print}
        </Button>
      </div>
    </div>
  );
}

interface PaperProps {
  card: Card;
  today: string;
  /** What the code holds; null: it would be too dense to read. */
  content: string | null;
}

function Code({ content }: { content: string }) {
  const words = text.emergency;
  return <QrCode value={content} label={words.qrLabel} ecc="low" tooLong={words.qrTooLong} />;
}

function Contacts({ card }: { card: Card }) {
  return (
    <>
      {card.contacts.filter(isContact).map((contact, at) => (
        <p key={at}>
          <strong>{text.emergency.call}</strong> {contactText(contact)}
        </p>
      ))}
    </>
  );
}

/** A line, if there is something to say. */
function Line({ label, value }: { label: string; value: string }) {
  if (value.trim() === "") return null;
  return (
    <p>
      <strong>{label}</strong> {value}
    </p>
  );
}

/** Two sides of 85 by 54 mm, one above the other, to fold between them. */
function Wallet({ card, today, content }: PaperProps) {
  const words = text.emergency;
  return (
    <>
      <div class="em-side">
        <Head card={card} />
        <Lines label={words.allergies} lines={card.allergies} none={words.noneChosen} strong />
        <Contacts card={card} />
        <Line label={words.languages} value={card.languages} />
      </div>
      <div class="em-side em-back">
        <div>
          <Lines label={words.medications} lines={card.medications} />
          <Lines label={words.conditions} lines={card.conditions} />
          <Line label={words.other} value={card.other} />
          <p class="em-foot">{words.asOf(today)}</p>
        </div>
        {content !== null && <Code content={content} />}
      </div>
    </>
  );
}

/** A page in large letters, to fold once and to hang up or carry. */
function Sheet({ card, today, content }: PaperProps) {
  const words = text.emergency;
  return (
    <div class="em-page">
      <Head card={card} />
      <Lines label={words.allergies} lines={card.allergies} none={words.noneChosen} strong />
      <Lines label={words.medications} lines={card.medications} />
      <Lines label={words.conditions} lines={card.conditions} />
      <Line label={words.other} value={card.other} />
      <Line label={words.languages} value={card.languages} />
      <Contacts card={card} />
      {content !== null && (
        <div class="em-code">
          <Code content={content} />
          <p>{words.qrHelp}</p>
        </div>
      )}
      <p class="em-foot">{words.asOf(today)}</p>
    </div>
  );
}

function Head({ card }: { card: Card }) {
  const words = text.emergency;
  return (
    <header class="em-head">
      <span class="em-cross" aria-hidden="true">
        ✚
      </span>
      <div>
        <p class="em-kind">{words.cardTitle}</p>
        <p class="em-name">{card.name.trim() === "" ? words.nameMissing : card.name}</p>
        {card.born !== "" && <p>{words.bornOn(card.born)}</p>}
      </div>
      {card.bloodGroup.trim() !== "" && (
        <p class="em-blood">
          <span>{words.bloodGroup}</span>
          <strong>{card.bloodGroup}</strong>
        </p>
      )}
    </header>
  );
}

function Lines({ label, lines, none, strong }: { label: string; lines: string[]; none?: string; strong?: boolean }) {
  if (lines.length === 0 && none === undefined) return null;
  return (
    <p class={strong === true && lines.length > 0 ? "em-strong" : undefined}>
      <strong>{label}</strong> {lines.length === 0 ? none : lines.join("; ")}
    </p>
  );
}
