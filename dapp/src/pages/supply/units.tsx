// What we hold, by runs of packages, and what we may do with them.
import { useState } from "preact/hooks";
import type { HeldUnit, Hex, Packages } from "../../core/core";
import { isAddress } from "../../hex";
import { own } from "../../own";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, Dialog, DocumentIcon, Empty, FaultNotice, Field, Form, FormEnd, PageTitle, Spinner, Tag, TransactionDialog, shortAddress,
  useLoaded,
} from "../../ui";
import { Unregistered, useOwnRoles, type OwnRoles } from "../registered";
import { useDocument } from "./document";
import { Named, TRADERS } from "./fields";
import "../../style/area.css";

type Doing = { act: "offer" | "decommission"; unit: HeldUnit };

export function Units() {
  const words = text.supply;
  const { core } = useSession();
  const units = useLoaded(() => core.heldUnits(), [useIndexed()]);
  const roles = useOwnRoles();
  const [doing, setDoing] = useState<Doing | null>(null);
  return (
    <>
      <PageTitle title={words.units}>{words.unitsLead}</PageTitle>
      <div class="stack">
        <FaultNotice error={units.error} onRetry={() => void units.run()} />
        {units.result === undefined && units.error === null && <Spinner />}
        {units.result?.length === 0 && <Empty icon={<DocumentIcon size={28} />} title={words.noUnits} />}
        {units.result && units.result.length > 0 && (
          <Card>
            <ul role="list" class="member-list">
              {units.result.map((unit) => {
                const range = words.range(unit.unit, unit.to - 1);
                const isFree = !unit.shipment && !unit.decommissioned;
                return (
                  <li key={`${unit.batch}-${unit.unit}`}>
                    <div class="grow">
                      <strong>{range}</strong>
                      <p class="muted small">{words.unitOf(unit.gtin, unit.last_day)}</p>
                      <p class="muted small">{words.batch} <Address address={unit.batch as Hex} /></p>
                      {unit.recalls.map((recall) => (
                        <p key={`${recall.from}-${recall.at}`} class="small">
                          {words.unitRecalled(words.range(recall.from, recall.to - 1), own(words.classes, recall.class) ?? recall.class)}
                        </p>
                      ))}
                    </div>
                    {unit.recalls.length > 0 && <Tag kind="bad">{words.recalled}</Tag>}
                    {unit.expired && <Tag kind="bad">{words.unitExpired}</Tag>}
                    {unit.shipment && <Tag kind="accent">{words.inShipment(unit.shipment)}</Tag>}
                    {unit.decommissioned && <Tag kind="bad">{words.out(unit.decommissioned)}</Tag>}
                    {isFree && <Button size="small" label={words.offerOf(range)} onClick={() => setDoing({ act: "offer", unit })}>{words.offer}</Button>}
                    {isFree && (
                      <Button size="small" variant="danger" label={words.takeOutOf(range)} onClick={() => setDoing({ act: "decommission", unit })}>
                        {words.takeOut}
                      </Button>
                    )}
                  </li>
                );
              })}
            </ul>
          </Card>
        )}
      </div>
      {doing?.act === "offer" && <Offer unit={doing.unit} roles={roles} onClose={() => setDoing(null)} />}
      {doing?.act === "decommission" && <TakeOut unit={doing.unit} onClose={() => setDoing(null)} />}
    </>
  );
}

interface UnitProps {
  unit: HeldUnit;
  onClose: () => void;
}

/** Fields for some of a unit's packages; null: what stands there is none of them. */
function useRange(unit: HeldUnit) {
  const [first, setFirst] = useState(String(unit.unit));
  const [last, setLast] = useState(String(unit.to - 1));
  const number = (written: string) => (/^\d{1,9}$/.test(written.trim()) ? Number(written) : Number.NaN);
  const [from, to] = [number(first), number(last)];
  const isSound = from >= unit.unit && to < unit.to && from <= to;
  const packages: Packages | null = isSound ? { batch: unit.batch as Hex, first: from, last: to } : null;
  return { first, setFirst, last, setLast, packages };
}

function RangeFields({ range, unit, tried }: { range: ReturnType<typeof useRange>; unit: HeldUnit; tried: boolean }) {
  const words = text.supply;
  const wrong = tried && range.packages === null ? words.rangeWrong(unit.unit, unit.to - 1) : null;
  return (
    <>
      <Field label={words.first} value={range.first} onInput={range.setFirst} error={wrong} />
      <Field label={words.last} value={range.last} onInput={range.setLast} error={wrong} />
    </>
  );
}

function Offer({ unit, roles, onClose }: UnitProps & { roles: OwnRoles }) {
  const words = text.supply;
  const { core } = useSession();
  const range = useRange(unit);
  const [to, setTo] = useState("");
  const [back, setBack] = useState("sale");
  const [tried, setTried] = useState(false);
  const document = useDocument(tried);
  const [asked, setAsked] = useState<{ to: Hex; packages: Packages } | null>(null);
  const account = to.trim().toLowerCase();
  if (asked !== null) {
    return (
      <TransactionDialog
        title={words.offer} confirm={words.offerDo} summary={words.offerSummary}
        details={[
          { label: words.packages, value: words.range(asked.packages.first, asked.packages.last) },
          { label: words.to, value: <Address address={asked.to} /> },
          { label: words.kind, value: back === "return" ? words.transfers.return : words.transfers.sale },
          { label: words.document, value: document.digest ?? words.noDocument },
        ]}
        act={(watch) => core.ship(asked.to, asked.packages, back === "return", document.digest, watch)} onClose={onClose}
      />
    );
  }
  const next = () => {
    setTried(true);
    if (isAddress(account) && range.packages !== null && document.ready) setAsked({ to: account as Hex, packages: range.packages });
  };
  return (
    <Dialog title={words.offer} onClose={onClose}>
      <Unregistered roles={roles} needed={TRADERS}>{words.notSeller}</Unregistered>
      <Form onSubmit={next}>
        <Field label={words.receiver} hint={words.receiverHint} value={to} onInput={setTo} error={tried && !isAddress(account) ? words.receiverWrong : null} focus />
        <RangeFields range={range} unit={unit} tried={tried} />
        <Field
          label={words.kind} type="select" value={back} onInput={setBack}
          options={[{ value: "sale", label: words.transfers.sale }, { value: "return", label: words.transfers.return }]}
        />
        {document.field}
        <FormEnd onClose={onClose} />
      </Form>
    </Dialog>
  );
}

function TakeOut({ unit, onClose }: UnitProps) {
  const words = text.supply;
  const { core } = useSession();
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState(false);
  if (asked) {
    return (
      <TransactionDialog
        title={words.takeOut} confirm={words.takeOut} danger summary={words.takeOutSummary}
        details={[
          { label: words.packages, value: words.range(unit.unit, unit.to - 1) },
          { label: words.reason, value: own(words.decommissions, reason) },
        ]}
        act={(watch) => core.decommission(unit.batch as Hex, unit.unit, reason, watch)} onClose={onClose}
      />
    );
  }
  const next = () => {
    setTried(true);
    setAsked(reason !== "");
  };
  return (
    <Dialog title={words.takeOutOf(shortAddress(unit.batch as Hex))} onClose={onClose}>
      <Form onSubmit={next}>
        <Named label={words.reason} names={words.decommissions} value={reason} onInput={setReason} tried={tried} />
        <FormEnd onClose={onClose} />
      </Form>
    </Dialog>
  );
}
