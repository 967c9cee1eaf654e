// Wallets of this browser (EIP-6963), each known by what it says of itself.
import { CoreError, type Hex, known, type Wallet } from "./core";

export interface FoundWallet {
  uuid: string;
  name: string;
  /** A data: URL, shown as an image and never followed. */
  icon: string;
  /** Asks its user for an account. */
  connect(): Promise<Wallet>;
}

interface Announced {
  info: { uuid: string; name: string; icon: string };
  provider: Wallet["provider"];
}

/** Tells of each wallet once, those that come later included, until what it gives is called. */
export function discoverWallets(onFound: (wallet: FoundWallet) => void): () => void {
  const known = new Set<string>();
  const hear = (event: Event) => {
    const { info, provider } = (event as CustomEvent<Announced>).detail;
    if (known.has(info.uuid)) return;
    known.add(info.uuid);
    const icon = info.icon.startsWith("data:image/") ? info.icon : "";
    onFound({ uuid: info.uuid, name: info.name, icon, connect: () => connect(provider) });
  };
  addEventListener("eip6963:announceProvider", hear);
  dispatchEvent(new Event("eip6963:requestProvider"));
  return () => removeEventListener("eip6963:announceProvider", hear);
}

async function connect(provider: Wallet["provider"]): Promise<Wallet> {
  const accounts = (await provider.request({ method: "eth_requestAccounts" })) as Hex[];
  const address = accounts[0]?.toLowerCase() as Hex | undefined;
  if (!address) throw new CoreError(known("usage", "no-wallet-account"));
  return { address, provider };
}
