import { useState } from "preact/hooks";
import type { Core, Me } from "../../core/core";
import type { StoredKey } from "../../core/vault";
import { text } from "../../text";
import { BackIcon, Button, EyeIcon, LockIcon, LogoIcon, PageTitle, ShareIcon } from "../../ui";
import { Create } from "./create";
import { Restore } from "./restore";

export interface WelcomeProps {
  core: Core;
  onOpened: (me: Me, key: StoredKey) => void;
  /** A new key, which is open too; its words are to be shown. */
  onMade: (me: Me, key: StoredKey, words: string[]) => void;
  /** Back to the keys that are here already. */
  onBack: (() => void) | null;
}

type Step = "intro" | "create" | "restore";

const icons = [LockIcon, ShareIcon, EyeIcon];

export function Welcome({ core, onOpened, onMade, onBack }: WelcomeProps) {
  const [step, setStep] = useState<Step>("intro");
  if (step !== "intro") {
    return (
      <main class="gate">
        <div class="panel stack loose">
          <div><Button variant="bare" onClick={() => setStep("intro")}><BackIcon />{text.ui.back}</Button></div>
          {step === "create" ? <Create core={core} onMade={onMade} /> : <Restore core={core} onOpened={onOpened} />}
        </div>
      </main>
    );
  }
  return (
    <main class="gate">
      <div class="panel wide stack loose">
        {onBack && <div><Button variant="bare" onClick={onBack}><BackIcon />{text.ui.back}</Button></div>}
        <div class="hero">
          <span class="brand"><LogoIcon size={36} />{text.app.name}</span>
          <PageTitle title={text.welcome.title} />
          <p class="large muted">{text.welcome.lead}</p>
          <div class="row">
            <Button variant="primary" onClick={() => setStep("create")}>{text.welcome.start}</Button>
            <Button onClick={() => setStep("restore")}>{text.welcome.restore}</Button>
          </div>
        </div>
        <ul role="list" class="grid">
          {text.welcome.points.map((point, at) => {
            const Icon = icons[at] ?? LockIcon;
            return (
              <li key={point.title} class="card point">
                <span class="mark"><Icon /></span>
                <h2>{point.title}</h2>
                <p class="muted">{point.body}</p>
              </li>
            );
          })}
        </ul>
      </div>
    </main>
  );
}
