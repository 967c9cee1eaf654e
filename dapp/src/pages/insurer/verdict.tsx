import type { Checked, SignedVerdict } from "../../core/core";
import { categoryName } from "../../fhir";
import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import { Address, BadIcon, Button, CheckIcon, CopyButton, Notice, Tag, Time } from "../../ui";
import { hasProof, isOwn, saveVerdict } from "./verdicts";
import { actionName, purposeName, reasonWords } from "./words";

/** One answer: the verdict first, then what it rests on. */
export function VerdictCard({ signed, whole }: { signed: SignedVerdict; whole?: boolean }) {
  const words = text.insurer;
  const { verdict } = signed;
  return (
    <section class={`card verdict ${verdict.allowed ? "yes" : "no"}`} aria-label={words.answer}>
      <div class="verdict-head">
        {verdict.allowed ? <CheckIcon size={32} /> : <BadIcon size={32} />}
        <div>
          <p class="verdict-word">{verdict.allowed ? words.yes : words.no}</p>
          <p>{reasonWords(verdict.reason)}</p>
        </div>
      </div>
      <dl class="facts">
        <dt>{words.chart}</dt>
        <dd>
          <Address address={verdict.chart} />
        </dd>
        <dt>{words.category}</dt>
        <dd>{categoryName(verdict.compartment)}</dd>
        <dt>{words.purpose}</dt>
        <dd>{purposeName(verdict.purpose)}</dd>
        <dt>{words.action}</dt>
        <dd>{actionName(verdict.action)}</dd>
        <dt>{words.asked}</dt>
        <dd>
          <Time at={verdict.at} show="time" />
        </dd>
        <dt>{words.block}</dt>
        <dd>
          {verdict.block_number.toLocaleString(locale)} <CopyButton value={verdict.block_hash} label={words.copyBlock} />
        </dd>
        <dt>{words.signature}</dt>
        <dd>
          {words.signed} <CopyButton value={signed.signature} label={words.copySignature} />
        </dd>
        {verdict.allowed && (
          <>
            <dt>{words.proof}</dt>
            <dd>
              {hasProof(signed) ? (
                <Tag kind="good">{words.proved}</Tag>
              ) : (
                <>
                  <Tag>{words.notProved}</Tag> {words.notProvedHelp}
                </>
              )}
            </dd>
          </>
        )}
      </dl>
      {whole !== false && (
        <div class="row">
          <Button onClick={() => saveVerdict(signed)}>{words.download}</Button>
        </div>
      )}
    </section>
  );
}

/** It holds: by whose word, and by what. */
export function Holds({ checked }: { checked: Checked }) {
  const words = text.insurer;
  const own = isOwn(checked, useSession().config);
  return (
    <Notice kind={own ? "good" : "warning"} live title={words.holds}>
      <p>{own ? words.signedHere : words.signedElsewhere}</p>
      <p>
        <Address address={checked.gateway} />
      </p>
      <p>{checked.proved ? words.checkedByChain : words.checkedBySignature}</p>
      {checked.blockTime !== null && (
        <p>
          {words.stateOf} <Time at={checked.blockTime} show="time" />
        </p>
      )}
    </Notice>
  );
}

export function NotKept() {
  const words = text.insurer;
  return (
    <Notice kind="warning" live title={words.notKept}>
      {words.notKeptHelp}
    </Notice>
  );
}
