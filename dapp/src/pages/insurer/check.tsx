import { useState } from "preact/hooks";
import type { Checked, SignedVerdict } from "../../core/core";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address, Button, Card, FaultNotice, Field, Form, Notice, PageTitle, Time, useTask } from "../../ui";
import { FileField } from "../file-field";
import { VerdictCard } from "./verdict";

export function Check() {
  const words = text.insurer;
  const { core, config } = useSession();
  const [content, setContent] = useState("");
  const check = useTask(async (written: string): Promise<{ checked: Checked; signed: SignedVerdict | null }> => ({
    checked: await core.verify(written),
    signed: parse(written),
  }));
  const own = check.result?.checked.gateway.toLowerCase() === config.deployment.gateway.toLowerCase();
  return (
    <>
      <PageTitle title={words.check}>{words.checkLead}</PageTitle>
      <div class="columns">
        <Card title={words.checkFile}>
          <Form onSubmit={() => void check.run(content)}>
            <FileField
              label={words.chooseVerdict}
              accept=".json,application/json"
              onFiles={([file]) => {
                check.reset();
                void file?.text().then(setContent);
              }}
            />
            <Field
              label={words.pasteVerdict}
              type="textarea"
              rows={6}
              value={content}
              onInput={(value) => {
                check.reset();
                setContent(value);
              }}
            />
            <div class="row">
              <Button type="submit" variant="primary" busy={check.busy} disabled={content.trim() === ""}>
                {words.checkNow}
              </Button>
            </div>
          </Form>
        </Card>
        <div class="stack">
          <FaultNotice error={check.error} />
          {check.result !== undefined && (
            <>
              <Notice kind={own ? "good" : "warning"} live title={words.holds}>
                <p>{own ? words.signedHere : words.signedElsewhere}</p>
                <p>
                  <Address address={check.result.checked.gateway} />
                </p>
                <p>{check.result.checked.proved ? words.checkedByChain : words.checkedBySignature}</p>
                {check.result.checked.blockTime !== null && (
                  <p>
                    {words.stateOf} <Time at={check.result.checked.blockTime} show="time" />
                  </p>
                )}
              </Notice>
              {check.result.signed !== null && <VerdictCard signed={check.result.signed} whole={false} />}
            </>
          )}
        </div>
      </div>
    </>
  );
}

/** For showing: that it holds was found out by the client. */
function parse(written: string): SignedVerdict | null {
  try {
    return JSON.parse(written) as SignedVerdict;
  } catch {
    return null;
  }
}
