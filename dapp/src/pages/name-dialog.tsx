import { useState } from "preact/hooks";
import type { Hex } from "../core/core";
import { useNames } from "../state/names";
import { text } from "../text";
import { Button, Dialog, Field, Form } from "../ui";

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

/** What we call somebody, which this browser alone keeps. */
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
        <div class="row end">
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button variant="primary" type="submit">{save}</Button>
        </div>
      </Form>
    </Dialog>
  );
}
