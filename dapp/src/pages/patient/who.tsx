import type { Hex } from "../../core/core";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address } from "../../ui";

/** An account, by the name that the person gave it. */
export function Who({ address }: { address: Hex }) {
  const { me, names } = useSession();
  return <Address address={address} name={address === me.address ? text.ui.you : names.get(address)} />;
}
