// On what ground we may read a chart of somebody else: a share, an emergency, or both. Others end them while we look.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { now } from "../../clock";
import type { Emergency, Grant, Hex, Purpose, Version } from "../../core/core";
import { useIndexed, useIndexMoved } from "../../state/activity";
import { useSession } from "../../state/session";
import { faultOf, useLoaded, type Task } from "../../ui";
import { openNow } from "./glass";
import { purposeOf, sharedChart, standing } from "./shared";

export interface Basis {
  grants: Task<[], Grant[]>;
  /** In force or not. */
  grant: Grant | undefined;
  /** The share is in force. */
  granted: boolean;
  emergency: Emergency | null;
  /** One of them lets us read. */
  readable: boolean;
  /** The keys for it are there. */
  ready: boolean;
  onReady: (ready: boolean) => void;
  purposeFor(version: Version): Purpose;
}

/** Also ends what was opened (`SharedState.ended`) once there is no ground for it any more. */
export function useBasis(chart: Hex): Basis {
  const session = useSession();
  const { core, organisation } = session;
  const shared = sharedChart(session, chart);
  const indexed = useIndexed();
  const moved = useIndexMoved();
  const grants = useSteady(useLoaded(() => core.myGrants().catch(noneIfRefused), [chart, moved]));
  const opened = useSteady(useLoaded(() => core.emergencies(chart), [chart, indexed, moved]));
  const [ready, onReady] = useState(false);
  const grant = grants.result?.find((one) => one.chart === chart);
  const granted = grant !== undefined && standing(grant, now()) === "current";
  const emergency = openNow(opened.result);
  // An emergency is a person's own, whoever they work for.
  const readable = granted || (emergency !== null && organisation === null);
  const known = grants.result !== undefined && (opened.result !== undefined || opened.error !== null);
  useRenderAt(granted ? grant.expiry : 0);
  useRenderAt(emergency?.until ?? 0);
  useLayoutEffect(() => {
    if (readable || known) shared.ground(readable);
  }, [shared, readable, known]);
  return {
    grants,
    grant,
    granted,
    emergency,
    readable,
    ready,
    onReady,
    purposeFor: ({ compartment }) => (granted && grant.actions.includes("read") && grant.compartments.includes(compartment) ? purposeOf(grant) : "ETREAT"),
  };
}

/** All shares with us. */
export function useGrants(): Task<[], Grant[]> {
  const { core } = useSession();
  return useSteady(useLoaded(() => core.myGrants(), [useIndexMoved()]));
}

/** It is loaded again by itself, over and over: what went wrong stays in sight meanwhile, or it would be announced each time. */
function useSteady<R>(task: Task<[], R>): Task<[], R> {
  const error = useRef(task.error);
  if (!task.busy) error.current = task.error;
  return { ...task, error: error.current };
}

/** Whom an organisation has removed has none of its shares. */
function noneIfRefused(error: unknown): Grant[] {
  if (faultOf(error).kind !== "refused") throw error;
  return [];
}

/** No page is open for longer, and a timer takes no more than some weeks. */
const RENDER_WITHIN_MS = 86_400_000;

/** Renders again at a time in UNIX seconds: something ends then, and nothing else would tell. 0: never. */
function useRenderAt(at: number): void {
  const [, render] = useState(0);
  useEffect(() => {
    // Late rather than early: by a clock in whole seconds.
    const ms = at * 1_000 - Date.now() + 1_000;
    if (ms <= 0 || ms > RENDER_WITHIN_MS) return;
    const timer = setTimeout(() => render((before) => before + 1), ms);
    return () => clearTimeout(timer);
  }, [at]);
}
