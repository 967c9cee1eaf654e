import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { Grant, Hex, PackageHistory, PackageVerdict } from "../../core/core";
import { own } from "../../own";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, FaultNotice, Field, Notice, PageTitle, Time, TransactionDialog, download, shortAddress, useLoaded, useTask,
} from "../../ui";
import { mayWrite, standing } from "../provider/shared";
import { Unregistered, useOwnRoles, type OwnRoles } from "../registered";
import { CheckDocument } from "./document";
import { PackageForm, VerdictOf, type InHand } from "./package";
import "../../style/area.css";
import "../../style/insurer.css";

export function Check() {
  const words = text.supply;
  const { core, me } = useSession();
  const roles = useOwnRoles();
  const [inHand, setInHand] = useState<InHand | null>(null);
  const [dispensing, setDispensing] = useState(false);
  const [handedOut, setHandedOut] = useState<InHand | null>(null);
  const inspect = useTask(({ tickets, scan, maker }: InHand): Promise<PackageVerdict> => core.inspectPackage(tickets, scan, maker));
  const trace = useTask(({ tickets, scan }: InHand) => core.packageHistory(tickets, scan));
  const ask = (asked: InHand) => {
    setInHand(asked);
    trace.reset();
    void inspect.run(asked);
  };
  const found = inspect.result;
  const level = found?.verdict.level;
  const isScanned = inHand !== null && inHand.scan !== null;
  const mayDispense = isScanned && (level === "ok" || (level === "warning" && inHand.maker !== null));
  // What was cut off before the chart told of it.
  const isOurs = found?.verdict.findings.some(({ finding, by }) => finding === "serial-twice" && by === me.address) === true;
  const mayFinish = isScanned && isOurs && inHand !== handedOut;
  return (
    <>
      <PageTitle title={words.checkTitle}>{words.checkLead}</PageTitle>
      <div class="columns">
        <Card title={words.package}><PackageForm button={words.checkIt} busy={inspect.busy} asksMaker onAsk={ask} /></Card>
        <div class="stack" role="status">
          <FaultNotice error={inspect.error} />
          {found && <VerdictOf found={found} />}
          {found && inHand && (
            <div class="row">
              <Button busy={trace.busy} onClick={() => void trace.run(inHand)}>{words.showHistory}</Button>
              {mayDispense && <Button variant="primary" onClick={() => setDispensing(true)}>{words.dispense}</Button>}
              {mayFinish && <Button onClick={() => setDispensing(true)}>{words.finish}</Button>}
            </div>
          )}
          <FaultNotice error={trace.error} />
          {trace.result && <History history={trace.result} />}
        </div>
      </div>
      {dispensing && inHand && (
        <Dispense
          inHand={inHand} roles={roles} finishing={mayFinish} onClose={() => setDispensing(false)}
          onDone={() => {
            setHandedOut(inHand);
            void inspect.run(inHand);
          }}
        />
      )}
    </>
  );
}

interface DispenseProps {
  inHand: InHand;
  roles: OwnRoles;
  /** It was dispensed by us, and a chart is to tell of it yet. */
  finishing: boolean;
  onDone: () => void;
  onClose: () => void;
}

function Dispense({ inHand, roles, finishing, onDone, onClose }: DispenseProps) {
  const words = text.supply;
  const { core, names } = useSession();
  const grants = useLoaded(() => core.myGrants(), []);
  const [chart, setChart] = useState<Hex | "">("");
  const open = (grants.result ?? []).filter((grant: Grant) => mayWrite(grant) && standing(grant, now()) === "current");
  return (
    <TransactionDialog
      title={finishing ? words.finish : words.dispense} confirm={finishing ? words.finish : words.dispenseDo} waits={finishing && chart === ""}
      summary={
        <div class="stack">
          <Unregistered roles={roles} needed={["pharmacy"]}>{words.notPharmacy}</Unregistered>
          <p>{finishing ? words.finishSummary : words.dispenseSummary}</p>
          {open.length > 0 && (
            <Field
              label={words.intoChart} hint={words.intoChartHint} type="select" value={chart} onInput={(value) => setChart(value as Hex | "")}
              options={[
                { value: "", label: words.noChart },
                ...open.map((grant) => ({ value: grant.chart, label: names.get(grant.chart as Hex) ?? shortAddress(grant.chart as Hex) })),
              ]}
            />
          )}
        </div>
      }
      act={(watch) => core.dispensePackage(inHand.tickets, inHand.scan ?? "", inHand.maker, chart === "" ? null : chart, watch)}
      outcome={({ mined }) => mined === null && <Notice kind="good" title={words.finished} />}
      onFinished={onDone} onClose={onClose}
    />
  );
}

function History({ history }: { history: PackageHistory }) {
  const words = text.supply;
  const { names } = useSession();
  const [checking, setChecking] = useState(false);
  const kindOf = (kind: string) => own(words.transfers, kind) ?? kind;
  const anchored = history.transfers.flatMap(({ kind, document }, at) =>
    document === undefined ? [] : [{ digest: document, of: `${at + 1}. ${kindOf(kind)}` }],
  );
  const who = ({ account }: { account: Hex }) => <Address address={account} name={names.get(account)} />;
  const save = () => download("history.json", new Blob([JSON.stringify(history, null, 2)], { type: "application/json" }));
  return (
    <Card title={words.history} aside={<Button size="small" onClick={save}>{words.saveHistory}</Button>}>
      <p class="muted">{words.batchOf(history.gtin, history.lot, history.expiry)}</p>
      <ol role="list" class="member-list">
        {history.transfers.map((transfer) => (
          <li key={transfer.step}>
            <div class="grow">
              <strong>{kindOf(transfer.kind)}</strong>
              {transfer.from && <p class="small">{words.from} {who(transfer.from)}</p>}
              <p class="small">{words.to} {who(transfer.to)}</p>
              {transfer.document && <p class="small">{words.document} <Address address={transfer.document} /></p>}
              <p class="muted small"><Time at={transfer.at} show="time" /></p>
            </div>
          </li>
        ))}
      </ol>
      {anchored.length > 0 && <div class="row"><Button onClick={() => setChecking(true)}>{words.checkDocument}</Button></div>}
      {checking && <CheckDocument anchored={anchored} onClose={() => setChecking(false)} />}
    </Card>
  );
}
