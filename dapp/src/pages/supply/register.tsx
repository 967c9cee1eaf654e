// A batch of ours, from the list of its serials to the chain. Its tickets are saved first: without them no package of it can be dispensed.
import { useState } from "preact/hooks";
import type { NewBatch } from "../../core/core";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, FaultNotice, Field, Form, Notice, PageTitle, TransactionDialog, download, useTask } from "../../ui";
import { FileField } from "../file-field";
import { Unregistered, useOwnRoles } from "../registered";
import { useDocument } from "./document";

/** Larger ones are for the program. */
const SERIALS_MOST = 20_000;

export function Register() {
  const words = text.supply;
  const { core } = useSession();
  const roles = useOwnRoles();
  const [batch, setBatch] = useState<NewBatch>({ gtin: "", lot: "", expiry: "", serials: "" });
  const [tried, setTried] = useState(false);
  const [registering, setRegistering] = useState(false);
  const document = useDocument(tried);
  const make = useTask(async (wish: NewBatch) => {
    const made = await core.batchTickets(wish);
    download(`tickets-${wish.lot}.jsonl`, new Blob([made.tickets], { type: "application/x-ndjson" }));
    return { ...made, wish };
  });
  const set = (change: Partial<NewBatch>) => {
    setBatch((before) => ({ ...before, ...change }));
    // What was made is of what stood there before.
    make.reset();
  };
  const serials = batch.serials.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  const wrong = {
    gtin: /^\d{8,14}$/.test(batch.gtin.trim()) ? null : words.gtinWrong,
    lot: batch.lot.trim() === "" ? words.lotMissing : null,
    expiry: /^\d{4}-\d\d-\d\d$/.test(batch.expiry) ? null : words.expiryMissing,
    serials: serials.length === 0 ? words.serialsMissing : serials.length > SERIALS_MOST ? words.serialsMany(SERIALS_MOST) : null,
  };
  const submit = () => {
    setTried(true);
    if (Object.values(wrong).some((error) => error !== null) || !document.ready) return;
    void make.run({ gtin: batch.gtin.trim().padStart(14, "0"), lot: batch.lot.trim(), expiry: batch.expiry, serials: serials.join("\n") });
  };
  const shown = (error: string | null) => (tried ? error : null);
  const made = make.result;
  return (
    <>
      <PageTitle title={words.register}>{words.registerLead}</PageTitle>
      <div class="stack">
        <Unregistered roles={roles} needed={["maker"]}>{words.notMaker}</Unregistered>
        <Form onSubmit={submit}>
          <Card title={words.batch}>
            <Field label={words.gtin} hint={words.gtinHint} value={batch.gtin} onInput={(gtin) => set({ gtin })} error={shown(wrong.gtin)} />
            <Field label={words.lot} value={batch.lot} onInput={(lot) => set({ lot })} error={shown(wrong.lot)} />
            <Field label={words.expiry} hint={words.expiryHint} type="date" value={batch.expiry} onInput={(expiry) => set({ expiry })} error={shown(wrong.expiry)} />
            <Field
              label={words.serials} hint={words.serialsHint} type="textarea" value={batch.serials} onInput={(value) => set({ serials: value })}
              error={shown(wrong.serials)}
            />
            <FileField label={words.serialsFile} accept=".txt,.csv,text/plain" onFiles={([file]) => void file?.text().then((value) => set({ serials: value }))} />
            {document.field}
            <div class="row"><Button variant="primary" type="submit" busy={make.busy}>{words.makeTickets}</Button></div>
          </Card>
        </Form>
        <FaultNotice error={make.error} />
        {made && (
          <Card title={words.ready(made.packages)}>
            <Notice kind="warning">{words.keepTickets}</Notice>
            <div class="row"><Button variant="primary" disabled={!document.ready} onClick={() => setRegistering(true)}>{words.registerDo}</Button></div>
          </Card>
        )}
      </div>
      {registering && made && (
        <TransactionDialog
          title={words.register} confirm={words.registerDo} summary={words.registerSummary(made.packages)}
          details={[{ label: words.batch, value: made.batch }, { label: words.document, value: document.digest ?? words.noDocument }]}
          act={(watch) => core.registerBatch(made.wish, document.digest, watch)} onClose={() => setRegistering(false)}
          onFinished={() => {
            make.reset();
            document.reset();
          }}
        />
      )}
    </>
  );
}
