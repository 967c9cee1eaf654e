import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import {
  Address, Button, CopyButton, Empty, FaultNotice, Field, Form, Notice, PageTitle, SearchIcon, Spinner, Tag, useTask,
} from "../../ui";
import type { Hex } from "../../core/core";
import { contracts } from "./contracts";
import { connect, fits, newestBlock, parsePlace, readBack, type ChainEvent, type Filter } from "./events";

/** Events that are shown at once. */
const SHOWN = 200;
const NO_FILTER: Filter = { contract: "", name: "", chart: "" };

export default function Explorer() {
  const words = text.developer;
  const { core, config } = useSession();
  const chain = useMemo(() => connect(config), [config]);
  const [events, setEvents] = useState<ChainEvent[]>([]);
  const [span, setSpan] = useState<{ from: bigint; to: bigint } | null>(null);
  const [filter, setFilter] = useState(NO_FILTER);
  const [shown, setShown] = useState(SHOWN);
  const [place, setPlace] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  /** The one that was looked for last. */
  const [sought, setSought] = useState<Hex | null>(null);
  // Another reading, or another page, ends it after the range that is under way.
  const round = useRef(0);
  useEffect(() => () => void round.current++, []);
  /** Back from `to`, onto what is shown or in its place, until something fits. */
  const read = useTask(async (to: bigint, onto: boolean, wanted: Filter) => {
    const mine = ++round.current;
    let first = !onto;
    await readBack(chain, to, (page) => {
      if (mine !== round.current) return "enough";
      const anew = first;
      first = false;
      setEvents((known) => (anew ? page.events : [...known, ...page.events]));
      setSpan((known) => ({ from: page.from, to: anew || known === null ? page.to : known.to }));
      return page.events.some((event) => fits(event, wanted)) ? "enough" : "more";
    });
  });
  const newest = useTask(async () => {
    setSought(null);
    await read.run(await newestBlock(chain), false, filter);
  });
  const jump = useTask(async (written: string) => {
    setWrong(null);
    const to = parsePlace(written);
    if (to === null) return setWrong(words.placeWrong);
    const block = "block" in to ? to.block : await blockOf(to.transaction);
    const [oldest, last] = [BigInt(config.deployment.block), await newestBlock(chain)];
    if (block === null) return setWrong(words.noTransaction);
    if (block < oldest) return setWrong(words.blockBefore(oldest.toLocaleString(locale)));
    if (block > last) return setWrong(words.blockAhead(last.toLocaleString(locale)));
    const transaction = "transaction" in to ? to.transaction : null;
    // Its events are to be seen, whatever was looked for before.
    if (transaction !== null) setFilter(NO_FILTER);
    setSought(transaction);
    await read.run(block, false, transaction === null ? filter : NO_FILTER);
  });
  const blockOf = async (transaction: Hex) => {
    const block = await core.blockOf(transaction);
    return block === null ? null : BigInt(block);
  };
  useEffect(() => void newest.run(), [chain]);
  const names = [
    ...new Set(
      contracts(config)
        .filter((one) => filter.contract === "" || one.name === filter.contract)
        .flatMap((one) => one.abi.flatMap((item) => (item.type === "event" ? [item.name] : []))),
    ),
  ].sort();
  const found = events.filter((event) => fits(event, filter));
  return (
    <>
      <PageTitle
        title={words.events}
        aside={
          <Button size="small" busy={newest.busy} onClick={() => void newest.run()}>
            {words.newest}
          </Button>
        }
      >
        {words.eventsLead}
      </PageTitle>
      <div class="stack">
        <Form label={words.jump} onSubmit={() => void jump.run(place)}>
          <Field label={words.place} hint={words.placeHint} value={place} onInput={setPlace} error={wrong} />
          <div class="row">
            <Button type="submit" busy={jump.busy}>
              {words.jump}
            </Button>
          </div>
        </Form>
        <FaultNotice error={jump.error} />
        <div class="grid">
          <Field
            label={words.contract}
            type="select"
            value={filter.contract}
            onInput={(contract) => setFilter({ ...filter, contract, name: "" })}
            options={[
              { value: "", label: words.all },
              ...contracts(config).map((one) => ({ value: one.name, label: words.names[one.name] })),
            ]}
          />
          <Field
            label={words.event}
            type="select"
            value={filter.name}
            onInput={(name) => setFilter({ ...filter, name })}
            options={[{ value: "", label: words.all }, ...names.map((one) => ({ value: one, label: one }))]}
          />
          <Field label={words.byChart} value={filter.chart} onInput={(chart) => setFilter({ ...filter, chart })} optional />
        </div>
        <FaultNotice error={newest.error} onRetry={() => void newest.run()} />
        {span === null && (newest.busy || read.busy) && <Spinner label={words.loading} />}
        {span === null && <FaultNotice error={read.error} onRetry={() => void newest.run()} />}
        {span !== null && (
          <>
            <p class="muted small" role="status" aria-busy={read.busy}>
              {words.span(found.length, span.from.toLocaleString(locale), span.to.toLocaleString(locale))}
            </p>
            {sought !== null && !read.busy && !events.some((event) => event.transaction === sought) && (
              <Notice live>{words.noneOfTransaction}</Notice>
            )}
            {found.length === 0 && !read.busy && (
              <Empty icon={<SearchIcon size={28} />} title={words.noEvents}>
                {words.noEventsHelp}
              </Empty>
            )}
            <ul role="list" class="events">
              {found.slice(0, shown).map((event) => (
                <li key={`${event.block}-${event.logIndex}`} class="card">
                  <EventCard event={event} sought={event.transaction === sought} />
                </li>
              ))}
            </ul>
            {found.length > shown && (
              <div class="row">
                <Button onClick={() => setShown(shown + SHOWN)}>{words.showMore}</Button>
              </div>
            )}
            <FaultNotice error={read.error} />
            {span.from > BigInt(config.deployment.block) && (
              <div class="row">
                <Button busy={read.busy} onClick={() => void read.run(span.from - 1n, true, filter)}>
                  {words.older}
                </Button>
              </div>
            )}
          </>
        )}
      </div>
    </>
  );
}

function EventCard({ event, sought }: { event: ChainEvent; sought: boolean }) {
  const words = text.developer;
  return (
    <>
      <div class="row apart">
        <h2>{event.name === "" ? words.unknownEvent : event.name}</h2>
        <span class="row">
          {sought && <Tag kind="good">{words.sought}</Tag>}
          <Tag kind="accent">{words.names[event.contract]}</Tag>
        </span>
      </div>
      <p class="muted small">
        {words.inBlock(event.block.toLocaleString(locale))} <Address address={event.transaction} />
      </p>
      {event.arguments.length > 0 && (
        <dl class="facts">
          {event.arguments.map((one) => (
            <>
              <dt>
                <code>{one.name}</code>
              </dt>
              <dd class="argument">
                {/^0x[0-9a-f]{40}([0-9a-f]{24})?$/i.test(one.value) ? <Address address={one.value as Hex} /> : <Value value={one.value} />}
              </dd>
            </>
          ))}
        </dl>
      )}
    </>
  );
}

/** Long ones are for copying. */
function Value({ value }: { value: string }) {
  return value.length <= 80 ? (
    <code>{value}</code>
  ) : (
    <>
      <code>{value.slice(0, 60)}…</code> <CopyButton value={value} />
    </>
  );
}
