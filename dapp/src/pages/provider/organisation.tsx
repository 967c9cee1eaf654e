// Who works for whom: an organisation's members, and the organisations that we are a member of.
import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { Hex, Membership } from "../../core/core";
import { isAddress } from "../../hex";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, Choice, Dialog, Empty, FaultNotice, Field, Form, FormEnd, Notice, PageTitle, PersonIcon, Spinner, Tag, Time,
  TransactionDialog, shortAddress, useLoaded, useTask,
} from "../../ui";
import { NameDialog } from "../name-dialog";
import { expiryOf, lengthName, type Length } from "../patient/terms";

export function Organisation() {
  const words = text.organisation;
  const { core, me } = useSession();
  const loaded = useLoaded(() => Promise.all([core.memberships(), core.party(me.address)]), [useIndexed()]);
  const [memberships, party] = loaded.result ?? [[], null];
  const isOrganisation = party?.credential?.current === true && party.credential.roles.includes("organisation");
  const members = memberships.filter((one) => one.organisation === me.address);
  const employers = memberships.filter((one) => one.member === me.address);
  return (
    <>
      <PageTitle title={words.title}>{words.lead}</PageTitle>
      <div class="stack">
        <FaultNotice error={loaded.error} onRetry={() => void loaded.run()} />
        {party === null && loaded.error === null && <Spinner />}
        {party !== null && !isOrganisation && employers.length === 0 && (
          <Empty icon={<PersonIcon size={28} />} title={words.none}>
            <p>{words.noneHelp}</p>
            <Address address={me.address} />
          </Empty>
        )}
        {employers.length > 0 && <Employers employers={employers} />}
        {(isOrganisation || members.length > 0) && (
          <Members members={members} mayAdd={isOrganisation} onChanged={() => void loaded.run()} />
        )}
      </div>
    </>
  );
}

/** Whom to work for: one's own shares, or an organisation's. */
function Employers({ employers }: { employers: Membership[] }) {
  const words = text.organisation;
  const { names, organisation, actFor } = useSession();
  const choose = useTask(actFor);
  const [naming, setNaming] = useState<Hex | null>(null);
  return (
    <Card title={words.workFor}>
      <fieldset>
        <legend class="unseen">{words.workFor}</legend>
        <Choice
          name="organisation" label={words.forMyself} hint={words.forMyselfHint} checked={organisation === null}
          onChange={() => void choose.run(null)}
        />
        {employers.map((one) => (
          <Choice
            key={one.organisation} name="organisation" checked={organisation === one.organisation} disabled={!one.inForce || !one.hasKeys}
            label={names.get(one.organisation) ?? words.unnamed(shortAddress(one.organisation))}
            hint={!one.inForce ? words.ended : !one.hasKeys ? words.noKeysYet : one.expiry === 0 ? words.noEnd : <>{words.until} <Time at={one.expiry} /></>}
            onChange={() => void choose.run(one.organisation)}
          />
        ))}
      </fieldset>
      <FaultNotice error={choose.error} />
      <ul role="list" class="row">
        {employers.map((one) => (
          <li key={one.organisation}>
            <Button size="small" onClick={() => setNaming(one.organisation)}>
              {words.name(names.get(one.organisation) ?? shortAddress(one.organisation))}
            </Button>
          </li>
        ))}
      </ul>
      {naming !== null && (
        <NameDialog
          of={naming} title={words.name(shortAddress(naming))} label={words.organisationName} hint={words.nameHint} save={text.shares.save}
          onClose={() => setNaming(null)}
        />
      )}
    </Card>
  );
}

function Members({ members, mayAdd, onChanged }: { members: Membership[]; mayAdd: boolean; onChanged: () => void }) {
  const words = text.organisation;
  const { core, names } = useSession();
  const [adding, setAdding] = useState<Membership | "new" | null>(null);
  const [removing, setRemoving] = useState<Membership | null>(null);
  const seal = useTask(() => core.sealToMembers());
  const without = members.filter((one) => one.inForce && !one.hasKeys);
  const nameOf = (member: Hex) => names.get(member) ?? words.unnamedMember(shortAddress(member));
  return (
    <Card
      title={words.members}
      aside={mayAdd && <Button variant="primary" onClick={() => setAdding("new")}>{words.add}</Button>}
    >
      <p class="muted">{words.membersLead}</p>
      {members.length === 0 && <p>{words.noMembers}</p>}
      {without.length > 0 && (
        <Notice kind="warning" title={words.without(without.length)}>
          <p>{words.withoutHelp}</p>
          <Button size="small" busy={seal.busy} onClick={() => void seal.run().then(onChanged)}>{words.seal}</Button>
        </Notice>
      )}
      <FaultNotice error={seal.error} />
      {seal.result !== undefined && seal.result.waiting.length > 0 && (
        <Notice kind="warning" live>{words.waiting(seal.result.waiting.map(nameOf))}</Notice>
      )}
      <ul role="list" class="member-list">
        {members.map((one) => (
          <li key={one.member}>
            <div class="grow">
              <Address address={one.member} name={names.get(one.member)} />
              <p class="muted small">{one.expiry === 0 ? words.noEnd : <>{words.until} <Time at={one.expiry} /></>}</p>
            </div>
            <Tag kind={!one.inForce ? "bad" : one.hasKeys ? "good" : "warning"}>
              {!one.inForce ? words.ended : one.hasKeys ? words.works : words.noKeys}
            </Tag>
            {mayAdd && <Button size="small" label={words.changeOf(nameOf(one.member))} onClick={() => setAdding(one)}>{words.change}</Button>}
            <Button size="small" variant="danger" label={words.removeOf(nameOf(one.member))} onClick={() => setRemoving(one)}>
              {words.remove}
            </Button>
          </li>
        ))}
      </ul>
      {adding !== null && (
        <Add member={adding === "new" ? null : adding.member} onDone={onChanged} onClose={() => setAdding(null)} />
      )}
      {removing !== null && (
        <TransactionDialog
          title={words.removeOf(nameOf(removing.member))} danger confirm={words.remove}
          summary={words.removeSummary(nameOf(removing.member))}
          details={[{ label: words.limit, value: words.limitValue }]}
          act={(watch) => core.removeMember(removing.member, watch)}
          outcome={() => <Notice kind="warning">{words.removed}</Notice>}
          onDone={onChanged} onClose={() => setRemoving(null)}
        />
      )}
    </Card>
  );
}

const LENGTHS: readonly Length[] = ["30", "90", "365", "none", "date"];

function Add({ member, onDone, onClose }: { member: Hex | null; onDone: () => void; onClose: () => void }) {
  const words = text.organisation;
  const { core, me, names } = useSession();
  const [address, setAddress] = useState<string>(member ?? "");
  const [name, setName] = useState(member === null ? "" : (names.get(member) ?? ""));
  const [length, setLength] = useState<Length>("365");
  const [date, setDate] = useState("");
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState<{ member: Hex; expiry: number } | null>(null);
  const to = address.trim().toLowerCase();
  const expiry = expiryOf(length, date, now());
  const wrong = !isAddress(to) ? words.addressWrong : to === me.address ? words.addressOwn : null;
  if (asked !== null) {
    const who = name.trim() || shortAddress(asked.member);
    return (
      <TransactionDialog
        title={member === null ? words.add : words.changeOf(who)} confirm={words.addDo}
        summary={words.addSummary(who)}
        details={[
          { label: words.until, value: asked.expiry === 0 ? words.noEnd : <Time at={asked.expiry} /> },
          { label: words.gets, value: words.getsValue },
        ]}
        act={(watch) => core.setMember(asked.member, asked.expiry, watch)}
        onDone={() => {
          if (name.trim() !== "") names.set(asked.member, name.trim());
          onDone();
        }}
        onClose={onClose}
      />
    );
  }
  const review = () => {
    setTried(true);
    if (wrong === null && expiry !== null) setAsked({ member: to as Hex, expiry });
  };
  return (
    <Dialog title={member === null ? words.add : words.change} onClose={onClose}>
      <Form onSubmit={review}>
        {member === null && (
          <Field label={words.address} hint={words.addressHint} value={address} onInput={setAddress} error={tried ? wrong : null} focus />
        )}
        <Field label={words.memberName} hint={words.nameHint} value={name} onInput={setName} optional />
        <Field
          label={words.howLong} type="select" value={length} onInput={(value) => setLength(value as Length)}
          options={LENGTHS.map((value) => ({ value, label: lengthName(value) }))}
        />
        {length === "date" && (
          <Field label={words.lastDay} type="date" value={date} onInput={setDate} error={tried && expiry === null ? text.share.dateWrong : null} />
        )}
        <FormEnd onClose={onClose} />
      </Form>
    </Dialog>
  );
}

/** Above every provider page: in whose name one acts must never be a surprise. */
export function ActingFor() {
  const words = text.organisation;
  const { names, organisation, actFor } = useSession();
  const stop = useTask(() => actFor(null));
  if (organisation === null) return null;
  return (
    <div class="acting no-print" role="status">
      <span>{words.actingFor(names.get(organisation) ?? shortAddress(organisation))}</span>
      <Button size="small" busy={stop.busy} onClick={() => void stop.run()}>{words.stopActing}</Button>
    </div>
  );
}
