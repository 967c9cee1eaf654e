import { useState } from "preact/hooks";
import type { Core } from "../../core/core";
import { passkeySecret, type StoredKey } from "../../core/vault";
import { storedKey } from "../../state/keys";
import { text } from "../../text";
import { Button, Dialog, FaultNotice, Form, Notice, download, useTask } from "../../ui";
import { NewPassphrase, useNewSecret } from "../welcome/secret";

interface SaveKeyFileProps {
  core: Core;
  stored: StoredKey;
  label: string;
  size?: "small";
}

/** Saves a copy that opens elsewhere. What a passkey needs to open a key is in this browser alone: a copy of such a key gets a passphrase. */
export function SaveKeyFile({ core, stored, label, size }: SaveKeyFileProps) {
  const [asked, setAsked] = useState<StoredKey | null>(null);
  const begin = useTask(async () => {
    // Another tab may have sealed it anew. One that it has removed is here alone, and can still be saved.
    const now = (await storedKey(stored.address).catch(() => null)) ?? stored;
    if (now.passkey) setAsked(now);
    else save(now, now.keyFile);
  });
  return (
    <>
      <Button {...(size && { size })} onClick={() => void begin.run()}>{label}</Button>
      {asked?.passkey && <CopyDialog core={core} stored={asked} passkey={asked.passkey} onClose={() => setAsked(null)} />}
    </>
  );
}

interface CopyDialogProps {
  core: Core;
  stored: StoredKey;
  passkey: NonNullable<StoredKey["passkey"]>;
  onClose: () => void;
}

function CopyDialog({ core, stored, passkey, onClose }: CopyDialogProps) {
  const secret = useNewSecret();
  const seal = useTask(async () => {
    const copy = await core.changePassphrase(stored.keyFile, await passkeySecret(passkey), secret.passphrase);
    save(stored, copy);
    return copy;
  });
  const copy = seal.result;
  if (copy !== undefined) {
    return (
      <Dialog
        title={text.keyFile.title}
        onClose={onClose}
        actions={
          <>
            <Button onClick={() => save(stored, copy)}>{text.keyFile.again}</Button>
            <Button variant="primary" onClick={onClose}>{text.ui.close}</Button>
          </>
        }
      >
        <Notice kind="good" live title={text.keyFile.saved}>{text.keyFile.savedBody}</Notice>
      </Dialog>
    );
  }
  return (
    <Dialog title={text.keyFile.title} onClose={onClose}>
      <Form onSubmit={() => secret.check() && void seal.run()}>
        <p>{text.keyFile.lead}</p>
        <NewPassphrase secret={secret} />
        <FaultNotice error={seal.error} />
        {seal.busy && <Notice live>{text.keyFile.working}</Notice>}
        <div class="actions">
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button variant="primary" type="submit" busy={seal.busy}>{text.keyFile.save}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

function save({ address }: StoredKey, keyFile: string): void {
  download(`medlock-${address.slice(2, 10)}.key`, new Blob([keyFile], { type: "application/json" }));
}
