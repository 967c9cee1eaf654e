import { useState } from "preact/hooks";
import type { Core, Me } from "../../core/core";
import { passkeySecret, type StoredKey } from "../../core/vault";
import { requireAsShown, storedKey } from "../../state/keys";
import { text } from "../../text";
import {
  Button, Card, Choice, Dialog, FaultNotice, Field, Form, KeyIcon, LogoIcon, Notice, PageTitle, Tag, shortAddress, useTask,
} from "../../ui";
import { useWallets, walletOf } from "../welcome/wallets";
import { forgetKey } from "./forget";
import { SaveKeyFile } from "./keyfile";

export interface UnlockProps {
  core: Core;
  keys: StoredKey[];
  /** It locked itself. */
  idle: boolean;
  onOpened: (me: Me, key: StoredKey) => void;
  onAdd: () => void;
  onChanged: () => void;
}

export function Unlock({ core, keys, idle, onOpened, onAdd, onChanged }: UnlockProps) {
  const [address, setAddress] = useState(keys[0]?.address);
  const [passphrase, setPassphrase] = useState("");
  const [forgetting, setForgetting] = useState(false);
  const wallets = useWallets();
  const key = keys.find((one) => one.address === address) ?? keys[0];
  const unlock = useTask(async (shown: StoredKey) => {
    const now = await storedKey(shown.address);
    // The list is of when it was locked.
    if (now?.keyFile !== shown.keyFile) onChanged();
    requireAsShown(shown, now);
    const secret = now.passkey ? await passkeySecret(now.passkey) : passphrase;
    const wallet = now.wallet === null ? undefined : await walletOf(now.wallet, wallets);
    onOpened(await core.unlock(now.keyFile, secret, wallet), now);
  });
  if (!key) return null;
  const wrong = unlock.error?.kind === "passphrase";
  return (
    <main class="gate">
      <div class="panel stack loose">
        <span class="brand"><LogoIcon size={36} />{text.app.name}</span>
        <PageTitle title={text.unlock.title}>{text.unlock.lead}</PageTitle>
        {idle && <Notice live>{text.unlock.autoLocked}</Notice>}
        <Card>
          <Form onSubmit={() => void unlock.run(key)}>
            {keys.length > 1 ? (
              <fieldset class="stack tight">
                <legend>{text.unlock.which}</legend>
                {keys.map((one) => (
                  <Choice
                    key={one.address} name="key" checked={one.address === key.address} label={one.name || text.unlock.unnamed}
                    hint={shortAddress(one.address)} onChange={() => {
                      setAddress(one.address);
                      unlock.reset();
                    }}
                  />
                ))}
              </fieldset>
            ) : (
              <p class="row">
                <KeyIcon />
                <strong>{key.name || text.unlock.unnamed}</strong>
                <span class="muted">{shortAddress(key.address)}</span>
              </p>
            )}
            {key.wallet && <div><Tag>{text.unlock.wallet}</Tag></div>}
            {!key.passkey && (
              <Field
                label={text.unlock.passphrase} type="password" autocomplete="current-password" value={passphrase} onInput={setPassphrase}
                error={wrong ? text.unlock.wrong : null}
              />
            )}
            {(!wrong || key.passkey) && <FaultNotice error={unlock.error} />}
            {unlock.busy && <Notice live>{text.unlock.working}</Notice>}
            <Button variant="primary" type="submit" size="wide" busy={unlock.busy}>{key.passkey ? text.unlock.passkey : text.unlock.unlock}</Button>
          </Form>
        </Card>
        <div class="row apart">
          <Button variant="bare" onClick={onAdd}>{text.unlock.add}</Button>
          <Button variant="bare" onClick={() => setForgetting(true)}>{text.unlock.forget}</Button>
        </div>
      </div>
      {forgetting && <Forget core={core} stored={key} onClose={() => setForgetting(false)} onForgotten={onChanged} />}
    </main>
  );
}

interface ForgetProps {
  core: Core;
  stored: StoredKey;
  onClose: () => void;
  onForgotten: () => void;
}

export function Forget({ core, stored, onClose, onForgotten }: ForgetProps) {
  const forget = useTask(async () => {
    await forgetKey(stored);
    onClose();
    onForgotten();
  });
  return (
    <Dialog
      title={text.unlock.forgetTitle}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button variant="danger" sure busy={forget.busy} onClick={() => void forget.run()}>{text.unlock.forgetDo}</Button>
        </>
      }
    >
      <p>{text.unlock.forgetBody}</p>
      <div><SaveKeyFile core={core} stored={stored} label={text.unlock.download} size="small" /></div>
      <FaultNotice error={forget.error} />
    </Dialog>
  );
}
