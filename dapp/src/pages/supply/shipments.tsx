import { useState } from "preact/hooks";
import type { Hex, Shipment } from "../../core/core";
import { own } from "../../own";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address, Button, Card, DocumentIcon, Empty, FaultNotice, PageTitle, Spinner, Tabs, Tag, Time, TransactionDialog, useLoaded } from "../../ui";
import { Unregistered, useOwnRoles, type OwnRoles } from "../registered";
import { CheckDocument, useDocument, type Anchored } from "./document";
import { TRADERS } from "./fields";
import "../../style/area.css";

type Way = "in" | "out";
type Act = "accept" | "refuse" | "withdraw";

export function Shipments() {
  const words = text.supply;
  const { core, names } = useSession();
  const [way, setWay] = useState<Way>("in");
  const [doing, setDoing] = useState<{ shipment: Shipment; act: Act } | null>(null);
  const [checking, setChecking] = useState<Anchored | null>(null);
  const loaded = useLoaded(() => core.shipments(way === "out", false), [way, useIndexed()]);
  const roles = useOwnRoles();
  const newest = [...(loaded.result ?? [])].reverse();
  const acts: Act[] = way === "in" ? ["accept", "refuse"] : ["withdraw"];
  return (
    <>
      <PageTitle title={words.shipments}>{words.shipmentsLead}</PageTitle>
      <Tabs label={words.shipments} selected={way} onSelect={setWay} tabs={[{ id: "in", label: words.toUs }, { id: "out", label: words.fromUs }]}>
        <div class="stack">
          <FaultNotice error={loaded.error} onRetry={() => void loaded.run()} />
          {loaded.result === undefined && loaded.error === null && <Spinner />}
          {loaded.result && newest.length === 0 && <Empty icon={<DocumentIcon size={28} />} title={way === "in" ? words.noneIn : words.noneOut} />}
          {newest.map((shipment) => {
            const other = (way === "in" ? shipment.sender : shipment.receiver) as Hex;
            const title = words.shipment(shipment.shipment);
            const document = (shipment.document ?? null) as Hex | null;
            return (
              <Card
                key={shipment.shipment} title={title}
                aside={<Tag kind={shipment.state === "accepted" ? "good" : shipment.state === "open" ? "accent" : "warning"}>{own(words.states, shipment.state) ?? shipment.state}</Tag>}
              >
                <p>{way === "in" ? words.from : words.to} <Address address={other} name={names.get(other)} /></p>
                <p class="muted small">
                  {own(words.transfers, shipment.kind) ?? shipment.kind} · {words.unitCount(shipment.units.length)} · <Time at={shipment.offered_at} show="time" />
                </p>
                {document !== null && (
                  <div class="row">
                    <span>{words.document} <Address address={document} /></span>
                    <Button size="small" label={words.checkDocumentOf(title)} onClick={() => setChecking({ digest: document, of: title })}>
                      {words.checkDocument}
                    </Button>
                  </div>
                )}
                {shipment.state === "open" && (
                  <div class="row">
                    {acts.map((act) => (
                      <Button
                        key={act} variant={act === "accept" ? "primary" : "plain"} label={words.actOf(words.acts[act].name, shipment.shipment)}
                        onClick={() => setDoing({ shipment, act })}
                      >
                        {words.acts[act].name}
                      </Button>
                    ))}
                  </div>
                )}
              </Card>
            );
          })}
        </div>
      </Tabs>
      {doing !== null && <Step {...doing} roles={roles} onClose={() => setDoing(null)} />}
      {checking !== null && <CheckDocument anchored={[checking]} onClose={() => setChecking(null)} />}
    </>
  );
}

interface StepProps {
  shipment: Shipment;
  act: Act;
  roles: OwnRoles;
  onClose: () => void;
}

function Step({ shipment: { shipment }, act, roles, onClose }: StepProps) {
  const words = text.supply;
  const { core } = useSession();
  const document = useDocument(false);
  return (
    <TransactionDialog
      title={words.actOf(words.acts[act].name, shipment)} confirm={words.acts[act].name} danger={act !== "accept"} waits={!document.ready}
      summary={
        <div class="stack">
          {act === "accept" && <Unregistered roles={roles} needed={TRADERS}>{words.notReceiver}</Unregistered>}
          <p>{words.acts[act].summary}</p>
          {act === "accept" && document.field}
        </div>
      }
      act={(watch) => core.stepShipment(shipment, act, document.digest, watch)} onClose={onClose}
    />
  );
}
