import { useState } from "preact/hooks";
import type { Action, Purpose, Question } from "../../core/core";
import { CATEGORIES } from "../../fhir";
import { parseWord } from "../../hex";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, FaultNotice, Field, Form, Notice, PageTitle, useTask } from "../../ui";
import { remember } from "./history";
import { ACTIONS, noon, PURPOSES } from "./questions";
import { NotKept, VerdictCard } from "./verdict";
import { askSigned } from "./verdicts";

export function Ask() {
  const words = text.insurer;
  const { core, me } = useSession();
  const [chart, setChart] = useState("");
  const [category, setCategory] = useState("10");
  const [purpose, setPurpose] = useState<Purpose>("HPAYMT");
  const [action, setAction] = useState<Action>("read");
  const [when, setWhen] = useState<"now" | "day">("now");
  const [day, setDay] = useState("");
  const [tried, setTried] = useState(false);
  const ask = useTask(async (question: Question) => {
    const signed = await askSigned(core, [question], true);
    return { signed: signed[0], kept: await remember(me.address, signed) };
  });
  const known = parseWord(chart);
  const at = when === "day" ? noon(day) : undefined;
  const submit = () => {
    setTried(true);
    if (known === null || at === null) return;
    void ask.run({ chart: known, compartment: Number(category), purpose, action, ...(at === undefined ? {} : { at }) });
  };
  return (
    <>
      <PageTitle title={words.askTitle}>{words.askLead}</PageTitle>
      <div class="columns">
        <Card title={words.question}>
          <Form onSubmit={submit}>
            <Field
              label={words.chart}
              hint={words.chartHint}
              value={chart}
              onInput={setChart}
              error={tried && known === null ? words.chartWrong : null}
            />
            <Field
              label={words.category}
              type="select"
              value={category}
              onInput={setCategory}
              options={CATEGORIES.map((one) => ({ value: String(one.number), label: one.name }))}
            />
            <Field
              label={words.purpose}
              type="select"
              value={purpose}
              onInput={(value) => setPurpose(value as Purpose)}
              options={PURPOSES.map((one) => ({ value: one, label: text.purposes[one].name }))}
            />
            <Field
              label={words.action}
              type="select"
              value={action}
              onInput={(value) => setAction(value as Action)}
              options={ACTIONS.map((one) => ({ value: one, label: words.actions[one] }))}
            />
            <Field
              label={words.when}
              type="select"
              value={when}
              onInput={(value) => setWhen(value === "day" ? "day" : "now")}
              options={[
                { value: "now", label: words.now },
                { value: "day", label: words.onDay },
              ]}
            />
            {when === "day" && (
              <Field
                label={words.day}
                hint={words.dayHint}
                type="date"
                value={day}
                onInput={setDay}
                error={tried && at === null ? words.dayMissing : null}
              />
            )}
            <div class="row">
              <Button type="submit" variant="primary" busy={ask.busy}>
                {words.askNow}
              </Button>
            </div>
          </Form>
        </Card>
        <div class="stack" role="status">
          <FaultNotice error={ask.error} onRetry={submit} />
          {ask.result?.kept === false && <NotKept />}
          {ask.result?.signed !== undefined && <VerdictCard signed={ask.result.signed} />}
          {ask.result === undefined && ask.error === null && !ask.busy && <Notice>{words.noData}</Notice>}
        </div>
      </div>
    </>
  );
}
