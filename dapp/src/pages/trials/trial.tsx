// One trial: what stands on the chain about it, and what one can do about it.
import type { ComponentChildren } from "preact";
import type { Hex, TrialFacts } from "../../core/core";
import { parseWord } from "../../hex";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import { Address, Card, FaultNotice, PageTitle, Spinner, Tag, Time, useLoaded } from "../../ui";
import { NoPage } from "../area";
import { Participant } from "./participant";
import { Site } from "./site";
import { Sponsor } from "./sponsor";
import { flagNames, reasonName, stateKind, stateName, stateOf } from "./words";
import "../../style/area.css";

/** The newest. A trial may have tens of thousands, which the check of what was published goes through. */
const BATCHES_SHOWN = 100;

export function TrialPage({ trial }: { trial: string }) {
  const id = parseWord(trial);
  return id === null ? <NoPage /> : <Known key={id} trial={id} />;
}

function Known({ trial }: { trial: Hex }) {
  const words = text.trials;
  const { core, me } = useSession();
  const loaded = useLoaded(() => core.trialFacts(trial), [trial, useIndexed()]);
  const facts = loaded.result;
  const isSponsor = facts?.sponsor === me.address;
  const isSite = facts?.sites.some((one) => one.active && one.site === me.address);
  return (
    <>
      <PageTitle title={words.trial} aside={facts && <Tag kind={stateKind(stateOf(facts))}>{stateName(stateOf(facts))}</Tag>} />
      <div class="stack">
        <FaultNotice error={loaded.error} onRetry={() => void loaded.run()} />
        {facts === undefined && loaded.error === null && <Spinner label={words.opening} />}
        {facts && (
          <>
            <Facts facts={facts} />
            {isSponsor && <Sponsor facts={facts} />}
            {isSite && <Site facts={facts} />}
            {!isSponsor && !isSite && <Participant facts={facts} />}
            <Versions facts={facts} />
            <Sites facts={facts} />
            <Batches facts={facts} />
            <Results facts={facts} />
          </>
        )}
      </div>
    </>
  );
}

function Facts({ facts }: { facts: TrialFacts }) {
  const words = text.trials;
  const { names } = useSession();
  const sum = (of: (site: TrialFacts["sites"][number]) => number) => facts.sites.reduce((all, site) => all + of(site), 0).toLocaleString(locale);
  return (
    <Card title={words.facts}>
      <dl class="facts">
        <dt>{words.id}</dt>
        <dd><Address address={facts.trial} /></dd>
        <dt>{words.sponsor}</dt>
        <dd><Address address={facts.sponsor} name={names.get(facts.sponsor)} /></dd>
        {facts.also_registered_by.length > 0 && (
          <>
            <dt>{words.alsoRegisteredBy}</dt>
            <dd>{facts.also_registered_by.map((sponsor) => <Address key={sponsor} address={sponsor} name={names.get(sponsor)} />)}</dd>
          </>
        )}
        <dt>{words.registered}</dt>
        <dd><Time at={facts.registered_at} show="time" /></dd>
        <dt>{words.enrolled}</dt>
        <dd>{sum((site) => site.enrolled)}</dd>
        <dt>{words.withdrawn}</dt>
        <dd>{sum((site) => site.withdrawn)}</dd>
      </dl>
    </Card>
  );
}

/** What it is, and its digest. */
function Digest({ label, digest }: { label: ComponentChildren; digest: Hex }) {
  return <p class="small">{label}: <Address address={digest} /></p>;
}

function Versions({ facts }: { facts: TrialFacts }) {
  const words = text.trials;
  return (
    <Card title={words.versions}>
      <ol role="list" class="member-list">
        {facts.versions.map(({ documents, at, reason_code, reconsent, enrolled_then }, index) => (
          <li key={index}>
            <div class="grow">
              <strong>{words.version(index + 1)}</strong>
              <p class="muted small"><Time at={at} show="time" /> · {words.before(enrolled_then)}</p>
              {reason_code !== 0 && <p class="small">{words.reason}: {reasonName(reason_code)}</p>}
              <Digest label={words.protocol} digest={documents.protocol} />
              <Digest label={words.plan} digest={documents.plan} />
              <Digest label={words.form} digest={documents.form} />
            </div>
            {reconsent && <Tag kind="warning">{words.reconsentTag}</Tag>}
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Sites({ facts }: { facts: TrialFacts }) {
  const words = text.trials;
  const { names } = useSession();
  return (
    <Card title={words.sites}>
      {facts.sites.length === 0 && <p>{words.noSites}</p>}
      <ul role="list" class="member-list">
        {facts.sites.map(({ site, active, enrolled, withdrawn }) => (
          <li key={site}>
            <div class="grow">
              <Address address={site} name={names.get(site)} />
              <p class="muted small">{words.siteCounts(enrolled, withdrawn)}</p>
            </div>
            <Tag kind={active ? "good" : "bad"}>{active ? words.active : words.dismissed}</Tag>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Batches({ facts }: { facts: TrialFacts }) {
  const words = text.trials;
  const { names } = useSession();
  const shown = facts.batches.slice(-BATCHES_SHOWN).reverse();
  const more = facts.batches.length - shown.length;
  return (
    <Card title={words.batches}>
      {shown.length === 0 && <p>{words.noBatches}</p>}
      <ul role="list" class="member-list">
        {shown.map((batch) => (
          <li key={`${batch.site}-${batch.sequence}`}>
            <div class="grow">
              <strong>{words.batch(batch.sequence)}</strong> · {words.rows(batch.count)}
              <p class="muted small"><Time at={batch.from} show="time" /> – <Time at={batch.to} show="time" /></p>
              <p class="small">{words.site}: <Address address={batch.site} name={names.get(batch.site)} /></p>
            </div>
            {flagNames(batch.flags).map((flag) => <Tag key={flag} kind="warning">{flag}</Tag>)}
          </li>
        ))}
      </ul>
      {more > 0 && <p class="muted">{words.moreBatches(more)}</p>}
    </Card>
  );
}

function Results({ facts }: { facts: TrialFacts }) {
  const words = text.trials;
  return (
    <Card title={words.results}>
      {facts.lock === null ? <p>{words.notLocked}</p> : (
        <dl class="facts">
          <dt>{words.locked}</dt>
          <dd><Time at={facts.lock.at} show="time" /></dd>
          <dt>{words.data}</dt>
          <dd><Address address={facts.lock.data} /></dd>
        </dl>
      )}
      {facts.lock !== null && facts.results.length === 0 && <p>{words.noResults}</p>}
      <ul role="list" class="member-list">
        {facts.results.map((one) => (
          <li key={one.number}>
            <div class="grow">
              <strong>{words.resultsNumber(one.number)}</strong>
              <p class="muted small"><Time at={one.at} show="time" /> · {words.version(one.version)}</p>
              <Digest label={words.resultsFile} digest={one.results} />
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}
