import { useState } from "preact/hooks";
import type { Hex } from "../core/core";
import { useNames } from "../state/names";
import { Dialog, Field, Form, FormEnd } from "../ui";

export interface NameDialogProps {
  /** An account or a chart. */
  of: Hex;
  title: string;
  label: string;
  hint: string;
  save: string;
  /** Where it has no name yet. */
  suggestion?: string;
  onClose: () => void;
}

/** What we call somebody: this browser alone keeps it, for this account. */
export function NameDialog({ of, title, label, hint, save, suggestion = "", onClose }: NameDialogProps) {
  const names = useNames();
  const [name, setName] = useState(names.get(of) ?? suggestion);
  const keep = () => {
    names.set(of, name);
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <Form onSubmit={keep}>
        <Field label={label} hint={hint} value={name} onInput={setName} focus />
        <FormEnd label={save} onClose={onClose} />
      </Form>
    </Dialog>
  );
}
