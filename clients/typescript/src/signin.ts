// Sign-in with Ethereum (EIP-4361): what is put before the signer is looked at first.

/** Who signs in. viem's `LocalAccount` is one; `ofProvider` makes one of a wallet. */
export interface Signer {
  readonly address: `0x${string}`;
  /** Signs by EIP-191 (`personal_sign`): 65 bytes, hex. */
  signMessage(parameters: { message: string }): Promise<`0x${string}`>;
}

/** A wallet (EIP-1193). */
export interface Provider {
  // Wallets type their methods and parameters, each in its own way.
  request(call: any): Promise<any>;
}

/** The account `address` of a wallet, which asks its owner. */
export function ofProvider(provider: Provider, address: `0x${string}`): Signer {
  const signMessage = async ({ message }: { message: string }) => {
    const bytes = Array.from(new TextEncoder().encode(message), (byte) => byte.toString(16).padStart(2, "0"));
    return await provider.request({ method: "personal_sign", params: [`0x${bytes.join("")}`, address] });
  };
  return { address, signMessage };
}

const STATEMENT = "Sign in to this Medlock gateway. This moves no money and grants nobody access.";
/** How long a message may be good for. Gateways give theirs minutes; the rest is for clocks that differ. */
const GOOD_FOR_MS = 3_600_000;

/**
 * Throws unless `message` is the sign-in of `account` to the gateway at `url`, on its chain, for the next minutes, and nothing else: a
 * gateway could hand out another site's message to have it signed here.
 */
export function checkChallenge(message: string, url: string, account: string, chainId: number, nowMs: number): void {
  const lines = message.split("\n");
  const nonce = lines[8]?.match(/^Nonce: ([0-9A-Za-z]{8,64})$/)?.[1];
  const [issued, expires] = [time(lines[9], "Issued At: "), time(lines[10], "Expiration Time: ")];
  // Addresses are compared without regard to case, which is a checksum.
  const address = lines[1]?.toLowerCase() === account.toLowerCase() ? lines[1] : undefined;
  const expected = [
    `${new URL(url).host} wants you to sign in with your Ethereum account:`,
    address,
    "",
    STATEMENT,
    "",
    `URI: ${url}`,
    "Version: 1",
    `Chain ID: ${chainId}`,
    `Nonce: ${nonce}`,
    lines[9],
    lines[10],
  ];
  const isOurs = address !== undefined && nonce !== undefined && message === expected.join("\n");
  if (!isOurs || issued === undefined || expires === undefined || expires > nowMs + GOOD_FOR_MS) {
    throw new Error("the gateway's challenge is not a sign-in of this account to this gateway; it was not signed");
  }
}

function time(line: string | undefined, prefix: string): number | undefined {
  const text = line?.startsWith(prefix) ? line.slice(prefix.length) : "";
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) : undefined;
}
