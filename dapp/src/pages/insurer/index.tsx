// For insurers: "may I?", answered by a signed yes or no and without data.
import { text } from "../../text";
import { PageBoundary, useRoute } from "../../ui";
import { lazy } from "../../ui/lazy";
import { AreaNav, NoPage } from "../area";
import { Identity } from "../provider/identity";
import { Ask } from "./ask";
import { Check } from "./check";
import { Many } from "./many";
import { History } from "./past";
import "../../style/insurer.css";

const Claims = lazy(() => import("./claims"));

export default function Insurer() {
  const words = text.insurer;
  const [, page] = useRoute().segments;
  return (
    <>
      <AreaNav
        label={words.nav}
        entries={[
          { to: "/insurer", label: words.ask },
          { to: "/insurer/many", label: words.many },
          { to: "/insurer/claims", label: text.claims.nav },
          { to: "/insurer/identity", label: text.provider.identity },
          { to: "/insurer/check", label: words.check },
          { to: "/insurer/history", label: words.history },
        ]}
      />
      <PageBoundary>
        {page === undefined ? (
          <Ask />
        ) : page === "many" ? (
          <Many />
        ) : page === "claims" ? (
          <Claims />
        ) : page === "identity" ? (
          <Identity area="insurer" />
        ) : page === "check" ? (
          <Check />
        ) : page === "history" ? (
          <History />
        ) : (
          <NoPage />
        )}
      </PageBoundary>
    </>
  );
}
