import { useMemo, useState } from "preact/hooks";
import type { Core } from "../../core/core";
import type { StoredKey } from "../../core/vault";
import { text } from "../../text";
import { Button, Card, Field, Form, Notice, PageTitle } from "../../ui";
import { SaveKeyFile } from "../unlock/keyfile";

const ASKED = 3;

interface WordsProps {
  core: Core;
  words: string[];
  stored: StoredKey;
  /** `false`: later. */
  onDone: (checked: boolean) => void;
}

/** Shows the words, then asks for three of them. The account of who has no wallet is in the key file alone. */
export function Words({ core, words, stored, onDone }: WordsProps) {
  const [checking, setChecking] = useState(false);
  return (
    <main class="gate">
      <div class="panel stack loose">
        {checking ? (
          <>
            <PageTitle title={text.words.checkTitle}>{text.words.checkLead}</PageTitle>
            <Card><WordsCheck words={words} onRight={() => onDone(true)} onBack={() => setChecking(false)} /></Card>
          </>
        ) : (
          <>
            <PageTitle title={text.words.title}>{text.words.lead}</PageTitle>
            <Card>
              <WordList words={words} />
              <Notice kind="warning">{text.words.noPhoto}</Notice>
              {stored.wallet ? (
                <p>{text.words.walletWhy}</p>
              ) : (
                <Notice title={text.words.file}>
                  <p>{text.words.fileWhy}</p>
                  <SaveKeyFile core={core} stored={stored} label={text.settings.download} />
                </Notice>
              )}
              <div class="row no-print">
                <Button variant="primary" onClick={() => setChecking(true)}>{text.words.written}</Button>
                <Button onClick={() => print()}>{text.words.print}</Button>
                <Button variant="bare" onClick={() => onDone(false)}>{text.words.later}</Button>
              </div>
            </Card>
          </>
        )}
      </div>
    </main>
  );
}

export function WordList({ words }: { words: string[] }) {
  return (
    <ol class="words" aria-label={text.words.list}>
      {words.map((word, at) => (
        <li key={at}>{word}</li>
      ))}
    </ol>
  );
}

export function WordsCheck({ words, onRight, onBack }: { words: string[]; onRight: () => void; onBack: () => void }) {
  const asked = useMemo(() => some(words.length), [words]);
  const [answers, setAnswers] = useState<Record<number, string>>({});
  const [tried, setTried] = useState(false);
  const right = (at: number) => (answers[at] ?? "").trim().toLowerCase() === words[at];
  return (
    <Form
      onSubmit={() => {
        setTried(true);
        if (asked.every(right)) onRight();
      }}
    >
      {asked.map((at, place) => (
        <Field
          key={at} label={text.words.word(at + 1)} value={answers[at] ?? ""} focus={place === 0}
          onInput={(answer) => setAnswers((before) => ({ ...before, [at]: answer }))}
          error={tried && !right(at) ? text.words.wrong(at + 1) : null}
        />
      ))}
      <div class="row">
        <Button variant="primary" type="submit">{text.words.check}</Button>
        <Button onClick={onBack}>{text.words.again}</Button>
      </div>
    </Form>
  );
}

/** Three places in order. Not a secret: any will do. */
function some(count: number): number[] {
  const places = Array.from({ length: count }, (_, at) => at);
  const picked = new Set<number>();
  while (picked.size < Math.min(ASKED, count)) picked.add(Math.floor(Math.random() * count));
  return places.filter((at) => picked.has(at));
}
