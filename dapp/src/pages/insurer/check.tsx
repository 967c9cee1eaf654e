import { useEffect, useRef, useState } from "preact/hooks";
import { CoreError, type Checked, type Core, type SignedVerdict } from "../../core/core";
import { categoryName } from "../../fhir";
import { useSession } from "../../state/session";
import { parsed } from "../../state/preferences";
import { text } from "../../text";
import { Address, Button, Card, explainFault, type Explained, FaultNotice, Field, Form, PageTitle, ProgressBar, Tag, Time, useTask } from "../../ui";
import { FileField } from "../file-field";
import { Holds, VerdictCard } from "./verdict";
import { isOwn, separate, VERDICTS_MAX } from "./verdicts";
import { reasonWords } from "./words";

/** What came of one of them. `fault`: it does not hold, and why. */
type Result = { checked: Checked; signed: SignedVerdict } | { fault: Explained };

/** Results that are shown at once: a file may have thousands. */
const SHOWN = 100;

export function Check() {
  const words = text.insurer;
  const { core } = useSession();
  const [pasted, setPasted] = useState("");
  const [file, setFile] = useState<File | null>(null);
  // A file that was chosen and is not meant any more goes from its field, too.
  const [files, setFiles] = useState(0);
  const [progress, setProgress] = useState({ done: 0, all: 0 });
  const [results, setResults] = useState<Result[]>([]);
  // Another choice, or another page, ends it after the one that is under way.
  const round = useRef(0);
  useEffect(() => () => void round.current++, []);
  const check = useTask(async (source: File | string) => {
    const mine = ++round.current;
    const all = await separate(source);
    const found: Result[] = [];
    for (const one of all) {
      if (mine !== round.current) return;
      setProgress({ done: found.length, all: all.length });
      found.push(all.length === 1 ? await checked(core, one) : await checkedOrNot(core, one));
    }
    if (mine === round.current) setResults(found);
  });
  const reset = () => {
    round.current++;
    check.reset();
    setResults([]);
    setProgress({ done: 0, all: 0 });
  };
  const single = results.length === 1 ? results[0] : undefined;
  return (
    <>
      <PageTitle title={words.check}>{words.checkLead(VERDICTS_MAX)}</PageTitle>
      <div class="stack">
        <div class="columns">
          <Card title={words.checkFile}>
            <Form
              onSubmit={() => {
                reset();
                void check.run(file ?? pasted);
              }}
            >
              <FileField
                key={files}
                label={words.chooseVerdict}
                accept=".json,application/json"
                onFiles={([chosen]) => {
                  reset();
                  setFile(chosen ?? null);
                  setPasted("");
                }}
              />
              <Field
                label={words.pasteVerdict}
                type="textarea"
                rows={6}
                value={pasted}
                onInput={(value) => {
                  reset();
                  setPasted(value);
                  if (file === null) return;
                  setFile(null);
                  setFiles(files + 1);
                }}
              />
              <div class="row">
                <Button type="submit" variant="primary" busy={check.busy} disabled={file === null && pasted.trim() === ""}>
                  {words.checkNow}
                </Button>
              </div>
            </Form>
          </Card>
          <div class="stack">
            <FaultNotice error={check.error} />
            {check.busy && progress.all > 1 && <ProgressBar label={words.checking} done={progress.done} all={progress.all} />}
            {single !== undefined && "checked" in single && (
              <>
                <Holds checked={single.checked} />
                <VerdictCard signed={single.signed} whole={false} />
              </>
            )}
          </div>
        </div>
        {results.length > 1 && <Results results={results} />}
      </div>
    </>
  );
}

/** What of it is shown, the client has found to hold. */
async function checked(core: Core, written: string): Promise<Result> {
  const found = await core.verify(written);
  return { checked: found, signed: parsed<SignedVerdict>(written) as SignedVerdict };
}

/** One that does not hold does not end the rest; one that cannot be checked now does. */
async function checkedOrNot(core: Core, written: string): Promise<Result> {
  try {
    return await checked(core, written);
  } catch (error) {
    if (!(error instanceof CoreError) || !["tampered", "usage", "bad-input"].includes(error.fault.kind)) throw error;
    return { fault: explainFault(error.fault) };
  }
}

function Results({ results }: { results: Result[] }) {
  const words = text.insurer;
  const [shown, setShown] = useState(SHOWN);
  const hold = results.filter((one) => "checked" in one).length;
  return (
    <Card title={words.results}>
      <p role="status">{words.heldCount(hold, results.length - hold)}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.results}>
        <table class="answers">
          <thead>
            <tr>
              <th scope="col">{words.verdict}</th>
              <th scope="col">{words.result}</th>
              <th scope="col">{words.answer}</th>
              <th scope="col">{words.reason}</th>
              <th scope="col">{words.chart}</th>
              <th scope="col">{words.category}</th>
              <th scope="col">{words.asked}</th>
              <th scope="col">{words.signedBy}</th>
              <th scope="col">{words.proof}</th>
            </tr>
          </thead>
          <tbody>
            {results.slice(0, shown).map((one, index) => (
              <tr key={index}>
                <td>{index + 1}</td>
                {"checked" in one ? <Held {...one} /> : <NotHeld fault={one.fault} />}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {results.length > shown && <Button onClick={() => setShown(shown + SHOWN)}>{words.showMore}</Button>}
    </Card>
  );
}

function Held({ checked, signed: { verdict } }: { checked: Checked; signed: SignedVerdict }) {
  const words = text.insurer;
  const own = isOwn(checked, useSession().config);
  return (
    <>
      <td>
        <Tag kind="good">{words.holdsShort}</Tag>
      </td>
      <td>{verdict.allowed ? words.yesShort : words.noShort}</td>
      <td>{reasonWords(verdict.reason)}</td>
      <td>
        <Address address={verdict.chart} />
      </td>
      <td>{categoryName(verdict.compartment)}</td>
      <td>
        <Time at={verdict.at} show="time" />
      </td>
      <td>
        {own ? words.thisGateway : <Tag kind="warning">{words.otherGateway}</Tag>} <Address address={checked.gateway} />
      </td>
      <td>{checked.proved ? words.proved : words.notProved}</td>
    </>
  );
}

function NotHeld({ fault }: { fault: Explained }) {
  const words = text.insurer;
  return (
    <>
      <td>
        <Tag kind="bad">{words.holdsNot}</Tag>
      </td>
      <td colSpan={7}>{fault.message}</td>
    </>
  );
}
