// On what ground we may read a chart of somebody else: a share, an emergency, or both.
import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { Emergency, Grant, Hex, Purpose, Version } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { useLoaded, type Task } from "../../ui";
import { openNow } from "./glass";
import { purposeOf, standing } from "./shared";

export interface Basis {
  grants: Task<[], Grant[]>;
  /** In force or not. */
  grant: Grant | undefined;
  /** The share is in force. */
  granted: boolean;
  emergency: Emergency | null;
  /** The keys for it are there. */
  ready: boolean;
  onReady: (ready: boolean) => void;
  purposeFor(version: Version): Purpose;
}

export function useBasis(chart: Hex): Basis {
  const { core } = useSession();
  const indexed = useIndexed();
  const grants = useLoaded(() => core.myGrants(), [chart]);
  const opened = useLoaded(() => core.emergencies(chart), [chart, indexed]);
  const [ready, onReady] = useState(false);
  const grant = grants.result?.find((one) => one.chart === chart);
  const granted = grant !== undefined && standing(grant, now()) === "current";
  return {
    grants,
    grant,
    granted,
    emergency: openNow(opened.result),
    ready,
    onReady,
    purposeFor: ({ compartment }) => (granted && grant.actions.includes("read") && grant.compartments.includes(compartment) ? purposeOf(grant) : "ETREAT"),
  };
}
