// What stands around every page of somebody who is signed in.
import { useEffect, useState } from "preact/hooks";
import { PatientPages } from "../pages/patient";
import { Settings } from "../pages/settings";
import { connection } from "../state/connection";
import { preferences } from "../state/preferences";
import { useSession } from "../state/session";
import { useStore } from "../state/store";
import { text } from "../text";
import { Address, Notice } from "./blocks";
import { PageBoundary } from "./boundary";
import {
  CheckIcon, DocumentIcon, DownIcon, EmergencyIcon, ExportIcon, EyeIcon, IdentityIcon, ImportIcon, LockIcon, LogoIcon, MoreIcon, OfflineIcon, PersonIcon,
  RecordsIcon, SettingsIcon, ShareIcon, type IconProps,
} from "./icons";
import { lazy } from "./lazy";
import { Link, useRoute } from "./router";
import { Activities, Pending } from "./transaction";

const Provider = lazy(() => import("../pages/provider"));
const Insurer = lazy(() => import("../pages/insurer"));
const Supply = lazy(() => import("../pages/supply"));
const Trials = lazy(() => import("../pages/trials"));
const Developer = lazy(() => import("../pages/developer"));

type Area = keyof typeof text.shell.areas;

interface Entry {
  to: string;
  label: string;
  short?: string;
  Icon: (props: IconProps) => preact.JSX.Element;
  /** In the bar at the bottom of a phone, which has room for few. */
  main: boolean;
}

const { nav } = text.shell;
const patient: Entry[] = [
  { to: "/records", label: nav.records, Icon: RecordsIcon, main: true },
  { to: "/import", label: nav.import, short: nav.importShort, Icon: ImportIcon, main: true },
  { to: "/shares", label: nav.shares, Icon: ShareIcon, main: true },
  { to: "/log", label: nav.log, Icon: EyeIcon, main: true },
  { to: "/claims", label: nav.claims, Icon: DocumentIcon, main: false },
  { to: "/medicines", label: nav.medicines, Icon: CheckIcon, main: false },
  { to: "/emergency", label: nav.emergency, Icon: EmergencyIcon, main: false },
  { to: "/identity", label: nav.identity, Icon: IdentityIcon, main: false },
  { to: "/charts", label: nav.charts, Icon: DocumentIcon, main: false },
  { to: "/export", label: nav.export, Icon: ExportIcon, main: false },
  { to: "/settings", label: nav.settings, Icon: SettingsIcon, main: false },
];

/** The index is a few blocks behind at all times; only what somebody would notice is worth a word. */
const LAG_BLOCKS = 20;

export function Shell() {
  const session = useSession();
  const route = useRoute();
  const area = areaOf(route.segments[0]);
  useEffect(() => {
    // A file that is dropped beside its place would replace the page, and lock everything with it.
    const ignore = (event: DragEvent) => event.preventDefault();
    window.addEventListener("dragover", ignore);
    window.addEventListener("drop", ignore);
    return () => {
      window.removeEventListener("dragover", ignore);
      window.removeEventListener("drop", ignore);
    };
  }, []);
  const more = patient.some((entry) => !entry.main && isAt(route.path, entry.to)) || route.path === "/more";
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={toContent}>{text.app.skip}</a>
      <header class="bar no-print">
        <Link to="/" class="brand" label={text.app.name}>
          <LogoIcon />
          <span>{text.app.name}</span>
        </Link>
        <div class="row bar-end">
          <AreaSwitch area={area} />
          <button type="button" class="button small" onClick={session.lock} aria-label={text.shell.lockLong}>
            <LockIcon size={18} />
            <span class="wide-only">{text.shell.lock}</span>
          </button>
        </div>
      </header>
      {area === "patient" && (
        <>
          <nav class="side no-print" aria-label={text.shell.main}>
            <ul role="list">
              {patient.map((entry) => (
                <li key={entry.to}>
                  <Link to={entry.to} current={isAt(route.path, entry.to)}>
                    <entry.Icon />
                    {entry.label}
                  </Link>
                </li>
              ))}
            </ul>
            <div class="side-foot small">
              <Pending />
              <span class="muted">{text.shell.signedInAs}</span>
              <Address address={session.me.address} name={session.key.name} />
            </div>
          </nav>
          <nav class="bottom no-print" aria-label={text.shell.main}>
            {patient.filter((entry) => entry.main).map((entry) => (
              <Link key={entry.to} to={entry.to} current={isAt(route.path, entry.to)}>
                <entry.Icon size={22} />
                {entry.short ?? entry.label}
              </Link>
            ))}
            <Link to="/more" current={more}>
              <MoreIcon size={22} />
              {nav.more}
            </Link>
          </nav>
        </>
      )}
      <main id="content" class={area === "patient" ? "content" : "content alone"} tabIndex={-1}>
        <State />
        <PageBoundary>
          {route.segments[0] === "settings" ? <Settings />
            : area === "provider" ? <Provider />
            : area === "insurer" ? <Insurer />
            : area === "supply" ? <Supply />
            : area === "trials" ? <Trials />
            : area === "developer" ? <Developer />
            : <PatientPages />}
        </PageBoundary>
      </main>
      <Activities />
    </div>
  );
}

/** The other pages of the patient's area, for the bar that has no room for them. */
export function MoreLinks() {
  return (
    <div class="stack">
      <ul role="list" class="more-links">
        {patient.filter((entry) => !entry.main).map((entry) => (
          <li key={entry.to}>
            <Link to={entry.to}>
              <entry.Icon size={24} />
              {entry.label}
            </Link>
          </li>
        ))}
      </ul>
      <Pending />
    </div>
  );
}

function isAt(path: string, to: string): boolean {
  return path === to || path.startsWith(`${to}/`) || (to === "/records" && path === "/") || (to === "/shares" && path === "/share");
}

function areaOf(segment: string | undefined): Area {
  return segment === "provider" || segment === "insurer" || segment === "supply" || segment === "trials" || segment === "developer" ? segment : "patient";
}

/** `#content` as an address would be a route. */
function toContent(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function AreaSwitch({ area }: { area: Area }) {
  const areas = Object.entries(text.shell.areas) as [Area, string][];
  const close = () => document.getElementById("areas")?.hidePopover();
  return (
    <>
      <button type="button" class="button small bare" popovertarget="areas" aria-label={`${text.shell.useAs}: ${text.shell.areas[area]}`}>
        <PersonIcon size={18} />
        {text.shell.areas[area]}
        <DownIcon size={16} />
      </button>
      <nav id="areas" popover="auto" class="menu" aria-label={text.shell.useAs}>
        <p class="muted small">{text.shell.useAs}</p>
        {areas.map(([id, label]) => (
          <Link key={id} to={id === "patient" ? "/" : `/${id}`} current={id === area} onClick={close}>{label}</Link>
        ))}
        <hr />
        <Link to="/settings" onClick={close}>{nav.settings}</Link>
      </nav>
    </>
  );
}

/** What somebody should know whatever page they are on. */
function State() {
  const { me } = useSession();
  const { online, heads } = useStore(connection);
  const { wordsDue } = useStore(preferences);
  const lag = useLasting(heads ? heads.chain - heads.index : 0);
  return (
    <div class="state no-print" role="status">
      {!online && (
        <div class="notice warning">
          <OfflineIcon />
          <span>{text.shell.offline}</span>
        </div>
      )}
      {online && lag > LAG_BLOCKS && <Notice kind="warning">{text.shell.behind(lag)}</Notice>}
      {wordsDue.includes(me.address) && (
        <Notice kind="warning">
          <span class="row apart">
            <span class="grow">{text.shell.wordsDue}</span>
            <Link to="/settings/words" class="button small">{text.shell.wordsDo}</Link>
          </span>
        </Notice>
      )}
    </div>
  );
}

/** Without a blink: a lag counts once it was there twice. */
function useLasting(lag: number): number {
  const [before, setBefore] = useState(0);
  useEffect(() => setBefore(lag), [lag]);
  return Math.min(before, lag);
}

