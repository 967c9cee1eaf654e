// Recalls: all there are, and ours. The maker of a batch recalls, or a regulator, whoever holds the packages.
import { useState } from "preact/hooks";
import type { Hex, Packages } from "../../core/core";
import { parseWord } from "../../hex";
import { own } from "../../own";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, CheckIcon, Dialog, Empty, FaultNotice, Field, Form, FormEnd, PageTitle, Spinner, Tag, Time, TransactionDialog, useLoaded,
} from "../../ui";
import { Unregistered, useOwnRoles, type OwnRoles } from "../registered";
import { useDocument } from "./document";
import { Named } from "./fields";

export function Recalls() {
  const words = text.supply;
  const { core, names } = useSession();
  const recalls = useLoaded(() => core.recalls(), [useIndexed()]);
  const roles = useOwnRoles();
  const [recalling, setRecalling] = useState(false);
  return (
    <>
      <PageTitle title={words.recalls} aside={<Button variant="danger" onClick={() => setRecalling(true)}>{words.recall}</Button>}>
        {words.recallsLead}
      </PageTitle>
      <div class="stack">
        <FaultNotice error={recalls.error} onRetry={() => void recalls.run()} />
        {recalls.result === undefined && recalls.error === null && <Spinner />}
        {recalls.result?.length === 0 && <Empty icon={<CheckIcon size={28} />} title={words.noRecalls} />}
        {[...(recalls.result ?? [])].reverse().map((recall) => (
          <Card
            key={`${recall.batch}-${recall.number}`} title={words.recallTitle(recall.gtin)}
            aside={<Tag kind="bad">{own(words.classes, recall.class) ?? recall.class}</Tag>}
          >
            <p>{own(words.recallReasons, recall.reason) ?? recall.reason}</p>
            <p>{words.range(recall.from, recall.to - 1)} · {words.batch} <Address address={recall.batch as Hex} /></p>
            <p class="muted small">
              <Time at={recall.at} show="time" /> · <Address address={recall.issued_by as Hex} name={names.get(recall.issued_by as Hex)} />
            </p>
          </Card>
        ))}
      </div>
      {recalling && <RecallPackages roles={roles} onClose={() => setRecalling(false)} />}
    </>
  );
}

function RecallPackages({ roles, onClose }: { roles: OwnRoles; onClose: () => void }) {
  const words = text.supply;
  const { core } = useSession();
  const [batch, setBatch] = useState("");
  const [first, setFirst] = useState("0");
  const [last, setLast] = useState("");
  const [cls, setCls] = useState("");
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState<Packages | null>(null);
  const document = useDocument(tried);
  if (asked !== null) {
    return (
      <TransactionDialog
        title={words.recall} confirm={words.recallDo} danger summary={words.recallSummary}
        details={[
          { label: words.packages, value: words.range(asked.first, asked.last) },
          { label: words.batch, value: asked.batch },
          { label: words.cls, value: own(words.classes, cls) },
          { label: words.reason, value: own(words.recallReasons, reason) },
          { label: words.document, value: document.digest ?? words.noDocument },
        ]}
        act={(watch) => core.recallPackages(asked, cls, reason, document.digest, watch)} onClose={onClose}
      />
    );
  }
  const id = parseWord(batch);
  const isNumber = (written: string) => /^\d{1,9}$/.test(written.trim());
  const wrong = {
    batch: id === null ? words.batchWrong : null,
    range: isNumber(first) && isNumber(last) && Number(first) <= Number(last) ? null : words.numbersWrong,
  };
  const next = () => {
    setTried(true);
    if (id === null || wrong.range !== null || cls === "" || reason === "" || !document.ready) return;
    setAsked({ batch: id, first: Number(first), last: Number(last) });
  };
  const shown = (error: string | null) => (tried ? error : null);
  return (
    <Dialog title={words.recall} onClose={onClose}>
      <Unregistered roles={roles} needed={["maker", "regulator"]}>{words.notRecaller}</Unregistered>
      <Form onSubmit={next}>
        <Field label={words.batch} hint={words.batchHint} value={batch} onInput={setBatch} error={shown(wrong.batch)} focus />
        <Field label={words.first} value={first} onInput={setFirst} error={shown(wrong.range)} />
        <Field label={words.last} value={last} onInput={setLast} error={shown(wrong.range)} />
        <Named label={words.cls} names={words.classes} value={cls} onInput={setCls} tried={tried} />
        <Named label={words.reason} names={words.recallReasons} value={reason} onInput={setReason} tried={tried} />
        {document.field}
        <FormEnd onClose={onClose} />
      </Form>
    </Dialog>
  );
}
