import type { SignedVerdict } from "../../core/core";
import { categoryName } from "../../fhir";
import { text } from "../../text";
import { Address, BadIcon, Button, CheckIcon, CopyButton, download, Tag, Time } from "../../ui";
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
          {verdict.block_number.toLocaleString("en")} <CopyButton value={verdict.block_hash} label={words.copyBlock} />
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
          <Button onClick={() => download("verdict.json", new Blob([JSON.stringify(signed, null, 2)], { type: "application/json" }))}>
            {words.download}
          </Button>
        </div>
      )}
    </section>
  );
}

function hasProof(signed: SignedVerdict): boolean {
  return signed.proof !== undefined && signed.proof !== null;
}
