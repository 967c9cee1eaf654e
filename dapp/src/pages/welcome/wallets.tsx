import { useEffect, useState } from "preact/hooks";
import { CoreError, type Hex, type Wallet } from "../../core/core";
import { discoverWallets } from "../../core/wallet";
import { text } from "../../text";
import { Address, Choice, FaultNotice, WalletIcon, useTask } from "../../ui";

type FoundWallet = Parameters<Parameters<typeof discoverWallets>[0]>[0];

/** Those that announce themselves (EIP-6963). Their icons are not shown: they would be pictures of anybody's. */
export function useWallets(): FoundWallet[] {
  const [wallets, setWallets] = useState<FoundWallet[]>([]);
  useEffect(
    () => discoverWallets((found) => setWallets((before) => (before.some((one) => one.uuid === found.uuid) ? before : [...before, found]))),
    [],
  );
  return wallets;
}

/** Several wallets may be there: the one that has the account. */
export async function walletOf(account: Hex, wallets: FoundWallet[]): Promise<Wallet> {
  if (wallets.length === 0) throw new CoreError({ kind: "usage", message: text.unlock.noWallet, reason: null });
  for (const found of wallets) {
    const wallet = await found.connect();
    if (wallet.address.toLowerCase() === account.toLowerCase()) return wallet;
  }
  throw new CoreError({ kind: "usage", message: text.unlock.otherAccount, reason: null });
}

export function WalletChoice({ wallet, onChange }: { wallet: Wallet | null; onChange: (wallet: Wallet | null) => void }) {
  const wallets = useWallets();
  const [chosen, setChosen] = useState<string | null>(null);
  const connect = useTask(async (found: FoundWallet) => {
    onChange(await found.connect());
    setChosen(found.uuid);
  });
  if (wallets.length === 0) return null;
  return (
    <fieldset class="stack tight">
      <legend>{text.create.wallet}</legend>
      <p class="hint muted small">{text.create.walletHint}</p>
      <div class="choices">
        <Choice
          name="wallet" label={text.create.noWallet} checked={chosen === null}
          onChange={() => {
            setChosen(null);
            onChange(null);
          }}
        />
        {wallets.map((found) => (
          <Choice
            key={found.uuid} name="wallet" label={found.name} icon={<WalletIcon size={16} />} checked={chosen === found.uuid}
            disabled={connect.busy} onChange={() => void connect.run(found)}
          />
        ))}
      </div>
      {wallet && <p class="small" role="status">{text.create.walletConnected}: <Address address={wallet.address} /></p>}
      <FaultNotice error={connect.error} />
    </fieldset>
  );
}
