import { useState } from "preact/hooks";
import type { Core, Me, Wallet } from "../../core/core";
import { saveKey, type StoredKey } from "../../core/vault";
import { text } from "../../text";
import { Button, Card, FaultNotice, Field, Form, Notice, PageTitle, useTask } from "../../ui";
import { NewSecret, useNewSecret } from "./secret";
import { WalletChoice } from "./wallets";

export interface CreateProps {
  core: Core;
  onMade: (me: Me, key: StoredKey, words: string[]) => void;
}

export function Create({ core, onMade }: CreateProps) {
  const secret = useNewSecret();
  const [name, setName] = useState("");
  const [wallet, setWallet] = useState<Wallet | null>(null);
  const make = useTask(async () => {
    const { secret: passphrase, passkey } = await secret.make(name);
    const { keyFile, address, words } = await core.newKey(passphrase);
    const me = await core.unlock(keyFile, passphrase, wallet ?? undefined);
    const key: StoredKey = { address, keyFile, name: name.trim(), wallet: wallet?.address ?? null, passkey };
    await saveKey(key);
    onMade(me, key, words);
  });
  return (
    <>
      <PageTitle title={text.create.title}>{text.create.lead}</PageTitle>
      <Card>
        <Form onSubmit={() => secret.check() && void make.run()}>
          <Field label={text.create.name} hint={text.create.nameHint} optional value={name} onInput={setName} autocomplete="name" />
          <NewSecret secret={secret} />
          <WalletChoice wallet={wallet} onChange={setWallet} />
          <FaultNotice error={make.error} />
          {make.busy && <Notice live>{text.create.making}</Notice>}
          <Button variant="primary" type="submit" size="wide" busy={make.busy}>{text.create.make}</Button>
        </Form>
      </Card>
    </>
  );
}
