import { useState } from "preact/hooks";
import { categoryName } from "../../fhir";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address, Button, csv, Dialog, download, Empty, Link, PageTitle, Tag, Time } from "../../ui";
import { clear, entries, type Entry } from "./history";
import { actionName, isoTime, purposeName, reasonWords } from "./words";

const SHOWN = 100;

export function History() {
  const words = text.insurer;
  const { me } = useSession();
  const [all, setAll] = useState(() => entries(me.address));
  const [shown, setShown] = useState(SHOWN);
  const [asked, setAsked] = useState(false);
  return (
    <>
      <PageTitle title={words.history}>{words.historyLead}</PageTitle>
      {all.length === 0 ? (
        <Empty title={words.noHistory}>
          <Link to="/insurer" class="button primary">
            {words.ask}
          </Link>
        </Empty>
      ) : (
        <div class="stack">
          <div class="row">
            <Button onClick={() => download("history.csv", table(all))}>{words.downloadCsv}</Button>
            <Button variant="danger" onClick={() => setAsked(true)}>
              {words.clear}
            </Button>
          </div>
          <ul role="list" class="history">
            {all.slice(0, shown).map((entry, index) => (
              <li key={index} class="card">
                <div class="row apart">
                  <span class="row">
                    {entry.allowed ? <Tag kind="good">{words.yesShort}</Tag> : <Tag kind="bad">{words.noShort}</Tag>}
                    <strong>{categoryName(entry.compartment)}</strong>
                  </span>
                  <span class="muted small">
                    <Time at={entry.asked} show="time" />
                  </span>
                </div>
                <p>{reasonWords(entry.reason)}</p>
                <p class="muted small">
                  {words.entry(actionName(entry.action), purposeName(entry.purpose), entry.block.toLocaleString("en"))}
                </p>
                <Address address={entry.chart} />
              </li>
            ))}
          </ul>
          {all.length > shown && <Button onClick={() => setShown(shown + SHOWN)}>{words.showMore}</Button>}
        </div>
      )}
      {asked && (
        <Dialog
          title={words.clear}
          onClose={() => setAsked(false)}
          actions={
            <>
              <Button onClick={() => setAsked(false)}>{text.ui.cancel}</Button>
              <Button
                variant="danger"
                sure
                onClick={() => {
                  clear(me.address);
                  setAll([]);
                  setAsked(false);
                }}
              >
                {words.clear}
              </Button>
            </>
          }
        >
          <p>{words.clearHelp(all.length)}</p>
        </Dialog>
      )}
    </>
  );
}

function table(all: Entry[]): Blob {
  return csv([
    ["asked", "chart", "category", "purpose", "action", "at", "allowed", "reason", "block"],
    ...all.map((one) => [
      isoTime(one.asked),
      one.chart,
      categoryName(one.compartment),
      one.purpose,
      one.action,
      isoTime(one.at),
      one.allowed ? "yes" : "no",
      one.reason,
      one.block,
    ]),
  ]);
}
