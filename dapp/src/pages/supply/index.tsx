// For those who make, trade and dispense drugs: what a package is, what we hold, and who has offered what to whom.
import { useSession } from "../../state/session";
import { text } from "../../text";
import { PageBoundary, useRoute } from "../../ui";
import { AreaNav, NoPage } from "../area";
import { ActingFor } from "../provider/organisation";
import { Check } from "./check";
import { Recalls } from "./recalls";
import { Register } from "./register";
import { Shipments } from "./shipments";
import { Units } from "./units";

export default function Supply() {
  const words = text.supply;
  const { organisation } = useSession();
  const [, page] = useRoute().segments;
  return (
    <>
      <AreaNav
        label={words.nav}
        entries={[
          { to: "/supply", label: words.check },
          { to: "/supply/units", label: words.units },
          { to: "/supply/shipments", label: words.shipments },
          { to: "/supply/register", label: words.register },
          { to: "/supply/recalls", label: words.recalls },
        ]}
      />
      <ActingFor />
      <PageBoundary key={organisation}>
        {page === undefined ? (
          <Check />
        ) : page === "units" ? (
          <Units />
        ) : page === "shipments" ? (
          <Shipments />
        ) : page === "register" ? (
          <Register />
        ) : page === "recalls" ? (
          <Recalls />
        ) : (
          <NoPage />
        )}
      </PageBoundary>
    </>
  );
}
