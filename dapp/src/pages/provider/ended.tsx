import { text } from "../../text";
import { CopyButton, Notice } from "../../ui";

/** In the place of what was opened. */
export function Ended() {
  const words = text.provider;
  return (
    <Notice kind="bad" live title={words.noLongerShared}>
      {words.noLongerSharedHelp}
    </Notice>
  );
}

/** Beside what somebody was writing: it stays, to be copied. */
export function Unsaved({ written }: { written: string }) {
  const words = text.provider;
  return (
    <Notice kind="bad" live title={words.unsaved}>
      <p>{words.unsavedHelp}</p>
      {written.trim() !== "" && <CopyButton value={written}>{words.copyWritten}</CopyButton>}
    </Notice>
  );
}
