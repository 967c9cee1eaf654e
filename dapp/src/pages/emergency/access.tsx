// Emergency access: who may look when nobody can ask the patient, and who has.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Emergency, EmergencySettings, Hex } from "../../core/core";
import { CATEGORIES, SENSITIVE, categoryNames } from "../../fhir";
import { isAddress } from "../../hex";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, Checkbox, CopyButton, FaultNotice, Field, Form, Link, Notice, PageTitle, Spinner, Tag, Time, TransactionDialog,
  shortAddress, useLoaded,
} from "../../ui";
import { QrCode } from "../../ui/qr";
import { reasonText } from "./reason";
import { Who } from "../patient/who";
import "../../style/area.css";

/** With one, each custodian could open everything alone. */
const THRESHOLD_MIN = 2;

export default function EmergencyAccess({ chart }: { chart: Hex }) {
  const words = text.access;
  const { core } = useSession();
  const loaded = useLoaded(() => Promise.all([core.emergencySettings(chart), core.emergencies(chart)]), [chart, useIndexed()]);
  const [asking, setAsking] = useState(false);
  // While a dialog is open the page stays as it is: the news would take away what the dialog belongs to, and its last words with it.
  const [settings, emergencies] = useHeld(loaded.result ?? [null, []], asking);
  const [changing, setChanging] = useState(false);
  const reload = () => {
    setChanging(false);
    void loaded.run();
  };
  const isSet = settings !== null && settings.allowed && settings.kit !== null;
  return (
    <>
      <PageTitle title={words.title}>{words.lead}</PageTitle>
      <div class="stack">
        <FaultNotice error={loaded.error} onRetry={() => void loaded.run()} />
        {settings === null && loaded.error === null && <Spinner />}
        <Opened chart={chart} emergencies={emergencies} onChanged={reload} />
        {settings !== null && isSet && !changing && (
          <Allowed chart={chart} settings={settings} onChange={() => setChanging(true)} onDone={reload} onAsking={setAsking} />
        )}
        {settings !== null && settings.allowed && settings.kit === null && (
          <Notice kind="bad" title={words.noKit}>
            <p>{words.noKitHelp}</p>
            <Forbid chart={chart} onDone={reload} onAsking={setAsking} />
          </Notice>
        )}
        {settings !== null && (!isSet || changing) && (
          <Allow
            chart={chart} settings={settings} onDone={reload} onAsking={setAsking} onCancel={changing ? () => setChanging(false) : null}
          />
        )}
      </div>
    </>
  );
}

/** `value` as it was when `held` began, for as long as it lasts. */
function useHeld<T>(value: T, held: boolean): T {
  const kept = useRef(value);
  if (!held) kept.current = value;
  return kept.current;
}

interface AskProps {
  chart: Hex;
  onDone: () => void;
  /** A dialog is open, or is not any more. */
  onAsking: (open: boolean) => void;
}

function Allowed({ chart, settings, onChange, onDone, onAsking }: AskProps & { settings: EmergencySettings; onChange: () => void }) {
  const words = text.access;
  const { kit } = settings;
  if (kit === null) return null;
  const link = `${location.origin}/#/provider/emergency?chart=${chart}`;
  return (
    <Card title={words.allowed} aside={<Tag kind={kit.current ? "good" : "warning"}>{kit.current ? words.on : words.outdated}</Tag>}>
      {!kit.current && <Notice kind="warning">{words.outdatedHelp}</Notice>}
      <dl class="facts">
        <dt>{words.what}</dt>
        <dd>{categoryNames(kit.compartments)}</dd>
        <dt>{words.custodians}</dt>
        <dd>
          {kit.custodians.map((one) => <div key={one}><Who address={one} /></div>)}
          <p class="muted small">{words.needed(kit.threshold, kit.custodians.length)}</p>
        </dd>
      </dl>
      <div class="row">
        <Button onClick={onChange}>{words.change}</Button>
        <Forbid chart={chart} onDone={onDone} onAsking={onAsking} />
      </div>
      <div class="stack center">
        <QrCode value={link} label={words.code} />
        <p class="muted small">{words.codeHelp}</p>
        <CopyButton value={link}>{words.copy}</CopyButton>
      </div>
    </Card>
  );
}

function Forbid({ chart, onDone, onAsking }: AskProps) {
  const words = text.access;
  const { core } = useSession();
  const [forbidding, setForbidding] = useState(false);
  const ask = (open: boolean) => {
    setForbidding(open);
    onAsking(open);
  };
  return (
    <>
      <Button variant="danger" onClick={() => ask(true)}>{words.forbid}</Button>
      {forbidding && (
        <TransactionDialog
          title={words.forbid} danger confirm={words.forbid} summary={words.forbidSummary}
          act={(watch) => core.forbidEmergency(chart, watch)} onFinished={onDone} onClose={() => ask(false)}
        />
      )}
    </>
  );
}

interface AllowProps extends AskProps {
  settings: EmergencySettings;
  onCancel: (() => void) | null;
}

function Allow({ chart, settings, onDone, onAsking, onCancel }: AllowProps) {
  const words = text.access;
  const { core, config, names } = useSession();
  const [categories, setCategories] = useState<number[]>(
    () => settings.kit?.compartments ?? CATEGORIES.map((one) => one.number).filter((number) => number !== SENSITIVE),
  );
  const known = [...new Set([...config.custodians, ...(settings.kit?.custodians ?? [])])];
  const [all, setAll] = useState<Hex[]>(known);
  const [custodians, setCustodians] = useState<Hex[]>(settings.kit?.custodians ?? known);
  const [threshold, setThreshold] = useState(settings.kit?.threshold ?? THRESHOLD_MIN);
  const [other, setOther] = useState("");
  const [wrong, setWrong] = useState(false);
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState(false);
  const ask = (open: boolean) => {
    setAsked(open);
    onAsking(open);
  };
  const thresholds = Array.from({ length: Math.max(0, custodians.length - THRESHOLD_MIN + 1) }, (_, at) => at + THRESHOLD_MIN);
  useEffect(() => {
    if (thresholds.length > 0 && !thresholds.includes(threshold)) setThreshold(thresholds.at(-1) ?? THRESHOLD_MIN);
  }, [custodians]);
  const toggle = <T,>(list: T[], one: T, on: boolean) => (on ? [...list, one] : list.filter((it) => it !== one));
  const add = () => {
    const address = other.trim().toLowerCase();
    setWrong(!isAddress(address));
    if (!isAddress(address)) return;
    setAll([...new Set([...all, address])]);
    setCustodians([...new Set([...custodians, address])]);
    setOther("");
  };
  const review = () => {
    setTried(true);
    if (categories.length > 0 && thresholds.length > 0) ask(true);
  };
  return (
    <Form onSubmit={review}>
      <Card title={words.how}>
        <ul class="points">{words.points.map((point) => <li key={point}>{point}</li>)}</ul>
      </Card>
      <Card title={words.what}>
        <fieldset>
          <legend class="unseen">{words.what}</legend>
          {CATEGORIES.map((one) => (
            <Checkbox
              key={one.number} label={one.name} checked={categories.includes(one.number)}
              onChange={(on) => setCategories(toggle(categories, one.number, on))}
            />
          ))}
        </fieldset>
        {tried && categories.length === 0 && <Notice kind="bad" live>{text.share.nothingChosen}</Notice>}
      </Card>
      <Card title={words.custodians}>
        <p class="muted">{words.custodiansHelp}</p>
        <fieldset>
          <legend class="unseen">{words.custodians}</legend>
          {all.map((one) => (
            <Checkbox
              key={one} label={<Address address={one} name={names.get(one)} />} checked={custodians.includes(one)}
              onChange={(on) => setCustodians(toggle(custodians, one, on))}
            />
          ))}
        </fieldset>
        <div class="row">
          <div class="grow">
            <Field label={words.another} value={other} onInput={setOther} error={wrong ? words.anotherWrong : null} optional />
          </div>
          <Button onClick={add}>{words.addAnother}</Button>
        </div>
        {thresholds.length === 0
          ? <Notice kind={tried ? "bad" : "warning"} live={tried}>{words.tooFew(THRESHOLD_MIN)}</Notice>
          : (
            <Field
              label={words.threshold} hint={words.thresholdHint} type="select" value={String(threshold)} onInput={(value) => setThreshold(Number(value))}
              options={thresholds.map((one) => ({ value: String(one), label: words.needed(one, custodians.length) }))}
            />
          )}
      </Card>
      <div class="row">
        <Button variant="primary" type="submit">{words.allow}</Button>
        {onCancel !== null && <Button onClick={onCancel}>{text.ui.cancel}</Button>}
      </div>
      {asked && (
        <TransactionDialog
          title={words.allow} confirm={words.allow}
          summary={settings.allowed ? <>{words.allowSummary} {words.allowAgain}</> : words.allowSummary}
          details={[
            { label: words.what, value: categoryNames(categories) },
            { label: words.custodians, value: words.needed(threshold, custodians.length) },
            { label: words.limit, value: words.limitValue },
          ]}
          act={(watch) => core.allowEmergency(chart, categories, custodians, threshold, watch)}
          onFinished={onDone} onClose={() => ask(false)}
        />
      )}
    </Form>
  );
}

function Opened({ chart, emergencies, onChanged }: { chart: Hex; emergencies: Emergency[]; onChanged: () => void }) {
  const words = text.access;
  const { core, names } = useSession();
  const [closing, setClosing] = useState<Emergency | null>(null);
  if (emergencies.length === 0) return null;
  return (
    <Card title={words.opened}>
      <ul role="list" class="member-list">
        {emergencies.map((one) => (
          <li key={`${one.party}-${one.openedAt}`}>
            <div class="grow">
              <Who address={one.party} />
              {one.organisation !== null && <p class="small">{words.forWhom} <Who address={one.organisation} /></p>}
              <p class="muted small"><Time at={one.openedAt} show="time" /> · {reasonText(one.reasonCode)}</p>
            </div>
            <Tag kind={one.open ? "bad" : "accent"}>{one.open ? words.isOpen : words.isOver}</Tag>
            {one.open && (
              <Button size="small" variant="danger" label={words.closeOf(names.get(one.party) ?? shortAddress(one.party))} onClick={() => setClosing(one)}>
                {words.close}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <p><Link to="/log">{words.toLog}</Link></p>
      {closing !== null && (
        <TransactionDialog
          title={words.closeOf(names.get(closing.party) ?? shortAddress(closing.party))} danger confirm={words.close} summary={words.closeSummary}
          act={(watch) => core.closeEmergency(chart, closing.party, watch)} onDone={onChanged} onClose={() => setClosing(null)}
        />
      )}
    </Card>
  );
}
