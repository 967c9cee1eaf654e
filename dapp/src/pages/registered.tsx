// What the public register has this account as, asked before a form is filled in: a ledger refuses whoever is not what it asks for.
import type { ComponentChildren } from "preact";
import { useSession } from "../state/session";
import { text } from "../text";
import { Notice, useLoaded } from "../ui";

type Role = "maker" | "distributor" | "pharmacy" | "regulator" | "sponsor" | "site";

/** Roles that are in force; null: not known. Of the account that signs, which these ledgers look at, whoever it acts for. */
export type OwnRoles = readonly string[] | null;

export function useOwnRoles(): OwnRoles {
  const { core, me } = useSession();
  const { result } = useLoaded(() => core.party(me.address), [me.address]);
  if (result === undefined) return null;
  return result.credential?.current ? result.credential.roles : [];
}

export interface UnregisteredProps {
  roles: OwnRoles;
  /** One of these is enough. */
  needed: readonly Role[];
  /** What the account is not, and what will be refused. */
  children: ComponentChildren;
}

/** Nothing where it may, or where the register could not be asked: the contract has the last word. */
export function Unregistered({ roles, needed, children }: UnregisteredProps) {
  const { organisation } = useSession();
  if (roles === null || needed.some((role) => roles.includes(role))) return null;
  return (
    <Notice kind="warning" live title={children}>
      <p>{text.party.askIssuer}</p>
      {organisation !== null && <p>{text.party.accountAlone}</p>}
    </Notice>
  );
}
