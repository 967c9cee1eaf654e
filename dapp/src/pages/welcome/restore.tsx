import { useState } from "preact/hooks";
import type { Core, Hex, Me, Wallet } from "../../core/core";
import { listKeys, saveKey, type StoredKey } from "../../core/vault";
import { changeKey, storedKey } from "../../state/keys";
import { text } from "../../text";
import { Address, Button, Card, FaultNotice, Field, Form, Notice, PageTitle, Tabs, Tag, useTask } from "../../ui";
import { NewSecret, useNewSecret } from "./secret";
import { WalletChoice, useWallets, walletOf } from "./wallets";

const WORDS = 24;

interface RestoreProps {
  core: Core;
  onOpened: (me: Me, key: StoredKey) => void;
}

export function Restore(props: RestoreProps) {
  const [by, setBy] = useState<"file" | "words">("file");
  return (
    <>
      <PageTitle title={text.restore.title}>{text.restore.lead}</PageTitle>
      <Tabs
        label={text.restore.title} selected={by} onSelect={setBy}
        tabs={[{ id: "file", label: text.restore.file }, { id: "words", label: text.restore.words }]}
      >
        <Card>{by === "file" ? <FromFile {...props} /> : <FromWords {...props} />}</Card>
      </Tabs>
    </>
  );
}

interface Found {
  keyFile: string;
  address: Hex;
  /** The same key, as this browser has it already. */
  here: StoredKey | null;
}

function FromFile({ core, onOpened }: RestoreProps) {
  const [found, setFound] = useState<Found | null>(null);
  const [wrong, setWrong] = useState(false);
  const [passphrase, setPassphrase] = useState("");
  const [wallet, setWallet] = useState<Wallet | null>(null);
  const wallets = useWallets();
  const choose = useTask(async (file: File | undefined) => {
    setFound(null);
    setWrong(false);
    setWallet(null);
    open.reset();
    if (!file) return;
    const keyFile = await file.text();
    const inspected = await core.inspectKey(keyFile).catch(() => null);
    if (!inspected) return setWrong(true);
    const here = (await listKeys()).find((one) => one.address === inspected.address) ?? null;
    setFound({ keyFile, address: inspected.address, here });
  });
  const open = useTask(async ({ keyFile, address, here }: Found) => {
    const signing = here?.wallet ? await walletOf(here.wallet, wallets) : wallet;
    const me = await core.unlock(keyFile, passphrase, signing ?? undefined);
    // The file has been opened by its passphrase: from now on that one counts.
    const key: StoredKey = { address, keyFile, name: "", wallet: signing?.address ?? null, passkey: null };
    onOpened(me, await kept(key));
  });
  return (
    <Form onSubmit={() => found && void open.run(found)}>
      <label class="field">
        <span class="label">{text.restore.chooseFile}</span>
        <span class="hint">{text.restore.fileHint}</span>
        <input
          class="input" type="file" accept=".key,.keyfile,.json,application/json"
          onChange={(event) => void choose.run(event.currentTarget.files?.[0])}
        />
      </label>
      <FaultNotice error={choose.error} />
      {wrong && <Notice kind="bad" live>{text.restore.notAKey}</Notice>}
      {found && (
        <>
          <p role="status">{text.restore.found} <Address address={found.address} name={found.here?.name} /></p>
          {found.here && <Notice live title={text.restore.here}>{text.restore.hereBody}</Notice>}
          <Field
            label={text.restore.passphrase} type="password" autocomplete="current-password" focus value={passphrase} onInput={setPassphrase}
            error={open.error?.kind === "passphrase" ? text.unlock.wrong : null}
          />
          {found.here?.wallet ? <div><Tag>{text.unlock.wallet}</Tag></div> : <WalletChoice wallet={wallet} onChange={setWallet} />}
          {open.error?.kind !== "passphrase" && <FaultNotice error={open.error} />}
          <Button variant="primary" type="submit" busy={open.busy}>{text.restore.open}</Button>
        </>
      )}
    </Form>
  );
}

/** In the place of the same key, if it is there by now: that one's name stays. */
async function kept(key: StoredKey): Promise<StoredKey> {
  if ((await storedKey(key.address)) !== null) return changeKey(key.address, ({ name }) => ({ ...key, name }));
  await saveKey(key);
  return key;
}

function FromWords({ core, onOpened }: RestoreProps) {
  const [words, setWords] = useState("");
  const [wallet, setWallet] = useState<Wallet | null>(null);
  const secret = useNewSecret();
  const list = words.toLowerCase().split(/[\s,;]+/).filter(Boolean);
  const restore = useTask(async () => {
    const { secret: passphrase, passkey } = await secret.make("");
    const { keyFile, address } = await core.restoreKey(list.join(" "), passphrase);
    const me = await core.unlock(keyFile, passphrase, wallet ?? undefined);
    const key: StoredKey = { address, keyFile, name: "", wallet: wallet?.address ?? null, passkey };
    await saveKey(key);
    onOpened(me, key);
  });
  return (
    <Form onSubmit={() => list.length === WORDS && wallet && secret.check() && void restore.run()}>
      <Notice>{text.restore.wordsWhat}</Notice>
      <Field label={text.restore.wordsLabel} hint={text.restore.wordsHint} type="textarea" value={words} onInput={setWords} />
      <p class="small muted" role="status">{text.restore.wordsCount(list.length)}</p>
      <WalletChoice wallet={wallet} onChange={setWallet} />
      {!wallet && <p class="small muted">{text.restore.wordsWallet}</p>}
      <NewSecret secret={secret} />
      <FaultNotice error={restore.error} />
      <Button variant="primary" type="submit" busy={restore.busy} disabled={list.length !== WORDS || !wallet}>{text.restore.bring}</Button>
    </Form>
  );
}
