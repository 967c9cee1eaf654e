import type { Hex } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { FaultNotice, Link, PageTitle, Spinner, useLoaded, useRoute } from "../../ui";
import { lazy } from "../../ui/lazy";
import { MoreLinks } from "../../ui/shell";
import { Charts } from "./charts";
import { Exports } from "./exports";
import { Identity } from "./identity";
import { Import } from "./import";
import { Log } from "./log";
import { RecordPage } from "./record";
import { Records } from "./records";
import { Setup } from "./setup";
import { Share } from "./share";
import { Shares } from "./shares";

const Claims = lazy(() => import("./claims"));
const Medicines = lazy(() => import("./medicines"));
const Emergency = lazy(() => import("../emergency"));
const EmergencyAccess = lazy(() => import("../emergency/access"));

export function PatientPages() {
  const { charts, chart, reloadCharts } = useSession();
  const { segments } = useRoute();
  const indexed = useIndexed();
  const loading = useLoaded(async () => {
    // Where there is none yet, the page that opens one looks for it.
    if (charts === null || (charts.length > 0 && indexed > 0)) await reloadCharts();
  }, [indexed]);
  if (segments[0] === "identity") return <Identity />;
  if (segments[0] === "more") return <><PageTitle title={text.shell.nav.more} /><MoreLinks /></>;
  if (charts === null) {
    return loading.error ? <FaultNotice error={loading.error} onRetry={() => void loading.run()} /> : <Spinner label={text.records.listing} />;
  }
  // Another chart is another page: nothing of the one before stays in a form.
  return chart === null ? <Setup /> : <OfChart key={chart} chart={chart} />;
}

function OfChart({ chart }: { chart: Hex }) {
  const [page = "records", record] = useRoute().segments;
  if (page === "emergency" && record === "access") return <EmergencyAccess chart={chart} />;
  switch (page) {
    case "records":
      return record ? <RecordPage key={record} chart={chart} record={record as Hex} /> : <Records chart={chart} />;
    case "import":
      return <Import chart={chart} />;
    case "shares":
      return <Shares chart={chart} />;
    case "share":
      return <Share chart={chart} />;
    case "log":
      return <Log chart={chart} />;
    case "medicines":
      return <Medicines chart={chart} />;
    case "claims":
      return <Claims chart={chart} />;
    case "emergency":
      return <Emergency />;
    case "export":
      return <Exports chart={chart} />;
    case "charts":
      return <Charts />;
    default:
      return (
        <>
          <PageTitle title={text.app.notFound} />
          <div class="stack">
            <p>{text.app.notFoundHelp}</p>
            <div><Link to="/" class="button primary">{text.app.home}</Link></div>
          </div>
        </>
      );
  }
}
