import { useState } from "preact/hooks";
import { categoryName } from "../../fhir";
import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import {
  Address, Button, csv, Dialog, download, Empty, FaultNotice, formatTime, Link, PageTitle, Spinner, Tag, Time, useLoaded, useTask,
} from "../../ui";
import { clear, KEPT_MAX, newest, type Kept } from "./history";
import { Holds, VerdictCard } from "./verdict";
import { cells, COLUMNS, hasProof, saveVerdicts } from "./verdicts";
import { actionName, isoTime, purposeName, reasonWords } from "./words";

const SHOWN = 100;

export function History() {
  const words = text.insurer;
  const { me } = useSession();
  const [shown, setShown] = useState(SHOWN);
  const [opened, setOpened] = useState<Kept | null>(null);
  const [clearing, setClearing] = useState(false);
  const loaded = useLoaded(() => newest(me.address, shown), [shown]);
  const all = async () => (await newest(me.address, KEPT_MAX)).kept;
  const save = useTask(async () => saveVerdicts((await all()).map((one) => one.signed)));
  const saveTable = useTask(async () => download("history.csv", table(await all())));
  const found = loaded.result;
  return (
    <>
      <PageTitle title={words.history}>{words.historyLead(KEPT_MAX)}</PageTitle>
      <FaultNotice error={loaded.error} onRetry={() => void loaded.run()} />
      {found === undefined && loaded.busy && <Spinner />}
      {found?.all === 0 && (
        <Empty title={words.noHistory}>
          <Link to="/insurer" class="button primary">
            {words.ask}
          </Link>
        </Empty>
      )}
      {found !== undefined && found.all > 0 && (
        <div class="stack">
          <div class="row">
            <Button busy={save.busy} onClick={() => void save.run()}>
              {words.downloadVerdicts}
            </Button>
            <Button busy={saveTable.busy} onClick={() => void saveTable.run()}>
              {words.downloadCsv}
            </Button>
            <Button variant="danger" onClick={() => setClearing(true)}>
              {words.clear}
            </Button>
          </div>
          <FaultNotice error={save.error ?? saveTable.error} />
          <ul role="list" class="history">
            {found.kept.map((kept) => (
              <li key={kept.id} class="card">
                <Entry kept={kept} onOpen={() => setOpened(kept)} />
              </li>
            ))}
          </ul>
          {found.all > shown && (
            <Button busy={loaded.busy} onClick={() => setShown(shown + SHOWN)}>
              {words.showMore}
            </Button>
          )}
        </div>
      )}
      {opened !== null && <Reopened kept={opened} onClose={() => setOpened(null)} />}
      {clearing && (
        <Clear
          count={found?.all ?? 0}
          onClose={() => setClearing(false)}
          onCleared={() => {
            setClearing(false);
            void loaded.run();
          }}
        />
      )}
    </>
  );
}

function Entry({ kept, onOpen }: { kept: Kept; onOpen: () => void }) {
  const words = text.insurer;
  const { verdict } = kept.signed;
  const category = categoryName(verdict.compartment);
  return (
    <>
      <div class="row apart">
        <span class="row">
          {verdict.allowed ? <Tag kind="good">{words.yesShort}</Tag> : <Tag kind="bad">{words.noShort}</Tag>}
          <strong>{category}</strong>
          {hasProof(kept.signed) && <Tag>{words.proved}</Tag>}
        </span>
        <span class="muted small">
          <Time at={kept.asked} show="time" />
        </span>
      </div>
      <p>{reasonWords(verdict.reason)}</p>
      <p class="muted small">
        {words.entry(actionName(verdict.action), purposeName(verdict.purpose), verdict.block_number.toLocaleString(locale))}
      </p>
      <div class="row apart">
        <Address address={verdict.chart} />
        <Button size="small" label={words.openOf(category, formatTime(kept.asked))} onClick={onOpen}>
          {words.open}
        </Button>
      </div>
    </>
  );
}

/** As it was given, to be checked by the chain as it is now. */
function Reopened({ kept, onClose }: { kept: Kept; onClose: () => void }) {
  const words = text.insurer;
  const { core } = useSession();
  const check = useTask(() => core.verify(JSON.stringify(kept.signed)));
  return (
    <Dialog
      title={words.verdict}
      wide
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{text.ui.close}</Button>
          <Button variant="primary" busy={check.busy} onClick={() => void check.run()}>
            {words.checkAgain}
          </Button>
        </>
      }
    >
      <div class="stack">
        <VerdictCard signed={kept.signed} />
        <FaultNotice error={check.error} />
        {check.result !== undefined && <Holds checked={check.result} />}
      </div>
    </Dialog>
  );
}

function Clear({ count, onClose, onCleared }: { count: number; onClose: () => void; onCleared: () => void }) {
  const words = text.insurer;
  const { me } = useSession();
  const forget = useTask(async () => {
    await clear(me.address);
    onCleared();
  });
  return (
    <Dialog
      title={words.clear}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button variant="danger" sure busy={forget.busy} onClick={() => void forget.run()}>
            {words.clear}
          </Button>
        </>
      }
    >
      <p>{words.clearHelp(count)}</p>
      <FaultNotice error={forget.error} />
    </Dialog>
  );
}

function table(all: Kept[]): Blob {
  return csv([
    ["asked", ...COLUMNS, "proof"],
    ...all.map(({ asked, signed }) => [isoTime(asked), ...cells(signed), hasProof(signed) ? "yes" : "no"]),
  ]);
}
