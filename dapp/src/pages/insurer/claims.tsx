// Claims that providers make to us, what we accept, and what looks wrong among them.
import { useState } from "preact/hooks";
import type { AcceptedCurrency, Hex } from "../../core/core";
import { isAddress } from "../../hex";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import {
  Address, Button, Card, Dialog, FaultNotice, Field, Form, FormEnd, Link, Notice, PageTitle, Spinner, Tag, TransactionDialog, shortAddress,
  useLoaded, useRoute, useTask,
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

/** What is to be set for a currency. */
interface Change {
  currency: string;
  accepted: boolean;
  token: Hex | null;
  scale: number;
  /** In what claims in it can be paid at present. */
  before: Hex | null;
  title: string;
  confirm: string;
}

function Settings() {
  const words = text.claims;
  const { core, me, organisation } = useSession();
  const us = organisation ?? me.address;
  const loaded = useLoaded(() => core.insurer(us), [us, useIndexed()]);
  const [asking, setAsking] = useState<{ of: AcceptedCurrency | null } | null>(null);
  const [changing, setChanging] = useState<Change | null>(null);
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
            <Card title={words.currencies} aside={<Button variant="primary" onClick={() => setAsking({ of: null })}>{words.addCurrency}</Button>}>
              {setting.currencies.length === 0 && <p>{words.noCurrencies}</p>}
              <ul role="list" class="member-list">
                {setting.currencies.map((one) => (
                  <li key={one.currency}>
                    <div class="grow">
                      <strong>{one.currency}</strong>
                      {one.token !== null && (
                        <>
                          <p class="muted small">{words.paidInToken} <Address address={one.token} /></p>
                          <p class="muted small">{words.unit(unit(one.scale))}</p>
                        </>
                      )}
                    </div>
                    <Tag kind={one.accepted ? "good" : "bad"}>{one.accepted ? words.accepted : words.refused}</Tag>
                    {one.accepted && (
                      <Button size="small" label={words.tokenOf(one.currency)} onClick={() => setAsking({ of: one })}>{words.setToken}</Button>
                    )}
                    <Button
                      size="small" label={one.accepted ? words.refuseOf(one.currency) : words.acceptOf(one.currency)}
                      onClick={() => setChanging(turned(one))}
                    >
                      {one.accepted ? words.refuse : words.accept}
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
      {asking !== null && setting && (
        <AskCurrency
          of={asking.of} known={setting.currencies} onClose={() => setAsking(null)}
          onChosen={(change) => {
            setAsking(null);
            setChanging(change);
          }}
        />
      )}
      {changing !== null && (
        <TransactionDialog
          title={changing.title} confirm={changing.confirm} danger={!changing.accepted}
          summary={
            <div class="stack">
              <p>{changing.accepted ? words.acceptSummary(changing.currency) : words.refuseSummary(changing.currency)}</p>
              {changing.token !== null && <p>{words.tokenSummary(changing.currency)}</p>}
              {changing.before !== null && changing.before !== changing.token && <p>{changing.accepted ? words.tokenGone : words.tokenAgain}</p>}
            </div>
          }
          details={changing.token === null ? [] : [
            { label: words.token, value: <Address address={changing.token} /> },
            { label: words.scale, value: String(changing.scale) },
            { label: words.smallest, value: words.inToken(unit(changing.scale)) },
          ]}
          act={(watch) => core.setCurrency(changing.currency, changing.accepted, changing.token, changing.scale, watch)}
          onClose={() => setChanging(null)}
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

/** Accepted where it is not, and not accepted any more where it is: without a token, which a currency that is not accepted has none of. */
function turned({ currency, accepted, token }: AcceptedCurrency): Change {
  const words = text.claims;
  const [title, confirm] = accepted ? [words.refuseOf(currency), words.refuse] : [words.acceptOf(currency), words.accept];
  return { currency, accepted: !accepted, token: null, scale: 0, before: token, title, confirm };
}

/** What the smallest amount of a currency is in a token. */
const unit = (scale: number) => (10n ** BigInt(scale)).toLocaleString(locale);

/** As the contract has it. */
const SCALE_MOST = 36;

interface AskCurrencyProps {
  /** Null: one is to be added. */
  of: AcceptedCurrency | null;
  known: AcceptedCurrency[];
  onChosen: (change: Change) => void;
  onClose: () => void;
}

function AskCurrency({ of, known, onChosen, onClose }: AskCurrencyProps) {
  const words = text.claims;
  const [written, setWritten] = useState(of?.currency ?? "");
  const [address, setAddress] = useState<string>(of?.token ?? "");
  const [scale, setScale] = useState(of?.token ? String(of.scale) : "");
  const [tried, setTried] = useState(false);
  const currency = written.trim().toUpperCase();
  const token = address.trim().toLowerCase();
  const hasToken = token !== "";
  const wrong = {
    currency: of !== null || /^[A-Z]{3}$/.test(currency) ? null : words.currencyWrong,
    token: !hasToken || isAddress(token) ? null : words.tokenWrong,
    scale: !hasToken || (/^\d{1,2}$/.test(scale.trim()) && Number(scale) <= SCALE_MOST) ? null : words.scaleWrong(SCALE_MOST),
  };
  const next = () => {
    setTried(true);
    if (Object.values(wrong).some((error) => error !== null)) return;
    onChosen({
      currency, accepted: true, token: hasToken ? (token as Hex) : null, scale: hasToken ? Number(scale) : 0,
      before: known.find((one) => one.currency === currency)?.token ?? null,
      title: of === null ? words.acceptOf(currency) : words.tokenOf(currency),
      confirm: of === null ? words.accept : words.setToken,
    });
  };
  const shown = (error: string | null) => (tried ? error : null);
  return (
    <Dialog title={of === null ? words.addCurrency : words.tokenOf(of.currency)} onClose={onClose}>
      <Form onSubmit={next}>
        {of === null && (
          <Field label={words.currency} hint={words.currencyHint} value={written} onInput={setWritten} error={shown(wrong.currency)} focus />
        )}
        <Field label={words.token} hint={words.tokenHint} value={address} onInput={setAddress} error={shown(wrong.token)} optional focus={of !== null} />
        {hasToken && (
          <Field label={words.scale} hint={words.scaleHint} inputmode="numeric" value={scale} onInput={setScale} error={shown(wrong.scale)} />
        )}
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
            {look.result.nameless > 0 && <Notice>{words.nameless(look.result.nameless)}</Notice>}
            {look.result.unopened.length > 0 && (
              <Notice kind="warning" title={words.unopenedClaims(look.result.unopened.length)}>
                <ul>{look.result.unopened.map(([claim, why]) => <li key={claim}>{shortAddress(claim)}: {why}</li>)}</ul>
              </Notice>
            )}
          </>
        )}
      </div>
    </>
  );
}
