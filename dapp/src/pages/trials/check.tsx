// What a sponsor published, compared with the chain.
import { useState } from "preact/hooks";
import type { TrialReport } from "../../core/core";
import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import { Button, Card, FaultNotice, Form, Link, Notice, PageTitle, Tag, useTask } from "../../ui";
import { FileField } from "../file-field";
import { FolderField } from "./files";
import "../../style/area.css";

export function Check() {
  const words = text.trials;
  const { core } = useSession();
  const [chosen, setChosen] = useState<[string, File][]>([]);
  const check = useTask(() => core.verifyTrial(chosen));
  const take = (files: File[]) => {
    check.reset();
    setChosen(files.map((file) => [nameOf(file), file]));
  };
  return (
    <>
      <PageTitle title={words.verify}>{words.verifyLead}</PageTitle>
      <div class="stack">
        <Card title={words.published}>
          <Form onSubmit={() => void check.run()}>
            <FolderField label={words.folder} hint={words.folderHint} onFiles={take} />
            <FileField label={words.orFiles} hint={words.orFilesHint} multiple onFiles={take} />
            <p role="status">{chosen.length > 0 && words.chosen(chosen.length)}</p>
            <div class="row">
              <Button type="submit" variant="primary" busy={check.busy} disabled={chosen.length === 0}>{words.check}</Button>
            </div>
          </Form>
        </Card>
        <FaultNotice error={check.error} />
        {check.result && <Report report={check.result} />}
      </div>
    </>
  );
}

/** Below the folder that was chosen, whose own name says nothing. */
function nameOf(file: File): string {
  return file.webkitRelativePath === "" ? file.name : file.webkitRelativePath.replace(/^[^/]*\//, "");
}

/** The worst first. */
const SEVERITIES = ["fault", "unchecked", "note"] as const;
const KINDS = { fault: "bad", unchecked: "warning", note: "accent" } as const;

function Report({ report }: { report: TrialReport }) {
  const words = text.trials;
  const { checked, findings } = report;
  const worst = SEVERITIES.find((severity) => findings.some((one) => one.severity === severity)) ?? "none";
  return (
    <>
      <Notice kind={worst === "fault" ? "bad" : worst === "unchecked" ? "warning" : "good"} live title={words.outcomes[worst]}>
        <Link to={`/trials/${report.trial}`}>{words.show}</Link>
      </Notice>
      {findings.length > 0 && (
        <Card title={words.outcome}>
          <ul role="list" class="member-list">
            {SEVERITIES.flatMap((severity) => findings.filter((one) => one.severity === severity)).map((one, at) => (
              <li key={at}>
                <Tag kind={KINDS[one.severity]}>{words.severities[one.severity]}</Tag>
                <p class="grow">{one.finding}</p>
              </li>
            ))}
          </ul>
        </Card>
      )}
      <Card title={words.compareds}>
        <dl class="facts">
          <dt>{words.documents}</dt>
          <dd>{checked.documents.toLocaleString(locale)}</dd>
          <dt>{words.batchesAndRows}</dt>
          <dd>{words.withRows(checked.batches, checked.rows)}</dd>
          <dt>{words.results}</dt>
          <dd>{words.withOutcomes(checked.results, checked.outcomes)}</dd>
        </dl>
      </Card>
    </>
  );
}
