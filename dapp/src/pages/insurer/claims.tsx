// Claims that providers make to us, what we accept, and what looks wrong among them.
import { useState } from "preact/hooks";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Button, Card, Dialog, FaultNotice, Field, Form, FormEnd, Link, Notice, PageTitle, Spinner, Tag, TransactionDialog, shortAddress, useLoaded,
  useRoute, useTask,
} from "../../ui";
import { NoPage } from "../area";
import { ClaimPage } from "../claims/claim";
import { ClaimList } from "../claims/list";

export default function Claims() {
  const words = text.claims;
  const [, , page, ...more] = useRoute().segments;
  if (more.length > 0) return <NoPage />;
  if (page === "settings") return <Settings />;
  if (page === "signals") return <Signals />;
  if (page !== undefined) return <ClaimPage claim={page} />;
  return (
    <>
      <PageTitle
        title={words.title}
        aside={
          <div class="row">
            <Link to="/insurer/claims/signals" class="button">{words.signals}</Link>
            <Link to="/insurer/claims/settings" class="button">{words.settings}</Link>
          </div>
        }
      >
        {words.insurerLead}
      </PageTitle>
      <ClaimList of={{ of: "insurer" }} base="/insurer/claims" none={words.noneOfInsurer} />
    </>
  );
}

function Settings() {
  const words = text.claims;
  const { core, me, organisation } = useSession();
  const us = organisation ?? me.address;
  const loaded = useLoaded(() => core.insurer(us), [us, useIndexed()]);
  const [adding, setAdding] = useState(false);
  const [changing, setChanging] = useState<{ currency: string; accepted: boolean } | null>(null);
  const [sharing, setSharing] = useState<boolean | null>(null);
  const setting = loaded.result;
  return (
    <>
      <PageTitle title={words.settings}>{words.settingsLead}</PageTitle>
      <div class="stack">
        <FaultNotice error={loaded.error} onRetry={() => void loaded.run()} />
        {setting === undefined && loaded.error === null && <Spinner />}
        {setting && (
          <>
            <Card title={words.currencies} aside={<Button variant="primary" onClick={() => setAdding(true)}>{words.addCurrency}</Button>}>
              {setting.currencies.length === 0 && <p>{words.noCurrencies}</p>}
              <ul role="list" class="member-list">
                {setting.currencies.map(({ currency, accepted }) => (
                  <li key={currency}>
                    <strong class="grow">{currency}</strong>
                    <Tag kind={accepted ? "good" : "bad"}>{accepted ? words.accepted : words.refused}</Tag>
                    <Button
                      size="small" label={accepted ? words.refuseOf(currency) : words.acceptOf(currency)}
                      onClick={() => setChanging({ currency, accepted: !accepted })}
                    >
                      {accepted ? words.refuse : words.accept}
                    </Button>
                  </li>
                ))}
              </ul>
            </Card>
            <Card title={words.registry} aside={<Tag kind={setting.shared ? "good" : "accent"}>{setting.shared ? words.inRegistry : words.ownRegistry}</Tag>}>
              <p>{words.registryHelp}</p>
              <div class="row">
                <Button onClick={() => setSharing(!setting.shared)}>{setting.shared ? words.leaveRegistry : words.joinRegistry}</Button>
              </div>
            </Card>
          </>
        )}
      </div>
      {adding && <AddCurrency onClose={() => setAdding(false)} onChosen={(currency) => {
        setAdding(false);
        setChanging({ currency, accepted: true });
      }} />}
      {changing !== null && (
        <TransactionDialog
          title={changing.accepted ? words.acceptOf(changing.currency) : words.refuseOf(changing.currency)}
          confirm={changing.accepted ? words.accept : words.refuse} danger={!changing.accepted}
          summary={changing.accepted ? words.acceptSummary(changing.currency) : words.refuseSummary(changing.currency)}
          act={(watch) => core.setCurrency(changing.currency, changing.accepted, watch)} onClose={() => setChanging(null)}
        />
      )}
      {sharing !== null && (
        <TransactionDialog
          title={sharing ? words.joinRegistry : words.leaveRegistry} confirm={sharing ? words.joinRegistry : words.leaveRegistry}
          summary={sharing ? words.joinSummary : words.leaveSummary}
          act={(watch) => core.setInsurer(sharing, watch)} onClose={() => setSharing(null)}
        />
      )}
    </>
  );
}

function AddCurrency({ onChosen, onClose }: { onChosen: (currency: string) => void; onClose: () => void }) {
  const words = text.claims;
  const [written, setWritten] = useState("");
  const [tried, setTried] = useState(false);
  const currency = written.trim().toUpperCase();
  const wrong = /^[A-Z]{3}$/.test(currency) ? null : words.currencyWrong;
  const next = () => {
    setTried(true);
    if (wrong === null) onChosen(currency);
  };
  return (
    <Dialog title={words.addCurrency} onClose={onClose}>
      <Form onSubmit={next}>
        <Field label={words.currency} hint={words.currencyHint} value={written} onInput={setWritten} error={tried ? wrong : null} focus />
        <FormEnd onClose={onClose} />
      </Form>
    </Dialog>
  );
}

const DAY_S = 86_400;
const SPANS = [30, 90, 365] as const;

function Signals() {
  const words = text.claims;
  const { core } = useSession();
  const [days, setDays] = useState("90");
  const look = useTask((within: number) => core.claimSignals({ of: "insurer" }, within));
  return (
    <>
      <PageTitle title={words.signals}>{words.signalsLead}</PageTitle>
      <div class="stack">
        <Form onSubmit={() => void look.run(Number(days) * DAY_S)}>
          <Field
            label={words.within} type="select" value={days} onInput={setDays}
            options={SPANS.map((one) => ({ value: String(one), label: words.lastDays(one) }))}
          />
          <div class="row"><Button variant="primary" type="submit" busy={look.busy}>{words.look}</Button></div>
        </Form>
        <FaultNotice error={look.error} />
        {look.result && (
          <>
            <p role="status">{words.lookedAt(look.result.claims, look.result.signals.length)}</p>
            {look.result.signals.map((signal, at) => (
              <Card key={at}>
                <p>{signal.reason}</p>
                <ul>
                  {signal.claims.map((claim) => <li key={claim}><Link to={`/insurer/claims/${claim}`}>{words.claimNamed(shortAddress(claim))}</Link></li>)}
                </ul>
              </Card>
            ))}
            {look.result.unopened.length > 0 && (
              <Notice kind="warning" title={words.unopenedClaims(look.result.unopened.length)}>
                <ul>{look.result.unopened.map(({ claim, why }) => <li key={claim}>{shortAddress(claim)}: {why}</li>)}</ul>
              </Notice>
            )}
          </>
        )}
      </div>
    </>
  );
}
