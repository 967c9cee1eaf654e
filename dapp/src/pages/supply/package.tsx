// A package in somebody's hand: what is printed on it, and the ticket that its maker gives out.
import { useState } from "preact/hooks";
import type { Hex, PackageVerdict } from "../../core/core";
import { isAddress } from "../../hex";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address, BadIcon, Button, CheckIcon, Field, Form, WarningIcon } from "../../ui";
import { FileField } from "../file-field";

export interface InHand {
  /** Empty: there is none. */
  tickets: string;
  /** Null: not given, where the list has the ticket of one package alone. */
  scan: string | null;
  /** Whose package it is to be; null: not known. */
  maker: Hex | null;
}

export interface PackageFormProps {
  button: string;
  busy: boolean;
  /** Whoever trades may know whose package it is to be. */
  asksMaker?: boolean;
  onAsk: (inHand: InHand) => void;
}

/** A handheld scanner writes into the field as a keyboard does. */
export function PackageForm({ button, busy, asksMaker, onAsk }: PackageFormProps) {
  const words = text.supply;
  const [scan, setScan] = useState("");
  const [tickets, setTickets] = useState("");
  const [maker, setMaker] = useState("");
  const [tried, setTried] = useState(false);
  const account = maker.trim().toLowerCase();
  const isMissing = tickets.trim() === "" && scan.trim() === "";
  const isMaker = account === "" || isAddress(account);
  const ask = () => {
    setTried(true);
    if (isMissing || !isMaker) return;
    onAsk({ tickets, scan: scan.trim() === "" ? null : scan, maker: account === "" ? null : (account as Hex) });
  };
  return (
    <Form onSubmit={ask}>
      <Field label={words.scan} hint={words.scanHint} value={scan} onInput={setScan} optional />
      <Field
        label={words.ticket} hint={words.ticketHint} type="textarea" value={tickets} onInput={setTickets}
        error={tried && isMissing ? words.ticketMissing : null}
      />
      <FileField
        label={words.ticketFile} accept=".json,.jsonl,.txt,application/json,text/plain"
        onFiles={([file]) => void file?.text().then(setTickets)}
      />
      {asksMaker && (
        <Field
          label={words.maker} hint={words.makerHint} value={maker} onInput={setMaker} error={tried && !isMaker ? words.makerWrong : null} optional
        />
      )}
      <div class="row"><Button variant="primary" type="submit" busy={busy}>{button}</Button></div>
    </Form>
  );
}

export function VerdictOf({ found }: { found: PackageVerdict }) {
  const words = text.supply;
  const { names } = useSession();
  const { level, maker, otherMakers } = found.verdict;
  return (
    <section class={`card verdict ${level === "ok" ? "yes" : "no"}`} aria-label={words.verdict}>
      <div class="verdict-head">
        {level === "ok" ? <CheckIcon size={32} /> : level === "false" ? <BadIcon size={32} /> : <WarningIcon size={32} />}
        <div>
          <p class="verdict-word">{words.levels[level]}</p>
          <p>{found.line}</p>
          {found.more.map((line) => <p key={line}>{line}</p>)}
          {maker && (
            <p class="small">
              {words.madeBy} <Address address={maker.account} name={names.get(maker.account)} />, {maker.current ? words.isMaker : words.isNoMaker}
            </p>
          )}
          {otherMakers.length > 0 && (
            <p class="small">{words.sameLot} {otherMakers.map((other) => <Address key={other} address={other} name={names.get(other)} />)}</p>
          )}
        </div>
      </div>
    </section>
  );
}
