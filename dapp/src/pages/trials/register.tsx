import { useState } from "preact/hooks";
import type { TrialFiles } from "../../core/core";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, FaultNotice, Field, Form, PageTitle, TransactionDialog, navigate, useTask } from "../../ui";
import { Unregistered, useOwnRoles } from "../registered";
import { useVersionFiles } from "./files";

export const isRegistration = (written: string) => /^[A-Za-z0-9\-/.]{1,64}$/.test(written.trim());

export function Register() {
  const words = text.trials;
  const { core } = useSession();
  const [registration, setRegistration] = useState("");
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState<TrialFiles | null>(null);
  const files = useVersionFiles();
  const roles = useOwnRoles();
  const wrong = isRegistration(registration) ? null : words.registrationWrong;
  const review = useTask(async () => {
    setTried(true);
    const read = await files.read();
    if (wrong === null) setAsked(read);
  });
  return (
    <>
      <PageTitle title={words.register}>{words.registerLead}</PageTitle>
      <Form onSubmit={() => void review.run()}>
        <Unregistered roles={roles} needed={["sponsor"]}>{words.notSponsor}</Unregistered>
        <Card title={words.files}>
          <p class="muted">{words.filesHelp}</p>
          <Field
            label={words.registration} hint={words.registrationHint} value={registration} onInput={setRegistration}
            error={tried ? wrong : null}
          />
          {files.fields}
        </Card>
        <FaultNotice error={review.error} />
        <div class="row"><Button variant="primary" type="submit" busy={review.busy}>{words.review}</Button></div>
      </Form>
      {asked !== null && (
        <TransactionDialog
          title={words.register} confirm={words.registerDo} summary={words.registerSummary}
          details={[{ label: words.registration, value: registration.trim() }, ...files.names]}
          act={(watch) => core.registerTrial(registration.trim(), asked, watch)}
          onFinished={({ trial }) => navigate(`/trials/${trial}`)} onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}
