import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { CoreFault } from "../core/core";
import { activities, begin, dismiss, isFinal, isIndexed, isSettled, leave, type Act, type Activity } from "../state/activity";
import { connection } from "../state/connection";
import { useSession } from "../state/session";
import { useStore } from "../state/store";
import { text } from "../text";
import { Button, Dialog, Field, Notice, ProgressBar } from "./blocks";
import { explainFault } from "./fault";
import { CheckIcon, CrossIcon } from "./icons";

export interface TransactionDialogProps<R> {
  title: string;
  /** One sentence: what will happen. */
  summary: ComponentChildren;
  details?: { label: string; value: ComponentChildren }[];
  /** What the button says. */
  confirm: string;
  danger?: boolean;
  /** A word to type before it can be confirmed. */
  typed?: string;
  /** Something in the summary is to be done before it can be confirmed, and says so. */
  waits?: boolean;
  /** A transaction of our own account, whoever relays what else we do. */
  own?: boolean;
  act: Act<R>;
  /** It is done; called once, also when the dialog was left meanwhile. */
  onDone?: (result: R) => void;
  /** It is done and the dialog is closed, whichever is later: for what would take the dialog away before it was read. */
  onFinished?: (result: R) => void;
  /** What to say when it is done, before the buttons. */
  outcome?: (result: R) => ComponentChildren;
  onClose: () => void;
}

const SLOW_MS = 15_000;

/** Every change of ours goes through this: what it does, then how it goes. Shown for as long as it is rendered. */
export function TransactionDialog<R>(props: TransactionDialogProps<R>) {
  const { me } = useSession();
  const relayed = me.relayed && !props.own;
  const { online } = useStore(connection);
  const all = useStore(activities);
  const [id, setId] = useState<number | null>(null);
  const [result, setResult] = useState<{ value: R } | null>(null);
  const [typed, setTyped] = useState("");
  const activity = all.find((one) => one.id === id) ?? null;

  const latest = useRef({ id, props });
  latest.current = { id, props };
  const end = useRef<{ closed: boolean; result: { value: R } | null }>({ closed: false, result: null });
  const finish = () => {
    const { closed, result: ended } = end.current;
    if (closed && ended) latest.current.props.onFinished?.(ended.value);
  };
  useEffect(
    () => () => {
      // Left while it goes on: the shell shows it from now on.
      if (latest.current.id !== null) leave(latest.current.id);
      end.current.closed = true;
      finish();
    },
    [],
  );

  const go = () => {
    if (id !== null) dismiss(id);
    const begun = begin(props.title, props.act);
    setId(begun.id);
    begun.result.then(
      (value) => {
        end.current.result = { value };
        setResult({ value });
        props.onDone?.(value);
        finish();
      },
      // The activity holds what went wrong.
      () => {},
    );
  };

  if (!activity) {
    const missing = props.typed !== undefined && typed.trim().toLowerCase() !== props.typed.toLowerCase();
    return (
      <Dialog
        title={props.title}
        onClose={props.onClose}
        actions={
          <>
            <Button onClick={props.onClose}>{text.ui.cancel}</Button>
            <Button variant={props.danger ? "danger" : "primary"} sure={props.danger === true} disabled={missing || props.waits === true || !online} onClick={go}>
              {props.confirm}
            </Button>
          </>
        }
      >
        <div class="large">{props.summary}</div>
        <dl class="facts">
          {props.details?.map((detail) => (
            <>
              <dt>{detail.label}</dt>
              <dd>{detail.value}</dd>
            </>
          ))}
          <dt>{text.transaction.fee}</dt>
          <dd>{relayed ? text.transaction.relayedFee : text.transaction.ownFee}</dd>
        </dl>
        {props.typed !== undefined && <Field label={text.ui.typeToConfirm(props.typed)} value={typed} onInput={setTyped} />}
        {!online && <Notice kind="warning" live>{text.transaction.offlineNow}</Notice>}
      </Dialog>
    );
  }
  const retry = activity.fault && mayRetry(activity.fault, activity);
  return (
    <Dialog
      title={
        activity.state === "done" ? text.transaction.doneTitle(props.title)
        : activity.state === "failed" ? text.transaction.failedTitle(props.title)
        : props.title
      }
      onClose={props.onClose}
      actions={
        activity.state === "working" ? <Button onClick={props.onClose}>{text.transaction.leave}</Button>
        : activity.state === "done" ? <Button variant="primary" onClick={props.onClose}>{text.transaction.done}</Button>
        : (
          <>
            <Button onClick={props.onClose}>{text.ui.close}</Button>
            {retry && <Button variant="primary" onClick={go}>{text.ui.retry}</Button>}
          </>
        )
      }
    >
      <Steady>
        <Running activity={activity} relayed={relayed} />
        {result && props.outcome?.(result.value)}
      </Steady>
    </Dialog>
  );
}

/** Never shrinks: what goes away must not move the buttons below from under somebody's finger. */
function Steady({ children }: { children: ComponentChildren }) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current } = element;
    if (current) current.style.minHeight = `${current.offsetHeight}px`;
  });
  return <div class="stack" ref={element}>{children}</div>;
}

/** Where it was sent and its end is not known, a second one could be one too many. */
function mayRetry(fault: CoreFault, { steps, round }: Activity): boolean {
  const sent = round > 1 || steps.some(({ step }) => step === "relayed" || step === "sent");
  return fault.kind !== "waiting" && fault.kind !== "usage" && fault.kind !== "tampered" && !(fault.kind === "internal" && sent);
}

function Running({ activity, relayed }: { activity: Activity; relayed: boolean }) {
  const { heads } = useStore(connection);
  const slow = useSlow(activity);
  const { progress, fault } = activity;
  return (
    <>
      {progress && activity.state === "working" && <ProgressBar done={progress.done} all={progress.all} label={text.ui.working} />}
      <Steps activity={activity} relayed={relayed} />
      {slow && <Notice kind="warning" live>{text.transaction.slow}</Notice>}
      {fault && (
        <Notice kind="bad" live title={explainFault(fault).title}>{explainFault(fault).message}</Notice>
      )}
      {activity.takenBack && <Notice kind="warning" live title={text.transaction.takenBack}>{text.transaction.takenBackHelp}</Notice>}
      {activity.state === "done" && !activity.takenBack && !isSettled(activity, heads) && <Notice kind="good" live>{text.transaction.pendingFinal}</Notice>}
    </>
  );
}

function Steps({ activity, relayed }: { activity: Activity; relayed: boolean }) {
  const { me } = useSession();
  const { heads } = useStore(connection);
  const seen = (step: string) => activity.steps.some((one) => one.step === step);
  const signing = activity.steps.find((one) => one.step === "signing");
  const mined = seen("mined");
  const handed = mined || seen("relayed") || seen("sent");
  const states: { label: string; reached: boolean }[] = [
    { label: text.transaction.sealing, reached: seen("signing") || handed },
    { label: me.wallet && signing?.step === "signing" ? text.transaction.signingWallet(signing.doing.split("(")[0] ?? "") : text.transaction.signing, reached: handed },
    { label: relayed || seen("relayed") ? text.transaction.handed : text.transaction.sent, reached: handed },
    { label: text.transaction.mined, reached: mined && !activity.takenBack },
    { label: text.transaction.indexed, reached: mined && isIndexed(activity, heads) },
    // Not every chain says what is final.
    ...((heads?.final ?? 0) === 0 ? [] : [{ label: text.transaction.final, reached: mined && isFinal(activity, heads) }]),
  ];
  // An action that changed nothing on the chain is done without any of these.
  if (activity.state === "done" && !activity.mined) return null;
  const current = activity.state === "failed" ? -1 : states.findIndex((one) => !one.reached);
  const failedAt = activity.state === "failed" ? states.findIndex((one) => !one.reached) : -1;
  return (
    <div class="stack tight">
      {activity.round > 1 && <p class="muted small">{text.transaction.round(activity.round)}</p>}
      <ol class="steps" aria-label={text.transaction.running(activity.title)}>
        {states.map((one, at) => (
          <li key={at} class={one.reached ? "done" : at === current ? "current" : ""}>
            <span class="dot">
              {one.reached ? <CheckIcon size={14} />
                : at === current ? <span class="spinner" aria-hidden="true" />
                : at === failedAt ? <CrossIcon size={14} />
                : null}
            </span>
            <span>
              {one.label}
              <span class="unseen">
                {" "}({one.reached ? text.transaction.stateDone : at === current ? text.transaction.stateCurrent : text.transaction.stateWaiting})
              </span>
            </span>
          </li>
        ))}
      </ol>
      <span class="unseen" role="status">{states[current]?.label ?? ""}</span>
    </div>
  );
}

function useSlow(activity: Activity): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (activity.state !== "working") return;
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, [activity.movedAt, activity.state]);
  return slow;
}

/** What goes on without its dialog, at the edge of every page. */
export function Activities() {
  const { heads } = useStore(connection);
  const all = useStore(activities).filter((activity) => activity.shown === "edge");
  return (
    <div class="activities no-print" role="status" aria-label={text.transaction.activities}>
      {all.map((activity) => {
        const { state, title, fault } = activity;
        const { running, doneTitle, failedTitle, pendingFinal, takenBack, takenBackHelp } = text.transaction;
        const note = fault ? explainFault(fault).message
          : activity.takenBack ? `${takenBack}. ${takenBackHelp}`
          : state === "done" && !isSettled(activity, heads) ? pendingFinal
          : "";
        return (
          <div key={activity.id} class={`activity ${state}`}>
            {state === "working" ? <span class="spinner" aria-hidden="true" /> : state === "done" ? <CheckIcon /> : <CrossIcon />}
            <span class="grow">
              <strong>{state === "working" ? running(title) : state === "done" ? doneTitle(title) : failedTitle(title)}</strong>
              <span class="small"> {note}</span>
            </span>
            {state !== "working" && (
              <Button size="small" variant="bare" label={text.transaction.dismissOf(title)} onClick={() => dismiss(activity.id)}>
                {text.transaction.dismiss}
              </Button>
            )}
          </div>
        );
      })}
    </div>
  );
}

/** What counts already and could still be undone by a reorganisation of the chain. */
export function Pending() {
  const { heads } = useStore(connection);
  const pending = useStore(activities).filter((activity) => activity.state === "done" && !isSettled(activity, heads)).length;
  return pending === 0 ? null : <p class="small muted">{text.transaction.pending(pending)}</p>;
}
