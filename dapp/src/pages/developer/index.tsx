// For those who build on Medlock: its contracts, its interfaces, and what happens on the chain.
import { text } from "../../text";
import { PageBoundary, useRoute } from "../../ui";
import { lazy } from "../../ui/lazy";
import { AreaNav, NoPage } from "../area";
import { Chain } from "./chain";
import "../../style/developer.css";

/** With viem, which is the largest library of all. */
const Explorer = lazy(() => import("./explorer"));

export default function Developer() {
  const words = text.developer;
  const [, page] = useRoute().segments;
  return (
    <>
      <AreaNav
        label={words.nav}
        entries={[
          { to: "/developer", label: words.chain },
          { to: "/developer/events", label: words.events },
        ]}
      />
      <PageBoundary>
        {page === undefined ? <Chain /> : page === "events" ? <Explorer /> : <NoPage />}
      </PageBoundary>
    </>
  );
}
