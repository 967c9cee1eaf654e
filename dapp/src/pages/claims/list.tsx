// Claims as a list, to whoever they concern.
import type { Claim, ClaimsOf, ClaimState, Hex } from "../../core/core";
import { useState } from "preact/hooks";
import { now } from "../../clock";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { DocumentIcon, Empty, FaultNotice, Field, Link, Spinner, Tag, Time, shortAddress, useLoaded } from "../../ui";
import { isPaymentOverdue } from "./steps";
import { stateKind, stateName } from "./words";

export interface ClaimListProps {
  of: ClaimsOf;
  /** The page of a claim, without its id. */
  base: string;
  none: string;
}

const STATES = Object.keys(text.claims.states) as ClaimState[];

export function ClaimList({ of, base, none }: ClaimListProps) {
  const words = text.claims;
  const { core } = useSession();
  const [state, setState] = useState<ClaimState | "">("");
  const inputs = [JSON.stringify(of), state, useIndexed()];
  const claims = useLoaded(() => core.claims(of, state === "" ? undefined : state), inputs);
  const newest = [...(claims.result ?? [])].sort((one, other) => other.submitted_at - one.submitted_at);
  return (
    <div class="stack">
      <FaultNotice error={claims.error} onRetry={() => void claims.run()} />
      <Field
        label={words.state} type="select" value={state} onInput={(value) => setState(value as ClaimState | "")}
        options={[{ value: "", label: words.everyState }, ...STATES.map((one) => ({ value: one, label: stateName(one) }))]}
      />
      {claims.result === undefined && claims.error === null && <Spinner />}
      {claims.result !== undefined && newest.length === 0 && <Empty icon={<DocumentIcon size={28} />} title={none} />}
      <ul role="list" class="record-list">
        {newest.map((claim) => <li key={claim.claim}><Row claim={claim} of={of} to={`${base}/${claim.claim}`} /></li>)}
      </ul>
    </div>
  );
}

function Row({ claim, of, to }: { claim: Claim; of: ClaimsOf; to: string }) {
  const words = text.claims;
  const { names } = useSession();
  const nameOf = (account: string) => names.get(account as Hex) ?? shortAddress(account as Hex);
  const title =
    of.of === "provider" ? words.rowTo(nameOf(claim.insurer))
    : of.of === "insurer" ? words.rowFrom(nameOf(claim.provider))
    : words.rowOf(nameOf(claim.provider), nameOf(claim.insurer));
  return (
    <Link to={to} class="record-row">
      <span class="record-text">
        <span class="record-title">{title}</span>
        <span class="muted small">
          {words.submitted} <Time at={claim.submitted_at} />
          {claim.deadline !== undefined && <> · {words.due} <Time at={claim.deadline ?? 0} /></>}
        </span>
      </span>
      {isPaymentOverdue(claim, now()) && <Tag kind="bad">{words.paymentOverdue}</Tag>}
      <Tag kind={stateKind(claim.state)}>{stateName(claim.state)}</Tag>
    </Link>
  );
}
