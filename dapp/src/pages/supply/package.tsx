// A package in somebody's hand: what is printed on it, and the ticket that its maker gives out.
import { useState } from "preact/hooks";
import type { PackageVerdict } from "../../core/core";
import { text } from "../../text";
import { BadIcon, Button, CheckIcon, Field, Form, WarningIcon } from "../../ui";
import { FileField } from "../file-field";

export interface InHand {
  tickets: string;
  /** Null: not given, where the list has the ticket of one package alone. */
  scan: string | null;
}

export interface PackageFormProps {
  button: string;
  busy: boolean;
  onAsk: (inHand: InHand) => void;
}

/** A handheld scanner writes into the field as a keyboard does. */
export function PackageForm({ button, busy, onAsk }: PackageFormProps) {
  const words = text.supply;
  const [scan, setScan] = useState("");
  const [tickets, setTickets] = useState("");
  const [tried, setTried] = useState(false);
  const ask = () => {
    setTried(true);
    if (tickets.trim() !== "") onAsk({ tickets, scan: scan.trim() === "" ? null : scan });
  };
  return (
    <Form onSubmit={ask}>
      <Field label={words.scan} hint={words.scanHint} value={scan} onInput={setScan} optional />
      <Field
        label={words.ticket} hint={words.ticketHint} type="textarea" value={tickets} onInput={setTickets}
        error={tried && tickets.trim() === "" ? words.ticketMissing : null}
      />
      <FileField
        label={words.ticketFile} accept=".json,.jsonl,.txt,application/json,text/plain"
        onFiles={([file]) => void file?.text().then(setTickets)}
      />
      <div class="row"><Button variant="primary" type="submit" busy={busy}>{button}</Button></div>
    </Form>
  );
}

export function VerdictOf({ found }: { found: PackageVerdict }) {
  const words = text.supply;
  const { level } = found.verdict;
  return (
    <section class={`card verdict ${level === "ok" ? "yes" : "no"}`} aria-label={words.verdict}>
      <div class="verdict-head">
        {level === "ok" ? <CheckIcon size={32} /> : level === "stop" ? <WarningIcon size={32} /> : <BadIcon size={32} />}
        <div>
          <p class="verdict-word">{words.levels[level]}</p>
          <p>{found.line}</p>
        </div>
      </div>
    </section>
  );
}
