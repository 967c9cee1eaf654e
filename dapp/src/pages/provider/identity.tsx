import { useState } from "preact/hooks";
import type { Purpose } from "../../core/core";
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
import { ASKED_LENGTHS, USUAL_LENGTH, type AskedLength } from "../patient/terms";
import type { Request } from "./asked";
import { Requests, daysName } from "./requests";
import "../../style/provider.css";

interface Preset {
  purpose: Purpose;
  categories: number[];
  write: boolean;
}

/** What each area asks for at first. */
const PRESETS = {
  provider: { purpose: "TREAT", categories: numbers((one) => one.number !== SENSITIVE), write: true },
  insurer: { purpose: "HPAYMT", categories: numbers((one) => one.key === "claims"), write: false },
} satisfies Record<string, Preset>;

export function Identity({ area }: { area: keyof typeof PRESETS }) {
  const words = text.provider;
  const preset: Preset = PRESETS[area];
  const { core, me, key, organisation } = useSession();
  const party = useLoaded(() => core.party(me.address), [me.address]);
  const published = useLoaded(() => core.isPublished(), [me.address]);
  const [publishing, setPublishing] = useState(false);
  const [name, setName] = useState(key.name);
  const [categories, setCategories] = useState(() => new Set(preset.categories));
  const [write, setWrite] = useState(preset.write);
  const [days, setDays] = useState<AskedLength>(USUAL_LENGTH);
  const request: Request = { purpose: preset.purpose, categories: [...categories].sort((one, other) => one - other), write, days };
  const link = requestLink(me.address, name, request);
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
          <p>{words.forPurposes([text.purposes[preset.purpose].name])}</p>
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
                onInput={(value) => setDays(value as AskedLength)}
                options={ASKED_LENGTHS.map((value) => ({ value, label: daysName(value) }))}
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
        {/* The link is this account's own, and the shares of an organisation are what is shown while one acts for it. */}
        {organisation === null && <Requests request={request} opens={area === "provider"} />}
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

function numbers(belongs: (one: (typeof CATEGORIES)[number]) => boolean): number[] {
  return CATEGORIES.filter(belongs).map((one) => one.number);
}

/** What the patient's share page is filled with; the patient may change all of it. In the fragment, which no server sees. */
function requestLink(address: string, name: string, { purpose, categories, write, days }: Request): string {
  const query = new URLSearchParams({
    with: address,
    ...(name.trim() === "" ? {} : { name: name.trim() }),
    purposes: purpose,
    categories: categories.join(","),
    actions: write ? "read,write" : "read",
    days,
  });
  return `${location.origin}/#/share?${query}`;
}
