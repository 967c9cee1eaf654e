// What a key file is locked with: a passphrase, or what a passkey gives out in its place.
import { useEffect, useState } from "preact/hooks";
import { createPasskey, passkeySupported, type StoredKey } from "../../core/vault";
import { text } from "../../text";
import { Choice, Field } from "../../ui";

const LENGTH_MIN = 8;

export interface NewSecretState {
  how: "passphrase" | "passkey";
  setHow: (how: "passphrase" | "passkey") => void;
  supported: boolean;
  passphrase: string;
  setPassphrase: (passphrase: string) => void;
  again: string;
  setAgain: (again: string) => void;
  /** Problems are shown once somebody tried. */
  errors: { passphrase: string | null; again: string | null };
  check(): boolean;
  make(name: string): Promise<{ secret: string; passkey: StoredKey["passkey"] }>;
}

export function useNewSecret(): NewSecretState {
  const [how, setHow] = useState<"passphrase" | "passkey">("passphrase");
  const [supported, setSupported] = useState(false);
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [tried, setTried] = useState(false);
  useEffect(() => void passkeySupported().then(setSupported, () => setSupported(false)), []);
  const short = [...passphrase].length < LENGTH_MIN;
  const differs = passphrase !== again;
  return {
    how, setHow, supported, passphrase, setPassphrase, again, setAgain,
    errors: {
      passphrase: tried && short ? text.create.tooShort : null,
      again: tried && !short && differs ? text.create.differs : null,
    },
    check: () => {
      setTried(true);
      return how === "passkey" || (!short && !differs);
    },
    make: async (name) => {
      if (how === "passphrase") return { secret: passphrase, passkey: null };
      const { secret, ...passkey } = await createPasskey(name.trim() || text.app.name);
      return { secret, passkey };
    },
  };
}

export function NewSecret({ secret }: { secret: NewSecretState }) {
  return (
    <>
      {secret.supported && (
        <fieldset class="stack tight">
          <legend>{text.create.how}</legend>
          <div class="choices">
            <Choice
              name="how" label={text.create.passphrase} hint={text.create.passphraseHint}
              checked={secret.how === "passphrase"} onChange={() => secret.setHow("passphrase")}
            />
            <Choice
              name="how" label={text.create.passkey} hint={text.create.passkeyHint}
              checked={secret.how === "passkey"} onChange={() => secret.setHow("passkey")}
            />
          </div>
        </fieldset>
      )}
      {secret.how === "passphrase" && <NewPassphrase secret={secret} />}
    </>
  );
}

export function NewPassphrase({ secret }: { secret: NewSecretState }) {
  return (
    <>
      <Field
        label={text.create.newPassphrase} hint={text.create.newPassphraseHint} type="password" autocomplete="new-password"
        value={secret.passphrase} onInput={secret.setPassphrase} error={secret.errors.passphrase}
      />
      {secret.passphrase !== "" && <Strength passphrase={secret.passphrase} />}
      <Field
        label={text.create.confirm} type="password" autocomplete="new-password"
        value={secret.again} onInput={secret.setAgain} error={secret.errors.again}
      />
      <p class="small muted">{text.create.noReset}</p>
    </>
  );
}

/** A hint, not a measure: length counts for most, and different words and signs for some. */
function Strength({ passphrase }: { passphrase: string }) {
  const words = new Set(passphrase.toLowerCase().split(/[\s\-_.]+/).filter((word) => word.length > 2)).size;
  const signs = new Set(passphrase).size;
  const level =
    passphrase.length < LENGTH_MIN || signs < 5 ? 1
    : words >= 4 || (passphrase.length >= 14 && signs >= 9) ? 3
    : passphrase.length >= 11 ? 2
    : 1;
  const said = level === 3 ? text.create.strong : level === 2 ? text.create.fair : text.create.weak;
  return (
    <div class="strength">
      <meter min={0} max={3} low={2} high={3} optimum={3} value={level} aria-label={text.create.strength} />
      <span class="small" role="status">{said}</span>
    </div>
  );
}
