// Taking part in a trial, under an account of that trial alone.
import { useState } from "preact/hooks";
import type { Hex, Participation, TrialFacts } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, Dialog, FaultNotice, Field, Form, FormEnd, Notice, Spinner, Tag, TransactionDialog, download, shortAddress, useLoaded,
  useTask,
} from "../../ui";
import { bytesOf, isFile } from "./documents";
import { OneFile } from "./files";
import { stateOf } from "./words";

const NAME_BYTES_MOST = 200;
const KINDS = { consented: "accent", enrolled: "good", withdrawn: "warning" } as const;

export function Participant({ facts }: { facts: TrialFacts }) {
  const words = text.trials;
  const { core } = useSession();
  const loaded = useLoaded(() => core.participation(facts.trial), [facts.trial, useIndexed()]);
  const [doing, setDoing] = useState<"consent" | "leave" | null>(null);
  const save = useTask(async () => {
    download("research-subject.json", new Blob([await core.researchSubject(facts.trial)], { type: "application/fhir+json" }));
  });
  const stands = loaded.result;
  const end = () => setDoing(null);
  const isOpen = stateOf(facts) === "open";
  const takesPart = stands?.status === "consented" || stands?.status === "enrolled";
  const newest = facts.versions.length;
  const isOld = takesPart && isOpen && stands.version < newest;
  return (
    <Card
      title={words.standing}
      aside={stands && stands.status !== "never consented" && <Tag kind={KINDS[stands.status]}>{words.standings[stands.status]}</Tag>}
    >
      <FaultNotice error={loaded.error} onRetry={() => void loaded.run()} />
      {stands === undefined && loaded.error === null && <Spinner />}
      {stands?.status === "never consented" ? (
        <>
          <p>{isOpen ? words.takePartHelp : words.standings[stands.status]}</p>
          {isOpen && <div class="row"><Button variant="primary" onClick={() => setDoing("consent")}>{words.takePart}</Button></div>}
        </>
      ) : stands && (
        <>
          <dl class="facts">
            <dt>{words.yourAccount}</dt>
            <dd><Address address={stands.participant} /></dd>
            <dt>{words.site}</dt>
            <dd><Address address={stands.site} /></dd>
            {stands.number !== 0 && <><dt>{words.number}</dt><dd>{stands.number}</dd></>}
            <dt>{words.consentedTo}</dt>
            <dd>{words.version(stands.version)}</dd>
          </dl>
          {isOld && (
            <Notice kind={stands.must_consent_anew ? "warning" : "info"} title={words.changed(newest)}>
              <p>{stands.must_consent_anew ? words.changedMust : words.changedMay}</p>
            </Notice>
          )}
          <FaultNotice error={save.error} />
          <div class="row">
            <Button busy={save.busy} onClick={() => void save.run()}>{words.subjectSave}</Button>
            {isOld && (
              <Button variant={stands.must_consent_anew ? "primary" : "plain"} onClick={() => setDoing("consent")}>{words.anew}</Button>
            )}
            {takesPart && <Button variant="danger" onClick={() => setDoing("leave")}>{words.leave}</Button>}
          </div>
        </>
      )}
      {doing === "consent" && stands && <Consent facts={facts} stands={stands} onClose={end} />}
      {doing === "leave" && (
        <TransactionDialog
          title={words.leave} confirm={words.leaveDo} summary={words.leaveSummary} danger act={(watch) => core.leaveTrial(facts.trial, watch)}
          onClose={end}
        />
      )}
    </Card>
  );
}

interface ConsentProps {
  facts: TrialFacts;
  stands: Participation;
  onClose: () => void;
}

function Consent({ facts, stands, onClose }: ConsentProps) {
  const words = text.trials;
  const { core, names } = useSession();
  // Whoever takes part already stays with their site.
  const sites = stands.status === "never consented" ? facts.sites.filter((one) => one.active).map((one) => one.site) : [stands.site];
  const [site, setSite] = useState<Hex | "">(sites.length === 1 ? (sites[0] ?? "") : "");
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const [other, setOther] = useState(false);
  const [asked, setAsked] = useState<{ site: Hex; form: Uint8Array; name: string | undefined } | null>(null);
  const nameOf = (account: Hex) => names.get(account) ?? shortAddress(account);
  const written = name.trim();
  const isName = new TextEncoder().encode(written).length <= NAME_BYTES_MOST && !/\p{Cc}/u.test(written);
  const review = useTask(async () => {
    setTried(true);
    const isForm = file === null || (await isFile(file, facts.versions.at(-1)?.documents.form));
    setOther(!isForm);
    if (file === null || !isForm || site === "" || !isName) return;
    setAsked({ site, form: await bytesOf(file), name: written === "" ? undefined : written });
  });
  if (asked !== null) {
    const keep = (kept: string) => download(`consent-${shortAddress(facts.trial).replace("…", "-")}.json`, new Blob([kept], { type: "application/json" }));
    return (
      <TransactionDialog
        title={words.takePart} confirm={words.consentDo} summary={words.consentSummary}
        details={[
          { label: words.site, value: nameOf(asked.site) },
          { label: words.form, value: words.version(facts.versions.length) },
          { label: words.yourAccount, value: stands.participant },
          { label: words.yourName, value: asked.name ?? words.noName },
        ]}
        act={(watch) => core.consentToTrial(facts.trial, asked.site, asked.form, asked.name, watch)}
        onDone={({ kept }) => keep(kept)}
        outcome={({ kept }) => (
          <Notice title={words.kept}>
            <p>{words.keptHelp}</p>
            <Button size="small" onClick={() => keep(kept)}>{words.saveAgain}</Button>
          </Notice>
        )}
        onClose={onClose}
      />
    );
  }
  return (
    <Dialog title={words.takePart} onClose={onClose}>
      {sites.length === 0 ? <Notice kind="warning">{words.noActiveSites}</Notice> : (
        <Form onSubmit={() => void review.run()}>
          <p class="muted">{words.takePartHelp}</p>
          <Field
            label={words.site} type="select" value={site} onInput={(value) => setSite(value as Hex | "")}
            error={tried && site === "" ? words.siteMissing : null}
            options={[{ value: "", label: words.chooseSite }, ...sites.map((one) => ({ value: one, label: nameOf(one) }))]}
          />
          <OneFile
            label={words.shownForm} hint={words.formHint}
            error={tried && file === null ? words.fileMissing : other ? words.formOther : null}
            onFile={(chosen) => {
              setFile(chosen);
              setOther(false);
            }}
          />
          <Field
            label={words.name} hint={words.nameHint} optional value={name} onInput={setName} error={tried && !isName ? words.nameWrong : null}
          />
          <FaultNotice error={review.error} />
          <FormEnd onClose={onClose} busy={review.busy} />
        </Form>
      )}
    </Dialog>
  );
}
