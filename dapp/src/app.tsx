import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { CoreError, type Chart, type Config, type Core, type Hex, type Me } from "./core/core";
import { listKeys, type StoredKey } from "./core/vault";
import type { SharedChart } from "./pages/provider/shared";
import { Unlock } from "./pages/unlock";
import { Welcome } from "./pages/welcome";
import { Words } from "./pages/welcome/words";
import { activities, followChain } from "./state/activity";
import { useAutoLock } from "./state/autolock";
import { connection, followHeads } from "./state/connection";
import { changeKey, storedKey } from "./state/keys";
import { Library } from "./state/library";
import { AddressBook } from "./state/names";
import { applyTheme, prefer, preferences } from "./state/preferences";
import { SessionContext, type Session } from "./state/session";
import { useStore } from "./state/store";
import { text } from "./text";
import { Button, LogoIcon, Notice, Spinner, navigate, useLoaded } from "./ui";
import { LockWarning } from "./ui/lock-warning";
import { Shell } from "./ui/shell";

export interface Started {
  core: Core;
  config: Config;
}

/** Three states: nobody's key is here, a key is locked, and somebody is in. */
export function App({ start }: { start: () => Promise<Started> }) {
  useLayoutEffect(applyTheme, []);
  const started = useLoaded(start, []);
  if (started.result) return <Gate {...started.result} />;
  return (
    <main class="gate">
      {started.error ? (
        <>
          <LogoIcon size={48} />
          <Notice kind="bad" live title={text.app.bootFailed}>
            <p>{text.app.bootHelp}</p>
            <p class="small muted">{started.error.message}</p>
          </Notice>
          <Button variant="primary" busy={started.busy} onClick={() => void started.run()}>{text.ui.retry}</Button>
        </>
      ) : (
        <Spinner label={text.app.loading} />
      )}
    </main>
  );
}

interface Opened {
  me: Me;
  key: StoredKey;
  /** Of a key that was just made: shown before anything else. */
  words: string[] | null;
}

function Gate({ core, config }: Started) {
  const keys = useLoaded(listKeys, []);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [adding, setAdding] = useState(false);
  const [idle, setIdle] = useState(false);

  const lock = useCallback((because: "asked" | "idle") => {
    core.lock();
    activities.set([]);
    connection.update((before) => ({ ...before, heads: null }));
    setOpened(null);
    // Whoever comes next does not land on this one's page, whose address names a chart or a record.
    navigate("/", true);
    setAdding(false);
    setIdle(because === "idle");
    // Keys may have come, changed or gone since they were listed.
    keys.reset();
    void keys.run();
  }, [core]);
  const enter = (me: Me, key: StoredKey, words: string[] | null = null) => {
    setIdle(false);
    setOpened({ me, key, words });
  };
  const made = (me: Me, key: StoredKey, words: string[]) => {
    // Due until they are confirmed: the page may be closed, or lock itself, before that.
    prefer({ wordsDue: [...preferences.get().wordsDue, me.address] });
    enter(me, key, words);
  };
  const leaveWords = ({ me, key }: Opened, confirmed: boolean) => {
    if (confirmed) prefer({ wordsDue: preferences.get().wordsDue.filter((one) => one !== me.address) });
    enter(me, key);
  };
  useAutoLock(opened !== null, () => lock("idle"));

  if (opened?.words) {
    return (
      <>
        <Words core={core} words={opened.words} stored={opened.key} onDone={(confirmed) => leaveWords(opened, confirmed)} />
        <LockWarning />
      </>
    );
  }
  if (opened) {
    // It may have been locked while the key was changed, and another opened.
    const onKey = (key: StoredKey) => setOpened((before) => (before?.key.address === key.address ? { ...before, key } : before));
    return (
      <>
        <Inside core={core} config={config} opened={opened} onKey={onKey} onLock={lock} />
        <LockWarning />
      </>
    );
  }
  if (!keys.result) return <main class="gate"><Spinner label={text.app.loading} /></main>;
  if (keys.result.length === 0 || adding) {
    return <Welcome core={core} onOpened={enter} onMade={made} onBack={keys.result.length > 0 ? () => setAdding(false) : null} />;
  }
  return <Unlock core={core} keys={keys.result} idle={idle} onOpened={enter} onAdd={() => setAdding(true)} onChanged={() => void keys.run()} />;
}

interface InsideProps extends Started {
  opened: Opened;
  onKey: (key: StoredKey) => void;
  onLock: (because: "asked" | "idle") => void;
}

function Inside({ core, config, opened, onKey, onLock }: InsideProps) {
  const { me, key } = opened;
  const names = useMemo(() => new AddressBook(core, me.address), [core, me.address]);
  useStore(names.entries);
  const [charts, setCharts] = useState<Chart[] | null>(null);
  const [chart, setChart] = useState<Hex | null>(null);
  // What is decrypted goes with the session: the next account must not find it.
  const libraries = useRef(new Map<Hex, Library>());
  const sharedCharts = useRef(new Map<Hex, SharedChart>());
  const [organisation, setOrganisation] = useState<Hex | null>(null);

  const selectChart = (to: Hex) => {
    setChart(to);
    prefer({ charts: { ...preferences.get().charts, [me.address]: to } });
  };
  const reloadCharts = async () => {
    const all = await core.charts();
    setCharts(all);
    setChart((before) => {
      const wanted = before ?? preferences.get().charts[me.address];
      return (all.find((one) => one.chart === wanted) ?? all[0])?.chart ?? null;
    });
    return all;
  };
  const library = (of: Hex) => {
    const known = libraries.current.get(of) ?? new Library(core, of, "PATRQT");
    libraries.current.set(of, known);
    return known;
  };
  const actFor = async (to: Hex | null) => {
    // What goes on was begun for somebody: it must not end for somebody else.
    if (activities.get().some(({ state }) => state === "working")) {
      throw new CoreError({ kind: "busy", message: text.organisation.busy, reason: null });
    }
    await core.actFor(to);
    // What one may open for an organisation is not what one may open for oneself.
    sharedCharts.current.clear();
    setOrganisation(to);
  };
  useEffect(() => names.follow(), [names]);
  useEffect(() => followHeads(core), [core]);
  useEffect(() => followChain(core), [core]);

  const session: Session = {
    core, config, me, key, names, charts, chart, selectChart, reloadCharts, library, organisation, actFor, sharedCharts: sharedCharts.current,
    changeKey: async (change) => onKey(await changeKey(key.address, change)),
    reloadKey: async () => {
      const now = await storedKey(key.address);
      if (now) onKey(now);
      return now;
    },
    lock: () => onLock("asked"),
  };
  return (
    <SessionContext.Provider value={session}>
      <Shell />
    </SessionContext.Provider>
  );
}
