import type { Party } from "../core/core";
import { own } from "../own";
import { text } from "../text";
import { Notice, Tag } from "./blocks";
import { CheckIcon, WarningIcon } from "./icons";
import { Time } from "./time";

/** A key that others may seal to. */
export function hasKey(party: Party): boolean {
  return party.key !== undefined && party.key !== null && party.key.revoked_at === 0;
}

/** What the public register says of an account. */
export function PartyFacts({ party }: { party: Party }) {
  const { credential } = party;
  return (
    <div class="stack tight">
      {credential ? (
        <>
          <div class="row">
            {credential.roles.map((role) => <Tag key={role} kind="accent">{own(text.party.roles, role) ?? text.party.other}</Tag>)}
            <Tag kind={credential.current ? "good" : "warning"}>
              {credential.current ? <CheckIcon size={14} /> : <WarningIcon size={14} />}
              {credential.current ? text.party.current : text.party.notCurrent}
            </Tag>
          </div>
          {credential.current && credential.expiry !== 0 && <p class="small muted">{text.party.until} <Time at={credential.expiry} /></p>}
        </>
      ) : (
        <Notice kind="warning" title={text.party.none}>{text.party.noneHelp}</Notice>
      )}
      {hasKey(party)
        ? <div><Tag kind="good"><CheckIcon size={14} />{text.party.hasKey}</Tag></div>
        : <Notice kind="bad" title={text.party.noKey}>{text.party.noKeyHelp}</Notice>}
    </div>
  );
}
