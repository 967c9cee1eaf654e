// For those who treat people: charts that are shared with us, what is new in them, and who we are to patients.
import { parseWord } from "../../hex";
import { useNames } from "../../state/names";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { PageBoundary, useRoute } from "../../ui";
import { lazy } from "../../ui/lazy";
import { AreaNav, NoPage } from "../area";
import { ChartPage } from "./chart";
import { Glass } from "./glass";
import { Identity } from "./identity";
import { ActingFor, Organisation } from "./organisation";
import { Patients } from "./patients";
import { SharedRecord } from "./record";
import { WorkList } from "./work";
import { Write } from "./write";
import "../../style/provider.css";

const Claims = lazy(() => import("./claims"));

export default function Provider() {
  const words = text.provider;
  const { segments } = useRoute();
  useNames();
  const { organisation } = useSession();
  const [, page, chartId = "", sub, recordId = ""] = segments;
  const chart = parseWord(chartId);
  const record = parseWord(recordId);
  return (
    <>
      <AreaNav
        label={words.nav}
        entries={[
          { to: "/provider", label: words.patients },
          { to: "/provider/work", label: words.work },
          { to: "/provider/claims", label: text.claims.nav },
          { to: "/provider/identity", label: words.identity },
          { to: "/provider/organisation", label: text.organisation.nav },
          { to: "/provider/emergency", label: text.glass.nav },
        ]}
      />
      <ActingFor />
      <PageBoundary key={organisation}>
        {page === undefined ? (
          <Patients />
        ) : page === "work" ? (
          <WorkList />
        ) : page === "claims" ? (
          <Claims />
        ) : page === "identity" ? (
          <Identity area="provider" />
        ) : page === "organisation" ? (
          <Organisation />
        ) : page === "emergency" ? (
          <Glass />
        ) : page === "chart" && chart !== null && sub === undefined ? (
          <ChartPage key={chart} chart={chart} />
        ) : page === "chart" && chart !== null && sub === "new" ? (
          <Write key={chart} chart={chart} />
        ) : page === "chart" && chart !== null && sub === "record" && record !== null ? (
          <SharedRecord key={record} chart={chart} record={record} />
        ) : (
          <NoPage />
        )}
      </PageBoundary>
    </>
  );
}
