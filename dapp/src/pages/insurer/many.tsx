import { useEffect, useRef, useState } from "preact/hooks";
import type { SignedVerdict } from "../../core/core";
import { categoryName } from "../../fhir";
import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import { Address, Button, Card, Checkbox, csv, download, FaultNotice, Notice, PageTitle, ProgressBar, Tag, Time, useTask } from "../../ui";
import { FileField } from "../file-field";
import { remember } from "./history";
import { BATCH, parseQuestions, PROVED_BATCH, ROWS_MAX, template, type Parsed } from "./questions";
import { NotKept } from "./verdict";
import { askSigned, cells, COLUMNS, hasProof, saveVerdicts } from "./verdicts";
import { purposeName, reasonWords } from "./words";

interface Answer {
  line: number;
  signed: SignedVerdict;
}

/** Errors that are shown: a file of another kind has one a line. */
const ERRORS_SHOWN = 20;

export function Many() {
  const words = text.insurer;
  const { core, me } = useSession();
  const [parsed, setParsed] = useState<(Parsed & { name: string }) | null>(null);
  const [done, setDone] = useState(0);
  // What came before a batch failed is not lost.
  const [answers, setAnswers] = useState<Answer[]>([]);
  const [prove, setProve] = useState(false);
  const [kept, setKept] = useState(true);
  // Another file, or another page, ends it after the batch that is under way.
  const round = useRef(0);
  useEffect(() => () => void round.current++, []);
  const ask = useTask(async ({ rows }: Parsed, begun: Answer[]) => {
    const mine = ++round.current;
    const all = [...begun];
    const size = prove ? PROVED_BATCH : BATCH;
    for (let from = all.length; from < rows.length; from += size) {
      const batch = rows.slice(from, from + size);
      const questions = batch.map((row) => row.question);
      const verdicts = await askSigned(core, questions, prove);
      const remembered = await remember(me.address, verdicts);
      if (mine !== round.current) return;
      all.push(...verdicts.map((signed, index) => ({ line: batch[index]?.line ?? 0, signed })));
      if (!remembered) setKept(false);
      setAnswers([...all]);
      setDone(all.length);
    }
  });
  const choose = async (file: File | undefined) => {
    round.current++;
    ask.reset();
    setAnswers([]);
    setKept(true);
    setDone(0);
    setParsed(file === undefined ? null : { ...parseQuestions(await file.text()), name: file.name });
  };
  const yes = answers.filter((one) => one.signed.verdict.allowed).length;
  const complete = parsed !== null && answers.length === parsed.rows.length && answers.length > 0;
  return (
    <>
      <PageTitle title={words.many}>{words.manyLead(ROWS_MAX)}</PageTitle>
      <div class="stack">
        <Card title={words.file}>
          <p class="muted">{words.fileHelp}</p>
          <div class="row">
            <Button onClick={() => download("questions.csv", new Blob([template()], { type: "text/csv" }))}>{words.template}</Button>
          </div>
          <FileField label={words.chooseFile} accept=".csv,text/csv,text/plain" onFiles={([file]) => void choose(file)} />
          {parsed !== null && parsed.errors.length > 0 && (
            <Notice kind="bad" live title={words.fileErrors(parsed.errors.length)}>
              <ul>
                {parsed.errors.slice(0, ERRORS_SHOWN).map((one, index) => (
                  <li key={index}>{words.errorAt(one.line, one.message)}</li>
                ))}
                {parsed.errors.length > ERRORS_SHOWN && <li>{words.moreErrors(parsed.errors.length - ERRORS_SHOWN)}</li>}
              </ul>
              <p>{words.fixFile}</p>
            </Notice>
          )}
          {parsed !== null && parsed.errors.length === 0 && !complete && (
            <>
              <p role="status">{words.ready(parsed.rows.length)}</p>
              <Checkbox label={words.prove} hint={words.proveHint(PROVED_BATCH)} checked={prove} disabled={ask.busy} onChange={setProve} />
              <div class="row">
                <Button variant="primary" busy={ask.busy} onClick={() => void ask.run(parsed, answers)}>
                  {answers.length > 0 ? words.goOn : words.askAll(parsed.rows.length)}
                </Button>
              </div>
            </>
          )}
          {ask.busy && parsed !== null && <ProgressBar label={words.asking} done={done} all={parsed.rows.length} />}
          <FaultNotice error={ask.error} />
        </Card>
        {answers.length > 0 && (
          <Card title={words.answers}>
            <p role="status">{words.counted(yes, answers.length - yes)}</p>
            <div class="row">
              <Button onClick={() => download("answers.csv", table(answers))}>{words.downloadCsv}</Button>
              <Button onClick={() => saveVerdicts(answers.map((one) => one.signed))}>{words.downloadVerdicts}</Button>
            </div>
            {!kept && <NotKept />}
            <div class="scroll" tabIndex={0} role="region" aria-label={words.answers}>
              <table class="answers">
                <thead>
                  <tr>
                    <th scope="col">{words.line}</th>
                    <th scope="col">{words.answer}</th>
                    <th scope="col">{words.reason}</th>
                    <th scope="col">{words.chart}</th>
                    <th scope="col">{words.category}</th>
                    <th scope="col">{words.purpose}</th>
                    <th scope="col">{words.asked}</th>
                    <th scope="col">{words.block}</th>
                    <th scope="col">{words.proof}</th>
                  </tr>
                </thead>
                <tbody>
                  {answers.map(({ line, signed, signed: { verdict } }) => (
                    <tr key={line}>
                      <td>{line}</td>
                      <td>{verdict.allowed ? <Tag kind="good">{words.yesShort}</Tag> : <Tag kind="bad">{words.noShort}</Tag>}</td>
                      <td>{reasonWords(verdict.reason)}</td>
                      <td>
                        <Address address={verdict.chart} />
                      </td>
                      <td>{categoryName(verdict.compartment)}</td>
                      <td>{purposeName(verdict.purpose)}</td>
                      <td>
                        <Time at={verdict.at} show="time" />
                      </td>
                      <td>{verdict.block_number.toLocaleString(locale)}</td>
                      <td>{verdict.allowed && (hasProof(signed) ? words.proved : words.notProved)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </Card>
        )}
      </div>
    </>
  );
}

function table(answers: Answer[]): Blob {
  return csv([
    ["line", ...COLUMNS, "block_hash", "proof"],
    ...answers.map(({ line, signed }) => [line, ...cells(signed), signed.verdict.block_hash, hasProof(signed) ? "yes" : "no"]),
  ]);
}
