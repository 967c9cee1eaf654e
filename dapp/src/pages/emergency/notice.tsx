import { now } from "../../clock";
import type { Hex } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Link, Notice, shortAddress, useLoaded } from "../../ui";
import { reasonText } from "./reason";

/** A week: long enough to be seen by somebody who was in hospital. */
const RECENT_S = 7 * 86_400;

/** On the patient's first page: somebody has looked without asking, or can at present. */
export function EmergencyNotice({ chart }: { chart: Hex }) {
  const words = text.access;
  const { core, names } = useSession();
  // Where it cannot be found out, the page of its own says so.
  const opened = useLoaded(() => core.emergencies(chart), [chart, useIndexed()]);
  const recent = (opened.result ?? []).filter((one) => one.open || one.openedAt > now() - RECENT_S);
  const first = recent[0];
  if (first === undefined) return null;
  return (
    <Notice kind={recent.some((one) => one.open) ? "bad" : "warning"} title={words.noticeTitle}>
      <p>{words.notice(names.get(first.party) ?? shortAddress(first.party), reasonText(first.reasonCode))}</p>
      <Link to="/emergency/access" class="button small">{words.look}</Link>
    </Notice>
  );
}
