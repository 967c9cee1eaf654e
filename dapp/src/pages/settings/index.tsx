import { useState } from "preact/hooks";
import { passkeySecret } from "../../core/vault";
import { useIndexed } from "../../state/activity";
import { LOCK_MINUTES, useLockMinutes } from "../../state/autolock";
import { requireAsShown } from "../../state/keys";
import { prefer, preferences, type Theme } from "../../state/preferences";
import { useSession } from "../../state/session";
import { useStore } from "../../state/store";
import { own } from "../../own";
import { text } from "../../text";
import {
  Address, BackIcon, Button, Card, Choice, FaultNotice, Field, Form, Link, Notice, PageTitle, Spinner, Tag, Time, TransactionDialog, useLoaded,
  useRoute, useTask,
} from "../../ui";
import { Forget } from "../unlock";
import { SaveKeyFile } from "../unlock/keyfile";
import { NewSecret, useNewSecret } from "../welcome/secret";
import { WordList, WordsCheck } from "../welcome/words";

export function Settings() {
  const { segments } = useRoute();
  if (segments[1] === "words") return <WordsPage />;
  if (segments[1] === "passphrase") return <PassphrasePage />;
  return (
    <>
      <PageTitle title={text.settings.title} />
      <div class="stack">
        <KeyCard />
        <DeviceCard />
        <RelayedCard />
        <LeaveCard />
      </div>
    </>
  );
}

function KeyCard() {
  const { core, me, key, changeKey } = useSession();
  const [name, setName] = useState(key.name);
  const save = useTask(() => changeKey((now) => ({ ...now, name: name.trim() })));
  return (
    <Card title={text.settings.key}>
      <p><Address address={me.address} name={key.name} /></p>
      <Form onSubmit={() => void save.run()}>
        <div class="row bottom-aligned">
          <div class="grow"><Field label={text.settings.name} hint={text.create.nameHint} value={name} onInput={setName} /></div>
          <Button type="submit" busy={save.busy} disabled={name.trim() === key.name}>{text.settings.save}</Button>
        </div>
        <FaultNotice error={save.error} />
      </Form>
      <div class="row">
        <SaveKeyFile core={core} stored={key} label={text.settings.download} />
        <Link to="/settings/passphrase" class="button">{key.passkey ? text.settings.unlocking : text.settings.passphrase}</Link>
        <Link to="/settings/words" class="button">{text.settings.words}</Link>
      </div>
    </Card>
  );
}

function DeviceCard() {
  const { theme } = useStore(preferences);
  const lockMinutes = useLockMinutes();
  const themes = Object.entries(text.settings.themes) as [Theme, string][];
  return (
    <Card title={text.settings.device}>
      <fieldset class="stack tight">
        <legend>{text.settings.theme}</legend>
        <div class="choices narrow">
          {themes.map(([id, label]) => <Choice key={id} name="theme" label={label} checked={theme === id} onChange={() => prefer({ theme: id })} />)}
        </div>
      </fieldset>
      <Field
        label={text.settings.lock} hint={text.settings.lockHint} type="select" value={String(lockMinutes)}
        onInput={(minutes) => prefer({ autoLockMinutes: Number(minutes) })}
        options={LOCK_MINUTES.map((minutes) => ({ value: String(minutes), label: `${text.settings.lockAfter} ${text.settings.minutes(minutes)}` }))}
      />
    </Card>
  );
}

function RelayedCard() {
  const { core } = useSession();
  const relayed = useLoaded(() => core.relayed(), [useIndexed()]);
  const [asked, setAsked] = useState(false);
  const all = [...(relayed.result ?? [])].reverse();
  const kind = { queued: "accent", submitted: "accent", mined: "good", failed: "bad", expired: "warning", cancelled: "warning" } as const;
  return (
    <Card title={text.settings.relayed}>
      <p class="muted">{text.settings.relayedLead}</p>
      <FaultNotice error={relayed.error} onRetry={() => void relayed.run()} />
      {!relayed.result && !relayed.error && <Spinner />}
      {relayed.result && all.length === 0 && <p>{text.settings.relayedNone}</p>}
      {all.length > 0 && (
        <ul role="list" class="entries scrolling" tabIndex={0} aria-label={text.settings.relayed}>
          {all.map((operation) => (
            <li key={operation.id}>
              <span class="grow">
                <strong>{own(text.settings.methods, operation.method) ?? operation.method}</strong>
                <span class="muted small"> <Time at={operation.accepted_at} show="time" /></span>
              </span>
              <Tag kind={kind[operation.state]}>{text.settings.states[operation.state]}</Tag>
            </li>
          ))}
        </ul>
      )}
      <div><Button variant="danger" onClick={() => setAsked(true)}>{text.settings.cancelAll}</Button></div>
      {asked && (
        <TransactionDialog
          title={text.settings.cancelAllTitle} summary={text.settings.cancelAllSummary} danger confirm={text.settings.cancelAll}
          act={(watch) => core.cancelAll(watch)} outcome={() => <p>{text.settings.cancelAllDone}</p>}
          onDone={() => void relayed.run()} onClose={() => setAsked(false)}
        />
      )}
    </Card>
  );
}

function LeaveCard() {
  const { core, key, lock } = useSession();
  const [asked, setAsked] = useState(false);
  return (
    <Card title={text.settings.leave}>
      <p>{text.settings.leaveBody}</p>
      <div><Button variant="danger" onClick={() => setAsked(true)}>{text.settings.leaveDo}</Button></div>
      {asked && <Forget core={core} stored={key} onClose={() => setAsked(false)} onForgotten={lock} />}
    </Card>
  );
}

const Back = () => <Link to="/settings" class="button bare small"><BackIcon size={18} />{text.settings.title}</Link>;

/** Whoever sits down at an open page must not get them: the key is opened once more. */
function WordsPage() {
  const { core, me, key, reloadKey } = useSession();
  const { wordsDue } = useStore(preferences);
  const [passphrase, setPassphrase] = useState("");
  const [checking, setChecking] = useState(false);
  const due = wordsDue.includes(me.address);
  const show = useTask(async () => {
    // The words are of use to whoever has removed the key, too.
    const now = (await reloadKey()) ?? key;
    requireAsShown(key, now);
    const secret = now.passkey ? await passkeySecret(now.passkey) : passphrase;
    // A change to the same passphrase opens the file, and changes nothing that is kept.
    await core.changePassphrase(now.keyFile, secret, secret);
    setPassphrase("");
    return core.words();
  });
  const checked = () => {
    prefer({ wordsDue: wordsDue.filter((one) => one !== me.address) });
    show.reset();
    setChecking(false);
  };
  const words = show.result;
  const wrong = show.error?.kind === "passphrase";
  return (
    <>
      <Back />
      <PageTitle title={text.settings.words}>{text.settings.wordsLead}</PageTitle>
      <Card>
        {!due && !words && <Notice kind="good">{text.settings.wordsChecked}</Notice>}
        {!words && (
          <Form onSubmit={() => void show.run()}>
            {!key.passkey && (
              <Field
                label={text.unlock.passphrase} hint={text.settings.wordsAgain} type="password" autocomplete="current-password" value={passphrase}
                onInput={setPassphrase} error={wrong ? text.unlock.wrong : null}
              />
            )}
            {!wrong && <FaultNotice error={show.error} />}
            <div><Button variant="primary" type="submit" busy={show.busy}>{text.settings.wordsShow}</Button></div>
          </Form>
        )}
        {words && checking && <WordsCheck words={words} onRight={checked} onBack={() => setChecking(false)} />}
        {words && !checking && (
          <>
            <WordList words={words} />
            <Notice kind="warning">{text.words.noPhoto}</Notice>
            <div class="row no-print">
              <Button variant="primary" onClick={() => setChecking(true)}>{text.settings.wordsCheck}</Button>
              <Button onClick={() => print()}>{text.words.print}</Button>
              <Button onClick={() => show.reset()}>{text.settings.wordsHide}</Button>
            </div>
          </>
        )}
      </Card>
    </>
  );
}

function PassphrasePage() {
  const { core, key, changeKey, reloadKey } = useSession();
  const [passphrase, setPassphrase] = useState("");
  const secret = useNewSecret();
  const change = useTask(async () => {
    const before = await reloadKey();
    requireAsShown(key, before);
    const from = before.passkey ? await passkeySecret(before.passkey) : passphrase;
    const { secret: to, passkey } = await secret.make(before.name);
    const keyFile = await core.changePassphrase(before.keyFile, from, to);
    // Sealing takes seconds: what another tab has sealed meanwhile stays.
    await changeKey((now) => (now.keyFile === before.keyFile ? { ...now, keyFile, passkey } : null));
    return true;
  });
  const wrong = change.error?.kind === "passphrase";
  return (
    <>
      <Back />
      <PageTitle title={key.passkey ? text.settings.unlocking : text.settings.passphrase} />
      <Card>
        {change.result ? <Notice kind="good" live>{text.settings.passphraseDone}</Notice> : (
          <Form onSubmit={() => secret.check() && void change.run()}>
            {!key.passkey && (
              <Field
                label={text.settings.passphraseNow} type="password" autocomplete="current-password" value={passphrase} onInput={setPassphrase}
                error={wrong ? text.unlock.wrong : null}
              />
            )}
            <NewSecret secret={secret} />
            {!wrong && <FaultNotice error={change.error} />}
            <div><Button variant="primary" type="submit" busy={change.busy}>{text.settings.passphraseDo}</Button></div>
          </Form>
        )}
      </Card>
    </>
  );
}
