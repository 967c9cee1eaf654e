import { useState } from "preact/hooks";
import { CATEGORIES, SENSITIVE } from "../../fhir";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address,
  Button,
  Card,
  Checkbox,
  CopyButton,
  FaultNotice,
  Field,
  Notice,
  PageTitle,
  Spinner,
  TransactionDialog,
  useLoaded,
} from "../../ui";
import { PartyFacts } from "../../ui/party";
import { QrCode } from "../../ui/qr";

const DAYS = ["7", "30", "90", "365", "0"];

export function Identity() {
  const words = text.provider;
  const { core, me, key } = useSession();
  const party = useLoaded(() => core.party(me.address), [me.address]);
  const published = useLoaded(() => core.isPublished(), [me.address]);
  const [publishing, setPublishing] = useState(false);
  const [name, setName] = useState(key.name);
  const [categories, setCategories] = useState(
    () => new Set(CATEGORIES.filter((one) => one.number !== SENSITIVE).map((one) => one.number)),
  );
  const [write, setWrite] = useState(true);
  const [days, setDays] = useState("90");
  const link = requestLink({ address: me.address, name, categories: [...categories].sort((one, other) => one - other), write, days });
  const toggle = (number: number, on: boolean) => {
    const next = new Set(categories);
    if (on) next.add(number);
    else next.delete(number);
    setCategories(next);
  };
  return (
    <>
      <PageTitle title={words.identity}>{words.identityLead}</PageTitle>
      <div class="stack">
        <Card title={words.state}>
          <dl class="facts">
            <dt>{words.address}</dt>
            <dd>
              <Address address={me.address} />
            </dd>
          </dl>
          <FaultNotice error={party.error ?? published.error} onRetry={() => void Promise.all([party.run(), published.run()])} />
          {party.result === undefined && party.error === null && <Spinner />}
          {party.result !== undefined && published.result === true && <PartyFacts party={party.result} />}
          {published.result === true && <Notice kind="good">{words.published}</Notice>}
          {published.result === false && (
            <Notice kind="warning" title={words.notPublished}>
              <p>{words.notPublishedHelp}</p>
              <Button variant="primary" onClick={() => setPublishing(true)}>
                {words.publish}
              </Button>
            </Notice>
          )}
        </Card>
        <Card title={words.request}>
          <p class="muted">{words.requestHelp}</p>
          <div class="request">
            <div class="stack">
              <Field label={words.requestName} hint={words.requestNameHint} value={name} onInput={setName} />
              <fieldset>
                <legend>{words.requestCategories}</legend>
                <div class="request-categories">
                  {CATEGORIES.map((one) => (
                    <Checkbox
                      key={one.number}
                      label={one.name}
                      checked={categories.has(one.number)}
                      onChange={(on) => toggle(one.number, on)}
                    />
                  ))}
                </div>
              </fieldset>
              <Checkbox label={words.requestWrite} checked={write} onChange={setWrite} />
              <Field
                label={words.requestDays}
                type="select"
                value={days}
                onInput={setDays}
                options={DAYS.map((value) => ({ value, label: words.days(Number(value)) }))}
              />
            </div>
            <div class="stack request-code">
              {categories.size === 0 ? (
                <Notice kind="warning" live>
                  {words.requestEmpty}
                </Notice>
              ) : (
                <>
                  <QrCode value={link} label={words.requestCode} />
                  <CopyButton value={link}>{words.copyLink}</CopyButton>
                  <p class="muted small">{words.requestSafe}</p>
                </>
              )}
            </div>
          </div>
        </Card>
      </div>
      {publishing && (
        <TransactionDialog
          title={words.publish}
          summary={words.publishSummary}
          confirm={words.publish}
          act={(watch) => core.publishKey(watch)}
          onDone={() => void Promise.all([party.run(), published.run()])}
          onClose={() => setPublishing(false)}
        />
      )}
    </>
  );
}

interface Request {
  address: string;
  name: string;
  categories: number[];
  write: boolean;
  days: string;
}

/** What the patient's share page is filled with; the patient may change all of it. In the fragment, which no server sees. */
function requestLink({ address, name, categories, write, days }: Request): string {
  const query = new URLSearchParams({
    with: address,
    ...(name.trim() === "" ? {} : { name: name.trim() }),
    purposes: "TREAT",
    categories: categories.join(","),
    actions: write ? "read,write" : "read",
    ...(days === "0" ? {} : { days }),
  });
  return `${location.origin}/#/share?${query}`;
}
