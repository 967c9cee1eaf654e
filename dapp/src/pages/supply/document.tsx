// EPCIS documents: an event names one by its salted digest, so that whoever is given the document and the salt can tell that it is the one.
import { useState } from "preact/hooks";
import type { Hex } from "../../core/core";
import { parseWord } from "../../hex";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, CopyButton, Dialog, FaultNotice, Field, Form, FormEnd, Notice, download, useTask } from "../../ui";
import { FileField } from "../file-field";

const JSON_FILES = ".json,.jsonld,application/json,application/ld+json";

/** An optional document of an event that is to be: its field, and its digest once it may be anchored. `tried`: somebody wants to go on. */
export function useDocument(tried: boolean) {
  const words = text.supply;
  const { core } = useSession();
  const [chosen, setChosen] = useState<File | null>(null);
  const [saved, setSaved] = useState<Hex | null>(null);
  // A file input keeps what was chosen: another round makes it anew.
  const [round, setRound] = useState(0);
  const check = useTask((file: File) => core.nameDocument(file));
  const named = check.result;
  const isSaved = named !== undefined && saved === named.salt;
  const take = (file: File | null) => {
    setChosen(file);
    check.reset();
    if (file !== null) void check.run(file);
  };
  const save = () => {
    if (chosen === null || named === undefined) return;
    const content = JSON.stringify({ document: chosen.name, ...named }, null, 2);
    download(`${chosen.name.replace(/\.[^.]*$/, "")}.salt.json`, new Blob([content], { type: "application/json" }));
    setSaved(named.salt);
  };
  const reset = () => {
    take(null);
    setRound((before) => before + 1);
  };
  const ready = chosen === null || isSaved;
  const field = (
    <>
      <FileField key={round} label={words.document} hint={words.documentHint} accept={JSON_FILES} onFiles={([file]) => take(file ?? null)} />
      <FaultNotice error={check.error} />
      {named && <Notice kind={isSaved ? "good" : "info"} live title={words.documentIs}>{isSaved ? words.saltSaved : words.documentSalt}</Notice>}
      {tried && !ready && !check.busy && <Notice kind="bad" live>{named ? words.saltFirst : words.documentFirst}</Notice>}
      {chosen !== null && !check.busy && (
        <div class="row">
          {named && <Button onClick={save}>{words.saveSalt}</Button>}
          <Button onClick={reset}>{words.withoutDocument}</Button>
        </div>
      )}
    </>
  );
  return { field, ready, digest: chosen === null ? null : (named?.digest ?? null), reset };
}

/** A document that stands on the chain, and what it is of. */
export interface Anchored {
  digest: Hex;
  of: string;
}

export function CheckDocument({ anchored, onClose }: { anchored: Anchored[]; onClose: () => void }) {
  const words = text.supply;
  const { core } = useSession();
  const [file, setFile] = useState<File | null>(null);
  const [written, setWritten] = useState("");
  const [tried, setTried] = useState(false);
  const compare = useTask((document: File, salt: Hex) => core.documentDigest(document, salt));
  const salt = parseWord(written);
  const digest = compare.result;
  const found = anchored.find((one) => one.digest === digest);
  // What was found is of what stood there before.
  const change = () => compare.reset();
  const submit = () => {
    setTried(true);
    change();
    if (file !== null && salt !== null) void compare.run(file, salt);
  };
  return (
    <Dialog title={words.checkDocument} onClose={onClose}>
      <p class="muted">{words.checkDocumentHelp}</p>
      <Form onSubmit={submit}>
        <FileField
          label={words.theDocument} accept={JSON_FILES}
          onFiles={([chosen]) => {
            setFile(chosen ?? null);
            change();
          }}
        />
        {tried && file === null && <Notice kind="bad" live>{words.documentMissing}</Notice>}
        <Field
          label={words.salt} hint={words.saltHint} value={written} error={tried && salt === null ? words.saltWrong : null}
          onInput={(value) => {
            setWritten(value);
            change();
          }}
        />
        <FileField
          label={words.saltFile} accept={JSON_FILES}
          onFiles={([chosen]) => {
            void chosen?.text().then((content) => {
              setWritten(saltIn(content));
              change();
            });
          }}
        />
        <FaultNotice error={compare.error} />
        {digest !== undefined && found !== undefined && <Notice kind="good" live title={words.isTheOne(found.of)} />}
        {digest !== undefined && found === undefined && (
          <Notice kind="bad" live title={words.isNone}>
            <p>{words.isNoneHelp} <code>{digest}</code> <CopyButton value={digest} /></p>
          </Notice>
        )}
        <FormEnd label={words.compare} busy={compare.busy} onClose={onClose} />
      </Form>
    </Dialog>
  );
}

/** As it was saved here; anything else stands as it is, to be looked at. */
function saltIn(content: string): string {
  try {
    const saved: unknown = JSON.parse(content);
    if (typeof saved === "object" && saved !== null && "salt" in saved && typeof saved.salt === "string") return saved.salt;
  } catch {
    // No JSON.
  }
  return content.trim();
}
