import { useId } from "preact/hooks";

export interface FileFieldProps {
  label: string;
  hint?: string;
  /** As the attribute has it. */
  accept?: string;
  multiple?: boolean;
  onFiles: (files: File[]) => void;
}

export function FileField({ label, hint, accept, multiple, onFiles }: FileFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <div class="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      <input
        id={id}
        class="input"
        type="file"
        accept={accept}
        multiple={multiple}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onFiles([...(event.currentTarget.files ?? [])])}
      />
    </div>
  );
}
