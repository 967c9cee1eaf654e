// Where this browser keeps key files, and passkeys that open them. A key file is sealed: by a passphrase, or by the secret that a passkey's
// authenticator makes of a salt (WebAuthn's `prf` extension), which takes a passphrase's place.
import { CoreError, type Hex, known } from "./core";
import { type Place, settled, within } from "./database";

export interface StoredKey {
  address: Hex;
  keyFile: string;
  name: string;
  wallet: Hex | null;
  passkey: null | { credentialId: string; salt: string };
}

export const KEYS: Place = {
  database: "medlock",
  store: "keys",
  make: (database) => database.createObjectStore("keys", { keyPath: "address" }),
};

export function listKeys(): Promise<StoredKey[]> {
  return within(KEYS, "readonly", (store) => settled<StoredKey[]>(store.getAll()));
}

export async function saveKey(key: StoredKey): Promise<void> {
  await within(KEYS, "readwrite", (store) => settled(store.put(key)));
  // Best effort, and not waited for: some browsers ask their user.
  void navigator.storage?.persist?.().catch(() => {});
}

export async function removeKey(address: Hex): Promise<void> {
  await within(KEYS, "readwrite", (store) => settled(store.delete(address)));
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

export async function passkeySupported(): Promise<boolean> {
  // A passkey belongs to a name: not to an address, as `medlock dev` has it.
  if (!window.PublicKeyCredential || /^[\d.]+$|^\[/.test(location.hostname)) return false;
  const asked = PublicKeyCredential as unknown as { getClientCapabilities?(): Promise<Record<string, boolean>> };
  const can = await asked.getClientCapabilities?.().catch(() => undefined);
  return (can?.["extension:prf"] ?? false) && (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable());
}

/** Makes a passkey, and has it give its secret once. */
export async function createPasskey(name: string): Promise<{ credentialId: string; salt: string; secret: string }> {
  const salt = random(32);
  const credential = (await navigator.credentials.create({
    publicKey: {
      rp: { name: "Medlock" },
      user: { id: random(16), name, displayName: name },
      // What is signed here is checked by nobody: the passkey is for its secret.
      challenge: random(32),
      pubKeyCredParams: [
        { type: "public-key", alg: -7 },
        { type: "public-key", alg: -257 },
      ],
      authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      extensions: { prf: {} },
    },
  })) as PublicKeyCredential | null;
  if (!credential?.getClientExtensionResults().prf?.enabled) throw new CoreError(known("usage", "passkey-cannot"));
  const passkey = { credentialId: hex(new Uint8Array(credential.rawId)), salt: hex(salt) };
  return { ...passkey, secret: await passkeySecret(passkey) };
}

export async function passkeySecret(passkey: { credentialId: string; salt: string }): Promise<string> {
  const credential = (await navigator.credentials.get({
    publicKey: {
      challenge: random(32),
      allowCredentials: [{ type: "public-key", id: unhex(passkey.credentialId) }],
      userVerification: "required",
      extensions: { prf: { eval: { first: unhex(passkey.salt) } } },
    },
  })) as PublicKeyCredential | null;
  const secret = credential?.getClientExtensionResults().prf?.results?.first;
  if (!secret) throw new CoreError(known("usage", "passkey-without-secret"));
  const bytes = secret instanceof ArrayBuffer ? new Uint8Array(secret) : new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength);
  return hex(bytes);
}
