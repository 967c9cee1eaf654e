// Clinical trials: for sponsors, sites, participants, and whoever reads what was published.
import { text } from "../../text";
import { PageBoundary, useRoute } from "../../ui";
import { AreaNav, NoPage } from "../area";
import { Check } from "./check";
import { TrialList } from "./list";
import { Register } from "./register";
import { TrialPage } from "./trial";

export default function Trials() {
  const words = text.trials;
  const [, page, ...more] = useRoute().segments;
  return (
    <>
      <AreaNav
        label={words.nav}
        entries={[
          { to: "/trials", label: words.list },
          { to: "/trials/register", label: words.register },
          { to: "/trials/verify", label: words.verify },
        ]}
      />
      <PageBoundary>
        {more.length > 0 ? (
          <NoPage />
        ) : page === undefined ? (
          <TrialList />
        ) : page === "register" ? (
          <Register />
        ) : page === "verify" ? (
          <Check />
        ) : (
          <TrialPage trial={page} />
        )}
      </PageBoundary>
    </>
  );
}
