// One claim: where it stands, how it came there, and what one can do about it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { ClaimStep, Hex, SeenClaim } from "../../core/core";
import { parseWord } from "../../hex";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, CopyButton, Dialog, FaultNotice, Field, Form, FormEnd, Notice, PageTitle, Spinner, Tag, Time, TransactionDialog, download,
  useLoaded, useTask,
} from "../../ui";
import { NoPage } from "../area";
import { PayInToken, TokenPayment, useTokenPayment, type Paying } from "./payment";
import { AGAINST, isPayable, isPaymentOverdue, offered, WITH_REASON, WITH_TEXT, type Offer } from "./steps";
import { eventName, isAmount, reasonName, stateKind, stateName } from "./words";
import "../../style/area.css";

export function ClaimPage({ claim }: { claim: string }) {
  const id = parseWord(claim);
  return id === null ? <NoPage /> : <Known key={id} claim={id} />;
}

function Known({ claim }: { claim: Hex }) {
  const words = text.claims;
  const { core, me, organisation } = useSession();
  const us = organisation ?? me.address;
  const loaded = useLoaded(() => core.claim(claim), [claim, us, useIndexed()]);
  const [acting, setActing] = useState<Offer | null>(null);
  const [paying, setPaying] = useState<Paying | null>(null);
  const seen = loaded.result;
  const payment = useTokenPayment(claim, seen !== undefined && isPayable(seen.history.claim, us));
  const offers = seen === undefined ? [] : offered(seen.history.claim, us, now());
  return (
    <>
      <PageTitle title={words.claim} aside={seen && <Tag kind={stateKind(seen.history.claim.state)}>{stateName(seen.history.claim.state)}</Tag>} />
      <div class="stack">
        <FaultNotice error={loaded.error} onRetry={() => void loaded.run()} />
        {seen === undefined && loaded.error === null && <Spinner label={words.opening} />}
        {seen && <Facts seen={seen} />}
        {seen && offers.length > 0 && (
          <Card title={words.next}>
            <div class="row">
              {offers.map((one) => (
                <Button key={one} variant={AGAINST.includes(one) ? "danger" : "plain"} onClick={() => setActing(one)}>
                  {words.acts[one].name}
                </Button>
              ))}
            </div>
          </Card>
        )}
        <FaultNotice error={payment.error} onRetry={() => void payment.run()} />
        {seen && payment.result && <TokenPayment seen={seen} payment={payment.result} onPaying={setPaying} />}
        {seen && <Steps seen={seen} />}
        {seen && seen.claim !== null && <Documents seen={seen} />}
      </div>
      {acting !== null && seen && <Act claim={claim} offer={acting} seen={seen} onClose={() => setActing(null)} />}
      {paying !== null && <PayInToken claim={claim} paying={paying} onAllowed={() => void payment.run()} onClose={() => setPaying(null)} />}
    </>
  );
}

function Facts({ seen }: { seen: SeenClaim }) {
  const words = text.claims;
  const { names } = useSession();
  const { claim } = seen.history;
  const who = (account: string) => <Address address={account as Hex} name={names.get(account as Hex)} />;
  return (
    <Card>
      <dl class="facts">
        <dt>{words.provider}</dt>
        <dd>{who(claim.provider)}</dd>
        <dt>{words.insurer}</dt>
        <dd>{who(claim.insurer)}</dd>
        <dt>{words.chart}</dt>
        <dd>{who(claim.chart)}</dd>
        {seen.billed !== null && <><dt>{words.billed}</dt><dd><strong>{seen.billed}</strong></dd></>}
        {seen.approved !== null && <><dt>{words.approved}</dt><dd><strong>{seen.approved}</strong></dd></>}
        {claim.reason && <><dt>{words.reason}</dt><dd>{reasonName(claim.reason)}</dd></>}
        {claim.deadline && (
          <>
            <dt>{words.due}</dt>
            <dd><Time at={claim.deadline} show="time" /> {isPaymentOverdue(claim, now()) && <Tag kind="bad">{words.paymentOverdue}</Tag>}</dd>
          </>
        )}
        <dt>{words.records}</dt>
        <dd>{words.recordCount(seen.history.links.length)}</dd>
      </dl>
      {seen.billed === null && <Notice>{words.partiesAlone}</Notice>}
    </Card>
  );
}

function Steps({ seen }: { seen: SeenClaim }) {
  const words = text.claims;
  const { names } = useSession();
  return (
    <Card title={words.history}>
      <ol role="list" class="member-list">
        {seen.history.steps.map((step, at) => (
          <li key={step.serial}>
            <div class="grow">
              <strong>{eventName(step.event)}</strong>
              <p class="muted small">
                <Time at={step.at} show="time" /> · <Address address={step.by as Hex} name={names.get(step.by as Hex)} />
              </p>
              {seen.messages[at] && <blockquote class="message">{seen.messages[at]}</blockquote>}
              {step.reason && <p>{words.reason}: {reasonName(step.reason)}</p>}
              {step.payment && <p>{words.inToken(step.payment.value)} <Address address={step.payment.token as Hex} /></p>}
            </div>
            <Tag kind={stateKind(step.state)}>{stateName(step.state)}</Tag>
          </li>
        ))}
      </ol>
    </Card>
  );
}

/** To the parties: FHIR, to be taken into their own systems. */
function Documents({ seen }: { seen: SeenClaim }) {
  const words = text.claims;
  const { core } = useSession();
  const { claim } = seen.history.claim;
  const explain = useTask(async () => {
    download("explanation-of-benefit.json", new Blob([await core.claimExplanation(claim as Hex)], { type: "application/fhir+json" }));
  });
  const save = (name: string, resource: unknown) =>
    download(name, new Blob([JSON.stringify(resource, null, 2)], { type: "application/fhir+json" }));
  return (
    <Card title={words.documents}>
      <p class="muted">{words.documentsHelp}</p>
      <div class="row">
        <Button onClick={() => save("claim.json", seen.claim)}>{words.saveClaim}</Button>
        {seen.response !== null && <Button onClick={() => save("claim-response.json", seen.response)}>{words.saveResponse}</Button>}
        <Button busy={explain.busy} onClick={() => void explain.run()}>{words.saveExplanation}</Button>
      </div>
      <FaultNotice error={explain.error} />
    </Card>
  );
}

interface ActProps {
  claim: Hex;
  offer: Offer;
  seen: SeenClaim;
  onClose: () => void;
}

/** Asks for what a step needs, then says what it does before it is signed. */
function Act({ claim, offer, seen: { billed }, onClose }: ActProps) {
  const words = text.claims;
  const said = words.acts[offer];
  const { core } = useSession();
  const [written, setWritten] = useState("");
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const [step, setStep] = useState<ClaimStep | null>(() => plain(offer));
  if (step !== null) {
    const details: { label: string; value: ComponentChildren }[] = [];
    if ("amount" in step) details.push({ label: words.amount, value: step.amount });
    if ("reason" in step) details.push({ label: words.reason, value: reasonName(step.reason) });
    if ("text" in step) details.push({ label: words.message, value: step.text });
    if ("reference" in step) details.push({ label: words.reference, value: step.reference });
    return (
      <TransactionDialog
        title={said.name} summary={said.summary} confirm={said.confirm} details={details} onClose={onClose}
        danger={AGAINST.includes(offer)}
        act={(watch) => core.stepClaim(claim, step, watch)}
        outcome={({ salt }) => salt !== null && (
          <Notice title={words.saltTitle}>
            <p>{words.saltHelp}</p>
            <CopyButton value={salt}>{words.copySalt}</CopyButton>
          </Notice>
        )}
      />
    );
  }
  const wantsText = WITH_TEXT.includes(offer);
  const wantsReason = WITH_REASON.includes(offer);
  const amountWrong = offer === "approve-part" && !isAmount(amount);
  const next = () => {
    setTried(true);
    if (((wantsText || offer === "paid") && written.trim() === "") || (wantsReason && reason === "") || amountWrong) return;
    if (offer === "ask" || offer === "answer" || offer === "appeal") setStep({ step: offer, text: written.trim() });
    else if (offer === "paid") setStep({ step: offer, reference: written.trim() });
    else if (offer === "deny" || offer === "reverse") setStep({ step: offer, reason });
    else setStep({ step: "approve-part", amount: amount.trim(), reason });
  };
  return (
    <Dialog title={said.name} onClose={onClose}>
      <Form onSubmit={next}>
        {offer === "approve-part" && (
          <Field
            label={words.amount} hint={words.amountHint(billed ?? "")} value={amount} onInput={setAmount} focus
            error={tried && amountWrong ? words.amountWrong : null}
          />
        )}
        {wantsReason && (
          <Field
            label={words.reason} type="select" value={reason} onInput={setReason} error={tried && reason === "" ? words.reasonMissing : null}
            options={[{ value: "", label: words.chooseReason }, ...INSURERS_REASONS.map((one) => ({ value: one, label: reasonName(one) }))]}
          />
        )}
        {wantsText && (
          <Field
            label={words.message} hint={words.messageHint} type="textarea" value={written} onInput={setWritten}
            error={tried && written.trim() === "" ? words.messageMissing : null}
          />
        )}
        {offer === "paid" && (
          <Field
            label={words.reference} hint={words.referenceHint} value={written} onInput={setWritten}
            error={tried && written.trim() === "" ? words.referenceMissing : null}
          />
        )}
        <FormEnd onClose={onClose} />
      </Form>
    </Dialog>
  );
}

/** The last two are the contract's own. */
const INSURERS_REASONS = Object.keys(text.claims.reasons).filter((reason) => reason !== "no-information" && reason !== "no-answer");

/** A step that needs nothing more. */
function plain(offer: Offer): ClaimStep | null {
  switch (offer) {
    case "review":
    case "approve":
    case "accept-part":
    case "withdraw":
    case "close-overdue":
      return { step: offer };
    default:
      return null;
  }
}
