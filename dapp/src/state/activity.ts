// What was signed and is under way. It lives longer than the dialog that began it: people may go on meanwhile.
import { useEffect, useState } from "preact/hooks";
import type { Core, CoreFault, Heads, Mined, Progress, Step, Watch } from "../core/core";
import { faultOf } from "../ui/fault";
import { POLL_MS, connection, noteFault, pollEagerly } from "./connection";
import { Store, useStore } from "./store";

export interface Activity {
  id: number;
  title: string;
  state: "working" | "done" | "failed";
  /** Steps of the transaction that is under way: an action may take several transactions. */
  steps: Step[];
  round: number;
  mined: Mined | null;
  /** It was in a block, and a reorganisation of the chain has taken that back: the network puts it into another one, as a rule. */
  takenBack: boolean;
  progress: { done: number; all: number } | null;
  startedAt: number;
  /** When the last step came, by this page's clock. */
  movedAt: number;
  fault: CoreFault | null;
  /** In its dialog; on the edge of the page, as the dialog was left before the end; or seen, and not final yet. */
  shown: "dialog" | "edge" | "seen";
}

export type Act<R> = (watch: Watch, progress: Progress) => Promise<R>;

export const activities = new Store<Activity[]>([]);

const order: Step["step"][] = ["sealing", "signing", "relayed", "sent", "mined"];
let last = 0;

export function begin<R>(title: string, act: Act<R>): { id: number; result: Promise<R> } {
  const id = ++last;
  const now = Date.now();
  activities.update((all) => [
    ...all,
    { id, title, state: "working", steps: [], round: 1, mined: null, takenBack: false, progress: null, startedAt: now, movedAt: now, fault: null, shown: "dialog" },
  ]);
  const stop = pollEagerly();
  const watch: Watch = (step) => {
    if (step.step === "mined") awaitIndex(step.mined.block);
    change(id, (before) => ({ ...stepped(before, step), movedAt: Date.now() }));
  };
  const progress: Progress = (done, all) => change(id, (before) => ({ ...before, progress: { done, all }, movedAt: Date.now() }));
  const result = act(watch, progress);
  result.then(
    () => change(id, (before) => ({ ...before, state: "done" })),
    (error: unknown) => {
      const fault = faultOf(error);
      noteFault(fault);
      change(id, (before) => ({ ...before, state: "failed", fault }));
    },
  ).finally(stop);
  return { id, result };
}

export function change(id: number, how: (before: Activity) => Activity): void {
  activities.update((all) => all.map((activity) => (activity.id === id ? how(activity) : activity)));
}

export function dismiss(id: number): void {
  activities.update((all) => all.filter((activity) => activity.id !== id));
}

/** An earlier step than the last one seen: the next transaction of the same action has begun. */
function stepped(before: Activity, step: Step): Activity {
  const previous = before.steps.at(-1);
  const again = previous !== undefined && order.indexOf(step.step) <= order.indexOf(previous.step) && previous.step === "mined";
  const steps = again ? [step] : [...before.steps.filter((other) => other.step !== step.step), step];
  return { ...before, steps, round: again ? before.round + 1 : before.round, mined: step.step === "mined" ? step.mined : before.mined };
}

export function isIndexed(activity: Activity, heads: Heads | null): boolean {
  return activity.mined !== null && !activity.takenBack && heads !== null && heads.index >= activity.mined.block;
}

export function isFinal(activity: Activity, heads: Heads | null): boolean {
  return activity.mined !== null && !activity.takenBack && heads !== null && heads.final >= activity.mined.block;
}

/** Looks after what is in a block that is not final, each time the chain has moved: until the answer is called. */
export function followChain(core: Core): () => void {
  let seen = -1;
  return connection.follow(() => {
    const { heads } = connection.get();
    // A reorganisation may leave the chain as long as it was.
    if (!heads || (heads.chain === seen && !activities.get().some((one) => one.takenBack))) return;
    seen = heads.chain;
    for (const activity of activities.get()) {
      // As long as it is shown, or could be undone.
      const matters = activity.shown === "dialog" || !isSettled(activity, heads);
      if (activity.mined && activity.state === "done" && matters) void lookAgain(core, activity.id, activity.mined);
    }
  });
}

async function lookAgain(core: Core, id: number, mined: Mined): Promise<void> {
  const block = await core.blockOf(mined.transaction).catch(() => undefined);
  // Not known now: the next look may tell.
  if (block === undefined) return;
  if (block === null) change(id, (before) => ({ ...before, takenBack: true, shown: before.shown === "seen" ? "edge" : before.shown }));
  else change(id, (before) => ({ ...before, takenBack: false, mined: { ...mined, block } }));
}

/** Counts what the index has learned of ours. Lists come from the index, which is a moment behind. */
const indexed = new Store(0);
let awaited = 0;
let calm: (() => void) | null = null;

function awaitIndex(block: number): void {
  awaited = Math.max(awaited, block);
  calm ??= pollEagerly();
}

/** Changes when the index has caught up with what we did: what is loaded from it is to be loaded again. */
export function useIndexed(): number {
  return useStore(indexed);
}

/**
 * Changes when the index has moved, whoever did something: for what others change, as a share that they stop. While somebody waits for a block of
 * theirs it is asked more often where the index is; this does not follow that.
 */
export function useIndexMoved(): number {
  const [index, setIndex] = useState(() => connection.get().heads?.index ?? 0);
  useEffect(() => {
    let seen = { index, atMs: Date.now() };
    return connection.follow(() => {
      const { heads } = connection.get();
      if (!heads || heads.index === seen.index || Date.now() - seen.atMs < POLL_MS) return;
      seen = { index: heads.index, atMs: Date.now() };
      setIndex(heads.index);
    });
  }, []);
  return index;
}

/** Nothing more is to come of it. A chain that does not say what is final is believed once the index has it. */
export function isSettled(activity: Activity, heads: Heads | null): boolean {
  if (activity.state !== "done") return activity.state === "failed";
  return activity.mined === null || isFinal(activity, heads) || (heads?.final === 0 && isIndexed(activity, heads));
}

/** Its dialog is closed. */
export function leave(id: number): void {
  const activity = activities.get().find((one) => one.id === id);
  if (!activity) return;
  if (isSettled(activity, connection.get().heads)) dismiss(id);
  else change(id, (before) => ({ ...before, shown: before.state === "working" ? "edge" : "seen" }));
}

connection.follow(() => {
  const { heads } = connection.get();
  if (calm && heads && heads.index >= awaited) {
    calm();
    calm = null;
    indexed.update((before) => before + 1);
  }
  for (const activity of activities.get()) {
    if (activity.shown !== "dialog" && activity.state === "done" && isSettled(activity, heads)) dismiss(activity.id);
  }
});
