// What the sponsor of a trial does.
import { useState } from "preact/hooks";
import type { Hex, TrialFacts, TrialFiles } from "../../core/core";
import { isAddress } from "../../hex";
import { useSession } from "../../state/session";
import { text } from "../../text";
import {
  Address, Button, Card, Checkbox, Dialog, FaultNotice, Field, Form, FormEnd, TransactionDialog, download, shortAddress, useTask,
} from "../../ui";
import { Unregistered, useOwnRoles, type OwnRoles } from "../registered";
import { bytesOf, resultsFault } from "./documents";
import { OneFile, useVersionFiles } from "./files";
import { isRegistration } from "./register";
import { REASONS, stateOf } from "./words";

interface ActProps {
  facts: TrialFacts;
  onClose: () => void;
}

/** Naming sites and amending is for who is a sponsor at the time; locking, results and closing for who was one when it was registered. */
interface FormProps extends ActProps {
  roles: OwnRoles;
}

type Doing = "site" | "amend" | "lock" | "results" | "close";

export function Sponsor({ facts }: { facts: TrialFacts }) {
  const words = text.trials;
  const { core, names } = useSession();
  const { trial } = facts;
  const roles = useOwnRoles();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [dismissing, setDismissing] = useState<Hex | null>(null);
  const state = stateOf(facts);
  const end = () => setDoing(null);
  const active = facts.sites.filter((one) => one.active);
  return (
    <>
      <Card title={words.asSponsor}>
        <div class="row">
          {state === "open" && (
            <>
              <Button onClick={() => setDoing("site")}>{words.addSite}</Button>
              <Button onClick={() => setDoing("amend")}>{words.amend}</Button>
              <Button onClick={() => setDoing("lock")}>{words.lock}</Button>
            </>
          )}
          {state === "locked" && (
            <>
              <Button onClick={() => setDoing("results")}>{words.anchorResults}</Button>
              <Button variant="danger" onClick={() => setDoing("close")}>{words.close}</Button>
            </>
          )}
        </div>
        {active.length > 0 && (
          <ul role="list" class="member-list">
            {active.map(({ site }) => (
              <li key={site}>
                <div class="grow"><Address address={site} name={names.get(site)} /></div>
                <Button size="small" label={words.dismissOf(names.get(site) ?? shortAddress(site))} onClick={() => setDismissing(site)}>
                  {words.dismiss}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </Card>
      <Study trial={trial} />
      {doing === "site" && <AddSite facts={facts} roles={roles} onClose={end} />}
      {doing === "amend" && <Amend facts={facts} roles={roles} onClose={end} />}
      {doing === "results" && <AnchorResults facts={facts} onClose={end} />}
      {doing === "lock" && (
        <TransactionDialog
          title={words.lock} confirm={words.lockDo} summary={words.lockSummary} danger
          details={[{ label: words.batches, value: words.batchCount(facts.batches.length) }]}
          act={(watch) => core.lockTrialData(trial, watch)} onClose={end}
        />
      )}
      {doing === "close" && (
        <TransactionDialog
          title={words.close} confirm={words.closeDo} summary={words.closeSummary} danger act={(watch) => core.closeTrial(trial, watch)}
          onClose={end}
        />
      )}
      {dismissing !== null && (
        <TransactionDialog
          title={words.dismissOf(names.get(dismissing) ?? shortAddress(dismissing))} confirm={words.dismiss} summary={words.dismissSummary} danger
          act={(watch) => core.setTrialSite(trial, dismissing, false, watch)} onClose={() => setDismissing(null)}
        />
      )}
    </>
  );
}

function AddSite({ facts: { trial }, roles, onClose }: FormProps) {
  const words = text.trials;
  const { core } = useSession();
  const [written, setWritten] = useState("");
  const [tried, setTried] = useState(false);
  const [site, setSite] = useState<Hex | null>(null);
  const address = written.trim().toLowerCase();
  if (site !== null) {
    return (
      <TransactionDialog
        title={words.addSite} confirm={words.addSiteDo} summary={words.addSiteSummary} details={[{ label: words.site, value: site }]}
        act={(watch) => core.setTrialSite(trial, site, true, watch)} onClose={onClose}
      />
    );
  }
  const next = () => {
    setTried(true);
    if (isAddress(address)) setSite(address);
  };
  return (
    <Dialog title={words.addSite} onClose={onClose}>
      <Unregistered roles={roles} needed={["sponsor"]}>{words.notSponsorNow}</Unregistered>
      <Form onSubmit={next}>
        <Field
          label={words.account} hint={words.accountHint} value={written} onInput={setWritten} focus
          error={tried && !isAddress(address) ? words.accountWrong : null}
        />
        <FormEnd onClose={onClose} />
      </Form>
    </Dialog>
  );
}

function Amend({ facts: { trial }, roles, onClose }: FormProps) {
  const words = text.trials;
  const { core } = useSession();
  const files = useVersionFiles();
  const [reason, setReason] = useState<(typeof REASONS)[number] | "">("");
  const [reconsent, setReconsent] = useState(false);
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState<TrialFiles | null>(null);
  const review = useTask(async () => {
    setTried(true);
    const read = await files.read();
    if (reason !== "") setAsked(read);
  });
  if (asked !== null && reason !== "") {
    return (
      <TransactionDialog
        title={words.amend} confirm={words.amendDo} summary={words.amendSummary}
        details={[
          ...files.names,
          { label: words.reason, value: words.reasons[reason] },
          { label: words.reconsent, value: reconsent ? words.yes : words.no },
        ]}
        act={(watch) => core.amendTrial(trial, asked, reason, reconsent, watch)} onClose={onClose}
      />
    );
  }
  return (
    <Dialog title={words.amend} onClose={onClose}>
      <Unregistered roles={roles} needed={["sponsor"]}>{words.notSponsorNow}</Unregistered>
      <Form onSubmit={() => void review.run()}>
        <p class="muted">{words.filesHelp}</p>
        {files.fields}
        <Field
          label={words.reason} type="select" value={reason} onInput={(value) => setReason(value as typeof reason)}
          error={tried && reason === "" ? words.reasonMissing : null}
          options={[{ value: "", label: words.chooseReason }, ...REASONS.map((one) => ({ value: one, label: words.reasons[one] }))]}
        />
        <Checkbox label={words.reconsent} hint={words.reconsentHint} checked={reconsent} onChange={setReconsent} />
        <FaultNotice error={review.error} />
        <FormEnd onClose={onClose} busy={review.busy} />
      </Form>
    </Dialog>
  );
}

function AnchorResults({ facts, onClose }: ActProps) {
  const words = text.trials;
  const { core } = useSession();
  const [file, setFile] = useState<File | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [asked, setAsked] = useState<Uint8Array | null>(null);
  const review = useTask(async () => {
    const fault = file === null ? words.fileMissing : await resultsFault(file, facts);
    setWrong(fault);
    if (file !== null && fault === null) setAsked(await bytesOf(file));
  });
  if (asked !== null) {
    return (
      <TransactionDialog
        title={words.anchorResults} confirm={words.anchorResultsDo} summary={words.anchorResultsSummary}
        details={[{ label: words.resultsFile, value: file?.name }]}
        act={(watch) => core.anchorTrialResults(facts.trial, asked, watch)} onClose={onClose}
      />
    );
  }
  return (
    <Dialog title={words.anchorResults} onClose={onClose}>
      <Form onSubmit={() => void review.run()}>
        <OneFile
          label={words.resultsFile} hint={words.anchorResultsHelp} accept=".json,application/json" error={wrong}
          onFile={(chosen) => {
            setFile(chosen);
            setWrong(null);
          }}
        />
        <FaultNotice error={review.error} />
        <FormEnd onClose={onClose} busy={review.busy} />
      </Form>
    </Dialog>
  );
}

function Study({ trial }: { trial: Hex }) {
  const words = text.trials;
  const { core } = useSession();
  const [registration, setRegistration] = useState("");
  const [title, setTitle] = useState("");
  const [tried, setTried] = useState(false);
  const wrong = isRegistration(registration) ? null : words.registrationWrong;
  const save = useTask(async () => {
    setTried(true);
    if (wrong !== null) return;
    const study = await core.researchStudy(trial, registration.trim(), title.trim() === "" ? undefined : title.trim());
    download("research-study.json", new Blob([study], { type: "application/fhir+json" }));
  });
  return (
    <Card title={words.study}>
      <Form onSubmit={() => void save.run()}>
        <p class="muted">{words.studyHelp}</p>
        <Field
          label={words.registration} hint={words.registrationHint} value={registration} onInput={setRegistration} error={tried ? wrong : null}
        />
        <Field label={words.studyTitle} optional value={title} onInput={setTitle} />
        <FaultNotice error={save.error} />
        <div class="row"><Button type="submit" busy={save.busy}>{words.studySave}</Button></div>
      </Form>
    </Card>
  );
}
