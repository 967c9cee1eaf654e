import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { Grant, Hex } from "../../core/core";
import { categoryNames } from "../../fhir";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, Empty, FaultNotice, Link, Notice, PageTitle, ShareIcon, Spinner, Tag, Time, TransactionDialog,
  shortAddress, useLoaded,
} from "../../ui";
import { NameDialog } from "../name-dialog";
import { isExpired, untils, whys } from "./terms";

export function Shares({ chart }: { chart: Hex }) {
  const { core, charts, reloadCharts } = useSession();
  const grants = useLoaded(() => core.grants(chart), [chart, useIndexed()]);
  const [stopping, setStopping] = useState<Grant | null>(null);
  const [stoppingAll, setStoppingAll] = useState(false);
  const rotationDue = charts?.find((one) => one.chart === chart)?.rotationDue ?? false;
  const at = now();
  const sorted = [...(grants.result ?? [])].sort(
    (one, other) => Number(isExpired(one, at)) - Number(isExpired(other, at)) || other.granted_at - one.granted_at,
  );
  return (
    <>
      <PageTitle
        title={text.shares.title}
        aside={sorted.length > 0 && <Link to="/share" class="button primary">{text.shares.share}</Link>}
      >
        {text.shares.lead}
      </PageTitle>
      <div class="stack">
        <FaultNotice error={grants.error} onRetry={() => void grants.run()} />
        {rotationDue && (
          <Notice kind="warning">
            <p>{text.shares.rotationDue}</p>
            <Button size="small" onClick={() => setStoppingAll(true)}>{text.shares.rotationDo}</Button>
          </Notice>
        )}
        {!grants.result && !grants.error && <Spinner />}
        {grants.result && sorted.length === 0 && (
          <Empty icon={<ShareIcon size={28} />} title={text.shares.none}>
            <p>{text.shares.noneHelp}</p>
            <Link to="/share" class="button primary">{text.shares.share}</Link>
          </Empty>
        )}
        {sorted.map((grant) => <ShareCard key={grant.grantee} grant={grant} at={at} onStop={() => setStopping(grant)} />)}
        {sorted.length > 0 && (
          <div class="row end">
            <Button variant="danger" onClick={() => setStoppingAll(true)}>{text.shares.stopAll}</Button>
          </div>
        )}
      </div>
      {stopping && <Stop chart={chart} grant={stopping} onDone={() => void grants.run()} onClose={() => setStopping(null)} />}
      {stoppingAll && (
        <TransactionDialog
          title={text.shares.stopAllTitle} danger confirm={text.shares.stopAll} typed={text.shares.stopAllWord}
          summary={text.shares.stopAllSummary}
          details={[{ label: text.shares.stopLimit, value: text.shares.stopLimitValue }]}
          act={(watch) => core.revokeAll(chart, watch)}
          outcome={({ kitFault }) => (
            <>
              <p>{text.shares.stopAllDone}</p>
              <KitFault fault={kitFault} />
            </>
          )}
          onDone={() => {
            void grants.run();
            void reloadCharts();
          }}
          onClose={() => setStoppingAll(false)}
        />
      )}
    </>
  );
}

function ShareCard({ grant, at, onStop }: { grant: Grant; at: number; onStop: () => void }) {
  const { names } = useSession();
  const [naming, setNaming] = useState(false);
  const expired = isExpired(grant, at);
  const later = grant.not_before > at;
  const name = names.get(grant.grantee);
  return (
    <Card
      title={name ?? text.shares.unnamed}
      aside={
        <Tag kind={expired ? "warning" : later ? "accent" : "good"}>
          {expired ? text.shares.expired : later ? text.shares.later : text.shares.active}
        </Tag>
      }
    >
      <dl class="facts">
        <dt>{text.shares.address}</dt>
        <dd><Address address={grant.grantee} /></dd>
        <dt>{text.shares.what}</dt>
        <dd>{categoryNames(grant.compartments)}</dd>
        <dt>{text.shares.why}</dt>
        <dd>{whys(grant.purposes)}</dd>
        <dt>{text.shares.can}</dt>
        <dd>{mayText(grant.actions)}</dd>
        {later && <><dt>{text.shares.begins}</dt><dd><Time at={grant.not_before} show="time" /></dd></>}
        <dt>{expired ? text.shares.expired : text.shares.until}</dt>
        <dd>{grant.expiry === 0 ? untils(0) : <Time at={grant.expiry} show="time" />}</dd>
        <dt>{text.shares.since}</dt>
        <dd><Time at={grant.granted_at} /></dd>
      </dl>
      <div class="row">
        <Link to={`/share?with=${grant.grantee}`} class="button small">{text.shares.change}</Link>
        <Button size="small" onClick={() => setNaming(true)}>{text.shares.rename}</Button>
        <Button size="small" variant="danger" label={text.shares.stopTitle(name ?? shortAddress(grant.grantee))} onClick={onStop}>
          {text.shares.stop}
        </Button>
      </div>
      {naming && (
        <NameDialog
          of={grant.grantee} title={text.shares.renameTitle} label={text.shares.rename} hint={text.share.nameHint} save={text.shares.save}
          onClose={() => setNaming(false)}
        />
      )}
    </Card>
  );
}

function mayText(actions: readonly string[]): string {
  const { mayRead, mayReadWrite, mayWrite } = text.shares;
  return !actions.includes("write") ? mayRead : actions.includes("read") ? mayReadWrite : mayWrite;
}

function Stop({ chart, grant, onDone, onClose }: { chart: Hex; grant: Grant; onDone: () => void; onClose: () => void }) {
  const { core, names } = useSession();
  const who = names.get(grant.grantee) ?? shortAddress(grant.grantee);
  return (
    <TransactionDialog
      title={text.shares.stopTitle(who)} danger confirm={text.shares.stopDo}
      summary={text.shares.stopSummary(who)}
      details={[
        { label: text.shares.stopHow, value: text.shares.stopHowValue },
        { label: text.shares.stopLimit, value: text.shares.stopLimitValue },
      ]}
      act={(watch) => core.revoke(chart, grant.grantee, watch)}
      outcome={({ resealed, waiting, kitFault }) => (
        <>
          <Notice kind={waiting.length > 0 ? "warning" : "good"}>
            <p>{text.shares.stopped}</p>
            {resealed.length > 0 && <p>{text.shares.resealed(resealed.length)}</p>}
            {waiting.length > 0 && <p>{text.shares.waiting(waiting.length)}</p>}
          </Notice>
          <KitFault fault={kitFault} />
        </>
      )}
      onDone={onDone} onClose={onClose}
    />
  );
}

/** The keys are other ones, and custodians have no shares of them. */
function KitFault({ fault }: { fault: string | null }) {
  if (fault === null) return null;
  return (
    <Notice kind="warning" title={text.access.kitFault}>
      <p>{fault}</p>
      <p>{text.access.outdatedHelp}</p>
    </Notice>
  );
}
