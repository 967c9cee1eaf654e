// Payment of a claim in the insurer's token, in two transactions: the token lets the claims contract move the amount, and the contract moves it.
import type { ClaimPayment, Hex, SeenClaim } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import { Address, Button, Card, Notice, Tag, TransactionDialog, useLoaded } from "../../ui";

/** What is asked for, as it stood when it was. */
export interface Paying {
  step: "allow" | "pay";
  approved: string | null;
  payment: ClaimPayment;
}

/** What it takes to pay the claim; null: it cannot be paid in a token. */
export function useTokenPayment(claim: Hex, payable: boolean) {
  const { core } = useSession();
  return useLoaded(async () => (payable ? core.claimPayment(claim) : null), [claim, payable, useIndexed()]);
}

interface TokenPaymentProps {
  seen: SeenClaim;
  payment: ClaimPayment;
  onPaying: (paying: Paying) => void;
}

export function TokenPayment({ seen: { approved, history }, payment, onPaying }: TokenPaymentProps) {
  const words = text.claims.tokenPayment;
  const { me } = useSession();
  const isAllowed = BigInt(payment.allowance) >= BigInt(payment.value);
  const isOurs = history.claim.insurer === me.address;
  return (
    <Card title={words.title}>
      <p class="muted">{words.lead}</p>
      <dl class="facts">
        {facts(approved, payment).map(({ label, value }) => (
          <>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      <ol role="list" class="member-list">
        <li>
          <span class="grow">{words.allowStep}</span>
          {isAllowed ? <Tag kind="good">{words.allowed}</Tag> : (
            <Button disabled={!isOurs} onClick={() => onPaying({ step: "allow", approved, payment })}>{words.allow}</Button>
          )}
        </li>
        <li>
          <span class="grow">{words.payStep}</span>
          <Button disabled={!isAllowed} onClick={() => onPaying({ step: "pay", approved, payment })}>{words.pay}</Button>
        </li>
      </ol>
      {!isAllowed && !isOurs && <Notice kind="warning">{words.allowOther}</Notice>}
    </Card>
  );
}

interface PayInTokenProps {
  claim: Hex;
  paying: Paying;
  onAllowed: () => void;
  onClose: () => void;
}

export function PayInToken({ claim, paying: { step, approved, payment }, onAllowed, onClose }: PayInTokenProps) {
  const words = text.claims.tokenPayment;
  const { core, config } = useSession();
  const details = [
    ...facts(approved, payment),
    { label: words.mover, value: <Address address={config.deployment.claims as Hex} /> },
  ];
  if (step === "pay") {
    return (
      <TransactionDialog
        title={words.pay} confirm={words.payDo} summary={words.paySummary} details={details} onClose={onClose}
        act={(watch) => core.stepClaim(claim, { step: "pay-in-token" }, watch)}
      />
    );
  }
  return (
    <TransactionDialog
      title={words.allow} confirm={words.allowDo} details={details} own onDone={onAllowed} onClose={onClose}
      summary={
        <div class="stack">
          <p>{words.allowSummary}</p>
          <Notice>{words.allowOwn}</Notice>
        </div>
      }
      act={(watch) => core.allowClaimPayment(claim, watch)}
    />
  );
}

function facts(approved: string | null, { token, value }: ClaimPayment) {
  const words = text.claims;
  return [
    { label: words.amount, value: approved },
    { label: words.token, value: <Address address={token} /> },
    { label: words.tokenPayment.moves, value: words.inToken(BigInt(value).toLocaleString(locale)) },
  ];
}
