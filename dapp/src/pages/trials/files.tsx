// Choosing the files of a trial.
import { useId, useState } from "preact/hooks";
import type { TrialFiles } from "../../core/core";
import { text } from "../../text";
import { Notice } from "../../ui";
import { FileField } from "../file-field";
import { bytesOf, planFault } from "./documents";

interface OneFileProps {
  label: string;
  hint?: string;
  accept?: string;
  error?: string | null;
  onFile: (file: File | null) => void;
}

export function OneFile({ error, onFile, ...field }: OneFileProps) {
  return (
    <>
      <FileField {...field} onFiles={([file]) => onFile(file ?? null)} />
      {error && <Notice kind="bad" live>{error}</Notice>}
    </>
  );
}

/** A folder, with everything that is below it. */
export function FolderField({ label, hint, onFiles }: { label: string; hint: string; onFiles: (files: File[]) => void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="hint" id={`${id}-hint`}>{hint}</div>
      <input
        id={id}
        class="input"
        type="file"
        multiple
        // Preact's types do not have it.
        ref={(element) => {
          if (element) element.webkitdirectory = true;
        }}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onFiles([...(event.currentTarget.files ?? [])])}
      />
    </div>
  );
}

type Part = keyof TrialFiles;
const NONE = { protocol: null, plan: null, form: null };

/** The three files of a version: their fields, and their bytes once they are as they should be. */
export function useVersionFiles() {
  const words = text.trials;
  const [chosen, setChosen] = useState<Record<Part, File | null>>(NONE);
  const [wrong, setWrong] = useState<Record<Part, string | null>>(NONE);
  const take = (part: Part) => (file: File | null) => {
    setChosen((before) => ({ ...before, [part]: file }));
    setWrong((before) => ({ ...before, [part]: null }));
  };
  const read = async (): Promise<TrialFiles | null> => {
    const { protocol, plan, form } = chosen;
    const missing = (file: File | null) => (file === null ? words.fileMissing : null);
    const planWrong = plan === null ? words.fileMissing : await planFault(plan);
    setWrong({ protocol: missing(protocol), plan: planWrong, form: missing(form) });
    if (protocol === null || plan === null || form === null || planWrong !== null) return null;
    return { protocol: await bytesOf(protocol), plan: await bytesOf(plan), form: await bytesOf(form) };
  };
  const fields = (
    <>
      <OneFile label={words.protocol} error={wrong.protocol} onFile={take("protocol")} />
      <OneFile label={words.plan} hint={words.planHint} accept=".json,application/json" error={wrong.plan} onFile={take("plan")} />
      <OneFile label={words.form} hint={words.formHint} error={wrong.form} onFile={take("form")} />
    </>
  );
  const names = Object.entries(chosen).map(([part, file]) => ({ label: words[part as Part], value: file?.name ?? "" }));
  return { fields, read, names };
}
