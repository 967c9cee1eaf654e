import type { Trial } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { DocumentIcon, Empty, FaultNotice, Link, PageTitle, Spinner, Tag, Time, shortAddress, useLoaded } from "../../ui";
import { stateKind, stateName } from "./words";

export function TrialList() {
  const words = text.trials;
  const { core } = useSession();
  const trials = useLoaded(() => core.trials(), [useIndexed()]);
  const newest = [...(trials.result ?? [])].reverse();
  return (
    <>
      <PageTitle title={words.title}>{words.lead}</PageTitle>
      <div class="stack">
        <FaultNotice error={trials.error} onRetry={() => void trials.run()} />
        {trials.result === undefined && trials.error === null && <Spinner />}
        {trials.result !== undefined && newest.length === 0 && <Empty icon={<DocumentIcon size={28} />} title={words.none} />}
        <ul role="list" class="record-list">
          {newest.map((trial) => <li key={trial.trial}><Row trial={trial} /></li>)}
        </ul>
      </div>
    </>
  );
}

function Row({ trial }: { trial: Trial }) {
  const words = text.trials;
  return (
    <Link to={`/trials/${trial.trial}`} class="record-row">
      <span class="record-text">
        <span class="record-title">{words.trialNamed(shortAddress(trial.trial))}</span>
        <span class="muted small">
          {words.registered} <Time at={trial.registered_at} /> · {words.enrolledCount(trial.enrolled)} · {words.batchCount(trial.batches)}
        </span>
      </span>
      <Tag kind={stateKind(trial.state)}>{stateName(trial.state)}</Tag>
    </Link>
  );
}
