import { useState } from "preact/hooks";
import { now } from "../../clock";
import type { Grant, Hex } from "../../core/core";
import { categoryNames } from "../../fhir";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address, Button, Card, FaultNotice, Field, Form, Link, Time, useLoaded } from "../../ui";
import { lengthName, type AskedLength } from "../patient/terms";
import { useAsked, type Asked, type Request } from "./asked";
import { usePatientName } from "./patient-name";
import { standing } from "./shared";

export interface RequestsProps {
  /** The one on the page. */
  request: Request;
  /** Whether there are pages for the charts that are shared. */
  opens: boolean;
}

/** Of whom access was asked, and what was shared since: a share does not say which request it answers. */
export function Requests({ request, opens }: RequestsProps) {
  const words = text.provider;
  const { core, me } = useSession();
  const grants = useLoaded(() => core.myGrants(), [me.address, useIndexed()]);
  const { asked, note, forget } = useAsked();
  const [whom, setWhom] = useState("");
  const [tried, setTried] = useState(false);
  const missing = whom.trim() === "";
  const submit = () => {
    setTried(true);
    if (missing) return;
    note({ ...request, id: crypto.randomUUID(), whom: whom.trim(), at: now() });
    setWhom("");
    setTried(false);
  };
  return (
    <Card
      title={words.requests}
      aside={
        <Button size="small" busy={grants.busy} onClick={() => void grants.run()}>
          {words.refresh}
        </Button>
      }
    >
      <p class="muted">{words.requestsHelp}</p>
      <Form onSubmit={submit}>
        <Field
          label={words.requestWhom}
          hint={words.nameHint}
          value={whom}
          onInput={setWhom}
          error={tried && missing ? words.requestWhomMissing : null}
        />
        <div class="row">
          <Button type="submit" disabled={request.categories.length === 0}>
            {words.requestNote}
          </Button>
        </div>
      </Form>
      <FaultNotice error={grants.error} onRetry={() => void grants.run()} />
      {asked.length > 0 && (
        <ul role="list" class="work-list">
          {asked.map((one) => (
            <li key={one.id}>
              <div class="grow">
                <strong>{one.whom}</strong>
                <p>{categoryNames(one.categories)}</p>
                <p class="muted small">
                  {words.forPurposes([text.purposes[one.purpose].name])}
                  {" · "}
                  {daysName(one.days)}
                  {" · "}
                  {words.requestAt} <Time at={one.at} show="time" />
                </p>
                {grants.result && <Since grants={grants.result.filter((grant) => mayAnswer(grant, one, me.address))} opens={opens} />}
              </div>
              <Button size="small" label={words.requestForgetOf(one.whom)} onClick={() => forget(one.id)}>
                {words.requestForget}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** In the words of whoever asks: the patient's are about stopping it. */
export function daysName(days: AskedLength): string {
  return days === "none" ? text.provider.noEnd : lengthName(days);
}

/** Given to this account for the purpose that was asked for, at that time or later. */
function mayAnswer(grant: Grant, one: Asked, account: Hex): boolean {
  return (
    grant.grantee.toLowerCase() === account.toLowerCase() &&
    grant.granted_at >= one.at &&
    grant.purposes.includes(one.purpose) &&
    standing(grant, now()) !== "ended"
  );
}

function Since({ grants, opens }: { grants: Grant[]; opens: boolean }) {
  const words = text.provider;
  if (grants.length === 0) return <p>{words.requestNothing}</p>;
  return (
    <>
      <p>{words.requestSince}</p>
      <ul>
        {grants.map(({ chart }) => (
          <li key={chart}>{opens ? <ChartLink chart={chart} /> : <Address address={chart} />}</li>
        ))}
      </ul>
    </>
  );
}

function ChartLink({ chart }: { chart: Hex }) {
  return <Link to={`/provider/chart/${chart}`}>{usePatientName(chart)}</Link>;
}
