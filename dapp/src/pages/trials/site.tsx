// What a site of a trial does.
import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { Hex, TrialFacts } from "../../core/core";
import { isAddress } from "../../hex";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, Dialog, FaultNotice, Field, Form, FormEnd, Notice, Time, TransactionDialog, download, useTask } from "../../ui";
import { Unregistered, useOwnRoles, type OwnRoles } from "../registered";
import { bytesOf, participantOf } from "./documents";
import { OneFile } from "./files";
import { periodOf, stateOf } from "./words";

interface ActProps {
  facts: TrialFacts;
  roles: OwnRoles;
  onClose: () => void;
}

/** As large as a batch's file may be; with its salts it is larger. */
const ROWS_BYTES_MOST = 64 * 1024 * 1024;

export function Site({ facts }: { facts: TrialFacts }) {
  const words = text.trials;
  const roles = useOwnRoles();
  const [doing, setDoing] = useState<"enrol" | "data" | null>(null);
  const end = () => setDoing(null);
  if (stateOf(facts) !== "open") return null;
  return (
    <Card title={words.asSite}>
      <div class="row">
        <Button onClick={() => setDoing("enrol")}>{words.enrol}</Button>
        <Button onClick={() => setDoing("data")}>{words.anchorData}</Button>
      </div>
      {doing === "enrol" && <Enrol facts={facts} roles={roles} onClose={end} />}
      {doing === "data" && <AnchorData facts={facts} roles={roles} onClose={end} />}
    </Card>
  );
}

function Enrol({ facts: { trial }, roles, onClose }: ActProps) {
  const words = text.trials;
  const { core } = useSession();
  const [written, setWritten] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState<{ participant: Hex; kept: Uint8Array | undefined } | null>(null);
  const participant = written.trim().toLowerCase();
  const review = useTask(async () => {
    setTried(true);
    if (isAddress(participant)) setAsked({ participant, kept: file === null ? undefined : await bytesOf(file) });
  });
  const take = async (chosen: File | null) => {
    setFile(chosen);
    const named = chosen === null ? null : await participantOf(chosen);
    if (named !== null) setWritten((before) => (before.trim() === "" ? named : before));
  };
  if (asked !== null) {
    return (
      <TransactionDialog
        title={words.enrol} confirm={words.enrolDo} summary={words.enrolSummary}
        details={[
          { label: words.participant, value: asked.participant },
          { label: words.compared, value: asked.kept === undefined ? words.comparedNo : words.comparedYes },
        ]}
        act={(watch) => core.enrol(trial, asked.participant, asked.kept, watch)}
        outcome={({ number }) => <Notice title={words.numberTitle(number)}>{words.numberHelp}</Notice>}
        onClose={onClose}
      />
    );
  }
  return (
    <Dialog title={words.enrol} onClose={onClose}>
      <Unregistered roles={roles} needed={["site"]}>{words.notSite}</Unregistered>
      <Form onSubmit={() => void review.run()}>
        <OneFile
          label={words.consentFile} hint={words.consentFileHint} accept=".json,application/json" onFile={(chosen) => void take(chosen)}
        />
        <Field
          label={words.participant} hint={words.participantHint} value={written} onInput={setWritten}
          error={tried && !isAddress(participant) ? words.accountWrong : null}
        />
        <FaultNotice error={review.error} />
        <FormEnd onClose={onClose} busy={review.busy} />
      </Form>
    </Dialog>
  );
}

interface Ready {
  name: string;
  lines: string;
  rows: number;
  from: number;
  to: number;
}

function AnchorData({ facts, roles, onClose }: ActProps) {
  const words = text.trials;
  const { core, me } = useSession();
  const last = Math.max(0, ...facts.batches.filter((one) => one.site === me.address).map((one) => one.sequence));
  const [sequence, setSequence] = useState(String(last + 1));
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [tried, setTried] = useState(false);
  const [ready, setReady] = useState<Ready | null>(null);
  const period = periodOf(from, to, facts.registered_at, now());
  const wrong = {
    sequence: /^[1-9]\d{0,8}$/.test(sequence.trim()) ? null : words.sequenceWrong,
    period: period === null ? words.periodWrong : null,
    rows: file === null ? words.fileMissing : file.size > ROWS_BYTES_MOST ? words.rowsTooLarge : null,
  };
  const make = useTask(async () => {
    setTried(true);
    if (file === null || period === null || Object.values(wrong).some((error) => error !== null)) return;
    const number = Number(sequence.trim());
    const { lines, from: begins, to: ends } = await core.trialData({ trial: facts.trial, sequence: number, ...period, rows: await file.text() });
    const name = `batch-${number}.jsonl`;
    // Before anything is sent: data whose salts are lost can never be shown to be those of the chain.
    download(name, new Blob([lines], { type: "application/jsonl" }));
    // The first line is about the batch.
    setReady({ name, lines, rows: lines.split("\n").length - 2, from: begins, to: ends });
  });
  if (ready !== null) {
    return (
      <TransactionDialog
        title={words.anchorData} confirm={words.anchorDo} summary={words.anchorSummary}
        details={[
          { label: words.saved, value: ready.name },
          { label: words.period, value: <><Time at={ready.from} show="time" /> – <Time at={ready.to} show="time" /></> },
          { label: words.rowsFile, value: words.rows(ready.rows) },
        ]}
        act={(watch) => core.anchorTrialData(new TextEncoder().encode(ready.lines), watch)} onClose={onClose}
      />
    );
  }
  const shown = (error: string | null) => (tried ? error : null);
  return (
    <Dialog title={words.anchorData} onClose={onClose}>
      <Unregistered roles={roles} needed={["site"]}>{words.notSite}</Unregistered>
      <Form onSubmit={() => void make.run()}>
        <Field
          label={words.sequence} hint={words.sequenceHint} inputmode="numeric" value={sequence} onInput={setSequence}
          error={shown(wrong.sequence)}
        />
        <Field label={words.from} type="date" value={from} onInput={setFrom} />
        <Field label={words.to} hint={words.toHint} type="date" value={to} onInput={setTo} error={shown(wrong.period)} />
        <OneFile label={words.rowsFile} hint={words.rowsHint} error={shown(wrong.rows)} onFile={setFile} />
        <FaultNotice error={make.error} />
        <FormEnd label={words.makeFile} busy={make.busy} onClose={onClose} />
      </Form>
    </Dialog>
  );
}
