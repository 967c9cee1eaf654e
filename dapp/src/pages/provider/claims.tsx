// What we bill insurers for.
import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { Grant, Hex, NewClaim, Version } from "../../core/core";
import { FRAMES, categoryName, summarise } from "../../fhir";
import { isAddress } from "../../hex";
import { useSession } from "../../state/session";
import { useStore } from "../../state/store";
import { text } from "../../text";
import {
  Button, Card, Checkbox, FaultNotice, Field, Form, Link, Notice, PageTitle, Spinner, TransactionDialog, formatDate, navigate, shortAddress, useLoaded,
  useRoute,
} from "../../ui";
import { NoPage } from "../area";
import { ClaimPage } from "../claims/claim";
import { ClaimList } from "../claims/list";
import { isAmount } from "../claims/words";
import { fhirClaim, type Service } from "./fhir-claim";
import { purposeOf, sharedChart, standing } from "./shared";

export default function Claims() {
  const words = text.claims;
  const [, , page, ...more] = useRoute().segments;
  if (more.length > 0) return <NoPage />;
  if (page === "new") return <Submit />;
  if (page !== undefined) return <ClaimPage claim={page} />;
  return (
    <>
      <PageTitle title={words.title} aside={<Link to="/provider/claims/new" class="button primary">{words.submit}</Link>}>
        {words.providerLead}
      </PageTitle>
      <ClaimList of={{ of: "provider" }} base="/provider/claims" none={words.noneOfProvider} />
    </>
  );
}

/** As many as the contract takes. */
const RECORDS_MOST = 8;

function Submit() {
  const words = text.claims;
  const { core, names } = useSession();
  const grants = useLoaded(() => core.myGrants(), []);
  const [chart, setChart] = useState<Hex | "">("");
  const current = (grants.result ?? []).filter((one) => standing(one, now()) === "current");
  const grant = current.find((one) => one.chart === chart);
  return (
    <>
      <PageTitle title={words.submit}>{words.submitLead}</PageTitle>
      <div class="stack">
        <FaultNotice error={grants.error} onRetry={() => void grants.run()} />
        {grants.result === undefined && grants.error === null && <Spinner />}
        {grants.result !== undefined && current.length === 0 && <Notice kind="warning">{words.noCharts}</Notice>}
        {current.length > 0 && (
          <Field
            label={words.patient} type="select" value={chart} onInput={(value) => setChart(value as Hex | "")}
            options={[
              { value: "", label: words.choosePatient },
              ...current.map((one) => ({ value: one.chart, label: names.get(one.chart as Hex) ?? shortAddress(one.chart as Hex) })),
            ]}
          />
        )}
        {grant && <Service key={grant.chart} grant={grant} />}
      </div>
    </>
  );
}

function Service({ grant }: { grant: Grant }) {
  const words = text.claims;
  const chart = grant.chart as Hex;
  // The reading of the chart's fingerprint key is for payment, where the share is for that.
  const purpose = grant.purposes.includes("HPAYMT") ? "HPAYMT" : purposeOf(grant);
  const session = useSession();
  const { core, config, me, organisation } = session;
  const records = useLoaded(() => core.records(chart), [chart]);
  const opened = useStore(sharedChart(session, chart).state).documents;
  const [insurer, setInsurer] = useState("");
  const [service, setService] = useState<Service>({ system: "http://snomed.info/sct", code: "", day: "", encounter: "", amount: "", currency: "" });
  const [chosen, setChosen] = useState<Hex[]>([]);
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState<NewClaim | null>(null);
  const set = (change: Partial<Service>) => setService((before) => ({ ...before, ...change }));
  const to = insurer.trim().toLowerCase();
  const wrong = {
    insurer: isAddress(to) ? null : words.insurerWrong,
    code: service.code.trim() === "" ? words.codeMissing : null,
    day: /^\d{4}-\d\d-\d\d$/.test(service.day) ? null : words.dayMissing,
    encounter: service.encounter.trim() === "" ? words.encounterMissing : null,
    amount: isAmount(service.amount) ? null : words.amountWrong,
    currency: /^[A-Z]{3}$/.test(service.currency.trim().toUpperCase()) ? null : words.currencyWrong,
    records: chosen.length >= 1 && chosen.length <= RECORDS_MOST ? null : words.recordsWrong(RECORDS_MOST),
  };
  const shown = (error: string | null) => (tried ? error : null);
  const review = () => {
    setTried(true);
    if (Object.values(wrong).some((error) => error !== null)) return;
    const parties = { chart, provider: organisation ?? me.address, insurer: to as Hex, chainId: config.deployment.chain_id };
    setAsked({ insurer: to as Hex, claim: fhirClaim(parties, service), records: chosen });
  };
  const listed = (records.result ?? []).filter((one) => one.compartment !== FRAMES && one.status === "current");
  const titleOf = (one: Version) => {
    const document = opened.get(one.record_id as Hex);
    const title = document ? summarise(document).title : words.unopened;
    return `${title} · ${categoryName(one.compartment)} · ${formatDate(one.created_at)}`;
  };
  return (
    <Form onSubmit={review}>
      <Card title={words.service}>
        <Field label={words.insurerAccount} hint={words.insurerHint} value={insurer} onInput={setInsurer} error={shown(wrong.insurer)} />
        <Field label={words.system} hint={words.systemHint} value={service.system} onInput={(system) => set({ system })} />
        <Field label={words.code} hint={words.codeHint} value={service.code} onInput={(code) => set({ code })} error={shown(wrong.code)} />
        <Field label={words.day} type="date" value={service.day} onInput={(day) => set({ day })} error={shown(wrong.day)} />
        <Field
          label={words.encounter} hint={words.encounterHint} value={service.encounter} onInput={(encounter) => set({ encounter })}
          error={shown(wrong.encounter)}
        />
        <Field label={words.amount} hint={words.amountExample} value={service.amount} onInput={(amount) => set({ amount })} error={shown(wrong.amount)} />
        <Field
          label={words.currency} hint={words.currencyHint} value={service.currency} onInput={(currency) => set({ currency })}
          error={shown(wrong.currency)}
        />
      </Card>
      <Card title={words.evidence}>
        <p class="muted">{words.evidenceHelp}</p>
        <FaultNotice error={records.error} onRetry={() => void records.run()} />
        <fieldset>
          <legend class="unseen">{words.evidence}</legend>
          {listed.map((one) => (
            <Checkbox
              key={one.record_id} label={titleOf(one)} checked={chosen.includes(one.record_id as Hex)}
              onChange={(on) => setChosen((before) => (on ? [...before, one.record_id as Hex] : before.filter((it) => it !== one.record_id)))}
            />
          ))}
        </fieldset>
        {tried && wrong.records !== null && <Notice kind="bad" live>{wrong.records}</Notice>}
      </Card>
      <div class="row"><Button variant="primary" type="submit">{words.review}</Button></div>
      {asked !== null && (
        <TransactionDialog
          title={words.submit} confirm={words.submitDo} summary={words.submitSummary}
          details={[
            { label: words.insurer, value: asked.insurer },
            { label: words.amount, value: `${service.amount.trim()} ${service.currency.trim().toUpperCase()}` },
            { label: words.code, value: service.code.trim() },
            { label: words.records, value: words.recordCount(asked.records.length) },
          ]}
          act={(watch) => core.submitClaim(chart, asked, purpose, watch)}
          onFinished={({ claim }) => navigate(`/provider/claims/${claim}`)} onClose={() => setAsked(null)}
        />
      )}
    </Form>
  );
}
