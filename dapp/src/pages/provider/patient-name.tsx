// What we call a chart: the name that we gave it, else the short form of its id.
import { useState } from "preact/hooks";
import type { Hex } from "../../core/core";
import { useNames } from "../../state/names";
import { text } from "../../text";
import { Button, Dialog, Field, Form, shortAddress } from "../../ui";

export function usePatientName(chart: Hex): string {
  return useNames().get(chart) ?? text.provider.unnamed(shortAddress(chart));
}

export function NameDialog({ chart, suggestion, onClose }: { chart: Hex; suggestion: string; onClose: () => void }) {
  const words = text.provider;
  const names = useNames();
  const [name, setName] = useState(names.get(chart) ?? suggestion);
  const save = () => {
    names.set(chart, name);
    onClose();
  };
  return (
    <Dialog
      title={words.rename}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button variant="primary" onClick={save}>
            {words.saveName}
          </Button>
        </>
      }
    >
      <Form onSubmit={save}>
        <Field label={words.patientName} hint={words.nameHint} value={name} onInput={setName} focus />
      </Form>
    </Dialog>
  );
}
