import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { now } from "../../clock";
import type { Action, Grant, GrantTerms, Hex, Purpose } from "../../core/core";
import { CATEGORIES, FRAMES, SENSITIVE, categoryNames } from "../../fhir";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Button, CameraIcon, Card, CategoryIcon, Choice, FaultNotice, Field, Form, Link, Notice, PageTitle, Spinner, Time, TransactionDialog, navigate,
  shortAddress, useLoaded, useRoute,
} from "../../ui";
import { lazy } from "../../ui/lazy";
import { PartyFacts, hasKey } from "../../ui/party";
import {
  LENGTHS, PURPOSES, USUAL_LENGTH, compartmentsOf, doings, expiryOf, isExpired, isNarrower, lengthName, parseRequest, readRequest, untils, whys,
  type Length, type Request,
} from "./terms";
import { Who } from "./who";

/** All but what is shared by an own decision alone. */
const USUAL = CATEGORIES.map(({ number }) => number).filter((number) => number !== SENSITIVE);

/** `same`: the end that the share has already. */
type Chosen = Length | "same";

const Scan = lazy(() => import("../../ui/scan"));

export function Share({ chart }: { chart: Hex }) {
  const { query } = useRoute();
  const asked = query.toString();
  const request = useMemo(() => readRequest(new URLSearchParams(asked)), [asked]);
  return (
    <>
      <PageTitle title={text.share.title}>{text.share.lead}</PageTitle>
      {request.with === null
        ? <Find categories={query.get("categories")} />
        : <Terms key={asked} chart={chart} request={request} grantee={request.with} />}
    </>
  );
}

/** Who it is to be: the rest of the request goes on in the address. */
function Find({ categories }: { categories: string | null }) {
  const { me, names } = useSession();
  const [input, setInput] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [scanning, setScanning] = useState(false);
  const known = Object.entries(names.entries.get()).filter(([address]) => address.length === 42);
  const take = (value: string) => {
    const params = parseRequest(value);
    setScanning(false);
    setInput(value);
    if (!params) return setError(text.share.whoWrong);
    if (params.get("with")?.toLowerCase() === me.address) return setError(text.share.whoSelf);
    if (categories !== null && !params.has("categories")) params.set("categories", categories);
    navigate(`/share?${params}`);
  };
  return (
    <Card title={text.share.who}>
      <Form onSubmit={() => take(input)}>
        <Field label={text.share.whoLabel} hint={text.share.whoHint} value={input} onInput={setInput} error={error} />
        <div class="row">
          <Button variant="primary" type="submit">{text.ui.next}</Button>
          <Button onClick={() => setScanning(true)}><CameraIcon />{text.share.scan}</Button>
        </div>
      </Form>
      {known.length > 0 && (
        <ul role="list" class="row">
          {known.map(([address, name]) => (
            <li key={address}><Button size="small" onClick={() => take(address)}>{name}</Button></li>
          ))}
        </ul>
      )}
      {scanning && <Scan onFound={take} onClose={() => setScanning(false)} />}
    </Card>
  );
}

function Terms({ chart, request, grantee }: { chart: Hex; request: Request; grantee: Hex }) {
  const { core, names } = useSession();
  const [name, setName] = useState(names.get(grantee) ?? request.name);
  const [categories, setCategories] = useState(request.categories);
  const [purposes, setPurposes] = useState<Purpose[]>(request.purposes);
  const [actions, setActions] = useState<Action[]>(request.actions);
  const [chosen, setChosen] = useState<Chosen | null>(request.length);
  const [date, setDate] = useState("");
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState<GrantTerms | null>(null);
  // A second try after the first half of a change went through must not stop again what is stopped.
  const stopped = useRef(false);
  const party = useLoaded(() => core.party(grantee), [grantee]);
  const grants = useLoaded(() => core.grants(chart), [chart]);
  const standing = grants.result?.find((grant) => grant.grantee === grantee) ?? null;

  // Somebody who changes a share begins from what it is, unless a link asks for something.
  useEffect(() => {
    if (!standing || request.asks || categories.length > 0) return;
    setCategories(standing.compartments.filter((one) => one < CATEGORIES.length));
    setPurposes(PURPOSES.filter((purpose) => standing.purposes.includes(purpose)));
    setActions((["read", "write"] as const).filter((action) => standing.actions.includes(action)));
  }, [standing]);

  const usual = usualLength(standing, request.asks);
  const lengths: readonly Chosen[] = standing && canStay(standing) ? ["same", ...LENGTHS] : LENGTHS;
  const length = lengths.find((one) => one === chosen) ?? usual;
  const expiry = length === "same" ? (standing?.expiry ?? null) : expiryOf(length, date, now());
  const errors = {
    categories: categories.length === 0 ? text.share.nothingChosen : null,
    purposes: purposes.length === 0 ? text.share.noPurpose : null,
    date: expiry === null ? text.share.dateWrong : null,
  };
  const review = () => {
    setTried(true);
    // Not before it is known what is shared already: the new share takes its place.
    if (!grants.result || expiry === null || errors.categories || errors.purposes) return;
    // A share that is yet to begin still begins then.
    const notBefore = standing && standing.not_before > now() ? standing.not_before : 0;
    setAsked({ compartments: compartmentsOf(categories, actions), purposes, actions, notBefore, expiry });
  };
  const who = name.trim() || shortAddress(grantee);
  const narrower = asked !== null && standing !== null && isNarrower(standing, asked);
  const toggle = <T,>(list: T[], one: T, on: boolean) => (on ? [...list, one] : list.filter((other) => other !== one));

  if (!party.result) {
    return party.error ? <FaultNotice error={party.error} onRetry={() => void party.run()} /> : <Spinner label={text.party.checking} />;
  }
  const receives = hasKey(party.result);
  return (
    <Form onSubmit={review}>
      <Card title={text.share.who} aside={<Link to="/share" class="button small">{text.shares.change}</Link>}>
        <p><Who address={grantee} /></p>
        <PartyFacts party={party.result} />
        <Field label={text.share.nameLabel} hint={text.share.nameHint} value={name} onInput={setName} />
      </Card>
      {receives && (
        <>
          {request.asks && <Notice>{text.share.asks}</Notice>}
          {standing && <Notice>{text.share.exists}</Notice>}
          <Card>
            <fieldset class="stack">
              <legend class="legend">{text.share.what}</legend>
              <p class="muted">{text.share.whatHint}</p>
              {request.asksSensitive && !categories.includes(SENSITIVE) && <Notice kind="warning">{text.share.asksSensitive}</Notice>}
              <div class="row">
                <Button size="small" onClick={() => setCategories(USUAL)}>{text.share.selectAll}</Button>
                <Button size="small" onClick={() => setCategories([])}>{text.share.selectNone}</Button>
              </div>
              <div class="choices">
                {CATEGORIES.map((category) => (
                  <Choice
                    key={category.number} label={category.name} icon={<CategoryIcon compartment={category.number} size={16} />}
                    hint={category.number === SENSITIVE ? text.share.sensitiveWhy : category.explanation}
                    checked={categories.includes(category.number)}
                    onChange={(on) => setCategories(toggle(categories, category.number, on).sort((one, other) => one - other))}
                  />
                ))}
              </div>
              {tried && errors.categories && <Notice kind="bad" live>{errors.categories}</Notice>}
            </fieldset>
          </Card>
          <Card>
            <fieldset class="stack">
              <legend class="legend">{text.share.why}</legend>
              <p class="muted">{text.share.whyHint}</p>
              <div class="choices">
                {PURPOSES.map((purpose) => (
                  <Choice
                    key={purpose} label={text.purposes[purpose].name} hint={text.purposes[purpose].why} checked={purposes.includes(purpose)}
                    onChange={(on) => setPurposes(toggle(purposes, purpose, on))}
                  />
                ))}
              </div>
              {tried && errors.purposes && <Notice kind="bad" live>{errors.purposes}</Notice>}
            </fieldset>
            <fieldset class="stack">
              <legend class="legend">{text.share.can}</legend>
              <div class="choices">
                <Choice label={text.share.read} checked={actions.includes("read")} disabled onChange={() => {}} />
                <Choice
                  label={text.share.write} hint={text.share.writeHint} checked={actions.includes("write")}
                  onChange={(on) => setActions(on ? ["read", "write"] : ["read"])}
                />
              </div>
            </fieldset>
          </Card>
          <Card>
            <fieldset class="stack">
              <legend class="legend">{text.share.until}</legend>
              <div class="choices narrow">
                {lengths.map((one) => (
                  <Choice
                    key={one} name="length" checked={length === one} onChange={() => setChosen(one)}
                    label={one === "same" ? text.share.asNow(untils(standing?.expiry ?? 0)) : lengthName(one)}
                  />
                ))}
              </div>
              {length === "date" && (
                <Field label={text.share.date} type="date" value={date} onInput={setDate} error={tried ? errors.date : null} />
              )}
            </fieldset>
          </Card>
          <FaultNotice error={grants.error} onRetry={() => void grants.run()} />
          <div><Button variant="primary" type="submit" busy={grants.busy} disabled={!grants.result}>{text.share.review}</Button></div>
        </>
      )}
      {asked && (
        <TransactionDialog
          title={text.share.dialog} confirm={text.share.confirm}
          summary={text.share.summary(who, doings(asked.actions), categoryNames(asked.compartments), whys(asked.purposes), untils(asked.expiry))}
          details={[
            { label: text.share.who, value: <Who address={grantee} /> },
            ...(asked.notBefore > 0 ? [{ label: text.shares.begins, value: <Time at={asked.notBefore} show="time" /> }] : []),
            ...(asked.compartments.includes(SENSITIVE)
              ? [{ label: text.share.what, value: <Notice kind="warning">{text.share.sensitiveIn}</Notice> }]
              : []),
            ...(asked.compartments.includes(FRAMES) ? [{ label: text.share.frames, value: text.share.framesIn }] : []),
            ...(narrower ? [{ label: text.share.steps, value: text.share.narrower }] : []),
          ]}
          act={async (watch) => {
            if (narrower && !stopped.current) {
              await core.revoke(chart, grantee, watch);
              stopped.current = true;
            }
            return core.grant(chart, grantee, asked, watch);
          }}
          outcome={() => <p>{asked.notBefore > 0 ? text.share.doneLater : text.share.done}</p>}
          onDone={() => names.set(grantee, name)}
          onFinished={() => location.hash.startsWith("#/share?") && navigate("/shares", true)}
          onClose={() => setAsked(null)}
        />
      )}
    </Form>
  );
}

const canStay = (grant: Grant) => grant.expiry !== 0 && !isExpired(grant, now());

/** Whoever changes a share leaves its end alone; a link that does not name one makes no share endless. */
function usualLength(standing: Grant | null, asks: boolean): Chosen {
  if (standing && canStay(standing)) return "same";
  return standing?.expiry === 0 && !asks ? "none" : USUAL_LENGTH;
}
