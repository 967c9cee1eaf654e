import { useRef } from "preact/hooks";
import { lockWarning } from "../state/autolock";
import { useStore } from "../state/store";
import { text } from "../text";
import { LockIcon } from "./icons";

/**
 * That it is about to lock itself. It takes no focus, so that nobody types into it; and each dialog has one of its own, as what is outside of an
 * open dialog can be neither reached nor heard.
 */
export function LockWarning() {
  const left = useStore(lockWarning);
  const before = useRef<EventTarget | null>(null);
  return (
    <div class={left === null ? undefined : "lock-warning no-print"}>
      {/* There before it has something to say, or screen readers would not say it. */}
      <div aria-live="assertive" aria-atomic="true">
        {left !== null && (
          <>
            <strong>{text.shell.lockSoon}</strong> {text.shell.lockSoonHelp}
          </>
        )}
      </div>
      {left !== null && (
        <div class="row apart">
          <span role="timer">{text.shell.lockLeft(left)}</span>
          {/* Any click keeps it open: this one gives the focus back, too. */}
          <button
            type="button" class="button small primary"
            onFocus={(event) => (before.current = event.relatedTarget)}
            onClick={() => before.current instanceof HTMLElement && before.current.focus()}
          >
            <LockIcon size={18} />
            {text.shell.stay}
          </button>
        </div>
      )}
    </div>
  );
}
