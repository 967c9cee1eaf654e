// Parts of this area's forms.
import { text } from "../../text";
import { Field } from "../../ui";

/** Who sells and accepts packages. */
export const TRADERS = ["maker", "distributor", "pharmacy"] as const;

export interface NamedProps {
  label: string;
  names: Record<string, string>;
  value: string;
  onInput: (value: string) => void;
  tried: boolean;
}

/** One of the contract's terms. */
export function Named({ label, names, value, onInput, tried }: NamedProps) {
  const options = Object.entries(names).map(([one, name]) => ({ value: one, label: name }));
  return (
    <Field
      label={label} type="select" value={value} onInput={onInput} error={tried && value === "" ? text.supply.choose : null}
      options={[{ value: "", label: text.supply.choose }, ...options]}
    />
  );
}
