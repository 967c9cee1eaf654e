// Breaking the glass: reading without a share when somebody's life may depend on it. It is said what that means before, and seen after.
import { useEffect, useState } from "preact/hooks";
import { now } from "../../clock";
import type { Emergency, Hex } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Button, CameraIcon, Card, Choice, FaultNotice, Field, Form, Link, Notice, PageTitle, Time, TransactionDialog, WarningIcon, navigate, useLoaded,
  useRoute, useTask,
} from "../../ui";
import { lazy } from "../../ui/lazy";
import { reasonText } from "../emergency/reason";
import { usePatientName } from "./patient-name";

const Scan = lazy(() => import("../../ui/scan"));

/** How often it is asked whether the custodians have answered. */
const ASK_MS = 3_000;
/** As the contracts number them. */
const REASONS = [1, 2, 3, 4] as const;

export function Glass() {
  const { query } = useRoute();
  const chart = chartOf(query.get("chart") ?? "");
  return chart === null ? <Find /> : <Break key={chart} chart={chart} />;
}

function Find() {
  const words = text.glass;
  const [input, setInput] = useState("");
  const [wrong, setWrong] = useState(false);
  const [scanning, setScanning] = useState(false);
  const take = (value: string) => {
    const chart = chartOf(value);
    setScanning(false);
    setInput(value);
    setWrong(chart === null);
    if (chart !== null) navigate(`/provider/emergency?chart=${chart}`);
  };
  return (
    <>
      <PageTitle title={words.title}>{words.lead}</PageTitle>
      <Card title={words.whose}>
        <Form onSubmit={() => take(input)}>
          <Field label={words.chart} hint={words.chartHint} value={input} onInput={setInput} error={wrong ? words.chartWrong : null} />
          <div class="row">
            <Button variant="primary" type="submit">{text.ui.next}</Button>
            <Button onClick={() => setScanning(true)}><CameraIcon />{words.scan}</Button>
          </div>
        </Form>
        {scanning && <Scan onFound={take} onClose={() => setScanning(false)} />}
      </Card>
    </>
  );
}

function Break({ chart }: { chart: Hex }) {
  const words = text.glass;
  const { core, organisation, actFor } = useSession();
  const name = usePatientName(chart);
  const opened = useLoaded(() => core.emergencies(chart), [chart, useIndexed()]);
  const [reason, setReason] = useState<number | null>(null);
  const [tried, setTried] = useState(false);
  const [breaking, setBreaking] = useState(false);
  const open = openNow(opened.result);
  return (
    <>
      <PageTitle title={words.breakTitle(name)} />
      <div class="stack">
        <FaultNotice error={opened.error} onRetry={() => void opened.run()} />
        {open !== null ? (
          <Card title={words.isOpen}>
            <p>{words.openUntil} <Time at={open.until} show="time" /></p>
            <div class="row"><Link to={`/provider/chart/${chart}`} class="button primary">{words.toChart}</Link></div>
          </Card>
        ) : (
          <>
            <Notice kind="warning" title={words.warnTitle}>
              <ul class="points">
                {words.warn.map((point) => <li key={point}>{point}</li>)}
              </ul>
            </Notice>
            <Card title={words.reason}>
              <Form
                onSubmit={() => {
                  setTried(true);
                  if (reason !== null) setBreaking(true);
                }}
              >
                <fieldset>
                  <legend class="unseen">{words.reason}</legend>
                  {REASONS.map((code) => (
                    <Choice
                      key={code} name="reason" label={words.reasons[code]} hint={words.reasonHints[code]} checked={reason === code}
                      onChange={() => setReason(code)}
                    />
                  ))}
                </fieldset>
                {tried && reason === null && <Notice kind="bad" live>{words.noReason}</Notice>}
                <div class="row">
                  <Button variant="danger" type="submit"><WarningIcon />{words.break}</Button>
                  <Link to="/provider" class="button">{text.ui.cancel}</Link>
                </div>
              </Form>
            </Card>
          </>
        )}
      </div>
      {breaking && reason !== null && (
        <TransactionDialog
          title={words.break} danger confirm={words.break} typed={words.word}
          summary={words.summary(name)}
          details={[
            { label: words.reason, value: words.reasons[reason as 1] },
            { label: words.howLong, value: words.fourHours },
            { label: words.told, value: words.toldValue },
          ]}
          act={(watch) => core.breakGlass(chart, reason, watch)}
          onDone={() => void opened.run()}
          onFinished={() => {
            // It is the person's own, whoever they work for.
            const own = organisation === null ? Promise.resolve() : actFor(null);
            void own.then(() => navigate(`/provider/chart/${chart}`));
          }}
          onClose={() => setBreaking(false)}
        />
      )}
    </>
  );
}

/** An emergency is a person's own, whoever they work for. */
export function InPerson() {
  const words = text.glass;
  const { actFor } = useSession();
  const change = useTask(() => actFor(null));
  return (
    <Notice kind="warning" title={words.inPerson}>
      <FaultNotice error={change.error} />
      <Button size="small" busy={change.busy} onClick={() => void change.run()}>{text.organisation.stopActing}</Button>
    </Notice>
  );
}

/** In the place of a share's terms: what an emergency allows, and whether the keys are there yet. */
export function OpenEmergency({ chart, open, onReady }: { chart: Hex; open: Emergency; onReady: (ready: boolean) => void }) {
  const words = text.glass;
  const { core, me } = useSession();
  const keys = useLoaded(() => core.emergencyReady(chart), [chart]);
  const [closing, setClosing] = useState(false);
  const ready = keys.result?.ready === true;
  useEffect(() => onReady(ready), [ready]);
  useEffect(() => {
    if (ready) return;
    const timer = setInterval(() => void keys.run(), ASK_MS);
    return () => clearInterval(timer);
  }, [ready]);
  return (
    <Card title={words.isOpen} class="alarming">
      <dl class="facts">
        <dt>{words.openUntil}</dt>
        <dd><Time at={open.until} show="time" /></dd>
        <dt>{words.reason}</dt>
        <dd>{reasonText(open.reasonCode)}</dd>
      </dl>
      <FaultNotice error={keys.error} onRetry={() => void keys.run()} />
      {!ready && keys.error === null && (
        <Notice kind="info" live title={words.waiting}>
          {keys.result === undefined ? words.asking : words.released(keys.result.released, keys.result.threshold)}
        </Notice>
      )}
      <div class="row">
        <Button onClick={() => setClosing(true)}>{words.close}</Button>
      </div>
      {closing && (
        <TransactionDialog
          title={words.close} confirm={words.close} summary={words.closeSummary}
          act={(watch) => core.closeEmergency(chart, me.address, watch)}
          onFinished={() => navigate("/provider")} onClose={() => setClosing(false)}
        />
      )}
    </Card>
  );
}

/** The emergency of ours that is open on a chart, if there is one. */
export function openNow(emergencies: Emergency[] | undefined): Emergency | null {
  return emergencies?.find((one) => one.open && one.until > now()) ?? null;
}

/** Of an id, a link of ours, or the text of an emergency card that has one in it. */
function chartOf(value: string): Hex | null {
  const found = /(?:^|[?&]chart=|\s)(0x[0-9a-f]{64})(?![0-9a-f])/i.exec(value.trim());
  return found === null ? null : (found[1]!.toLowerCase() as Hex);
}
