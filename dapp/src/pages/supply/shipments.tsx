import { useState } from "preact/hooks";
import type { Hex, Shipment } from "../../core/core";
import { own } from "../../own";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address, Button, Card, DocumentIcon, Empty, FaultNotice, PageTitle, Spinner, Tabs, Tag, Time, TransactionDialog, useLoaded } from "../../ui";
import "../../style/area.css";

type Way = "in" | "out";
type Act = "accept" | "refuse" | "withdraw";

export function Shipments() {
  const words = text.supply;
  const { core, names } = useSession();
  const [way, setWay] = useState<Way>("in");
  const [doing, setDoing] = useState<{ shipment: Shipment; act: Act } | null>(null);
  const loaded = useLoaded(() => core.shipments(way === "out", false), [way, useIndexed()]);
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
            return (
              <Card
                key={shipment.shipment} title={words.shipment(shipment.shipment)}
                aside={<Tag kind={shipment.state === "accepted" ? "good" : shipment.state === "open" ? "accent" : "warning"}>{own(words.states, shipment.state) ?? shipment.state}</Tag>}
              >
                <p>{way === "in" ? words.from : words.to} <Address address={other} name={names.get(other)} /></p>
                <p class="muted small">
                  {own(words.transfers, shipment.kind) ?? shipment.kind} · {words.unitCount(shipment.units.length)} · <Time at={shipment.offered_at} show="time" />
                </p>
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
      {doing !== null && (
        <TransactionDialog
          title={words.actOf(words.acts[doing.act].name, doing.shipment.shipment)} confirm={words.acts[doing.act].name} danger={doing.act !== "accept"}
          summary={words.acts[doing.act].summary}
          act={(watch) => core.stepShipment(doing.shipment.shipment, doing.act, watch)} onClose={() => setDoing(null)}
        />
      )}
    </>
  );
}
