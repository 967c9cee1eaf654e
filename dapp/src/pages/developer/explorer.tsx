import { useEffect, useMemo, useState } from "preact/hooks";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address, Button, CopyButton, Empty, FaultNotice, Field, PageTitle, SearchIcon, Spinner, Tag, useTask } from "../../ui";
import type { Hex } from "../../core/core";
import { contracts } from "./contracts";
import { connect, load, type ChainEvent } from "./events";

export default function Explorer() {
  const words = text.developer;
  const { config } = useSession();
  const client = useMemo(() => connect(config), [config]);
  const [events, setEvents] = useState<ChainEvent[]>([]);
  const [span, setSpan] = useState<{ from: bigint; to: bigint } | null>(null);
  const [contract, setContract] = useState("");
  const [name, setName] = useState("");
  const [chart, setChart] = useState("");
  const newest = useTask(async () => {
    const page = await load(client, config);
    setEvents(page.events);
    setSpan({ from: page.from, to: page.to });
  });
  const older = useTask(async (before: bigint) => {
    const page = await load(client, config, before - 1n);
    setEvents((known) => [...known, ...page.events]);
    setSpan((known) => ({ from: page.from, to: known?.to ?? page.to }));
  });
  useEffect(() => void newest.run(), [client]);
  const names = [
    ...new Set(
      contracts(config)
        .filter((one) => contract === "" || one.name === contract)
        .flatMap((one) => one.abi.flatMap((item) => (item.type === "event" ? [item.name] : []))),
    ),
  ].sort();
  const wanted = chart.trim().toLowerCase();
  const found = events.filter(
    (event) =>
      (contract === "" || event.contract === contract) &&
      (name === "" || event.name === name) &&
      (wanted === "" || event.arguments.some((one) => one.name === "chart" && one.value.toLowerCase().includes(wanted))),
  );
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
        <div class="grid">
          <Field
            label={words.contract}
            type="select"
            value={contract}
            onInput={(value) => {
              setContract(value);
              setName("");
            }}
            options={[
              { value: "", label: words.all },
              ...contracts(config).map((one) => ({ value: one.name, label: words.names[one.name] })),
            ]}
          />
          <Field
            label={words.event}
            type="select"
            value={name}
            onInput={setName}
            options={[{ value: "", label: words.all }, ...names.map((one) => ({ value: one, label: one }))]}
          />
          <Field label={words.byChart} value={chart} onInput={setChart} optional />
        </div>
        <FaultNotice error={newest.error} onRetry={() => void newest.run()} />
        {span === null && newest.error === null && <Spinner label={words.loading} />}
        {span !== null && (
          <>
            <p class="muted small" role="status">
              {words.span(found.length, span.from.toLocaleString("en"), span.to.toLocaleString("en"))}
            </p>
            {found.length === 0 && (
              <Empty icon={<SearchIcon size={28} />} title={words.noEvents}>
                {words.noEventsHelp}
              </Empty>
            )}
            <ul role="list" class="events">
              {found.map((event) => (
                <li key={`${event.block}-${event.logIndex}`} class="card">
                  <EventCard event={event} />
                </li>
              ))}
            </ul>
            <FaultNotice error={older.error} />
            {span.from > 0n && (
              <div class="row">
                <Button busy={older.busy} onClick={() => void older.run(span.from)}>
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

function EventCard({ event }: { event: ChainEvent }) {
  const words = text.developer;
  return (
    <>
      <div class="row apart">
        <h2>{event.name === "" ? words.unknownEvent : event.name}</h2>
        <Tag kind="accent">{words.names[event.contract]}</Tag>
      </div>
      <p class="muted small">
        {words.inBlock(event.block.toLocaleString("en"))} <Address address={event.transaction} />
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
