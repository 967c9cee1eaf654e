// What was billed about the patient's chart, and to whom.
import { useState } from "preact/hooks";
import type { Hex } from "../../core/core";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Button, Card, PageTitle, TransactionDialog, useRoute } from "../../ui";
import { ClaimPage } from "../claims/claim";
import { ClaimList } from "../claims/list";

export default function Claims({ chart }: { chart: Hex }) {
  const words = text.claims;
  const { core } = useSession();
  const [, claim] = useRoute().segments;
  const [sharing, setSharing] = useState(false);
  if (claim !== undefined) return <ClaimPage claim={claim} />;
  return (
    <>
      <PageTitle title={words.title}>{words.patientLead}</PageTitle>
      <div class="stack">
        <ClaimList of={{ of: "chart", chart }} base="/claims" none={words.noneOfChart} />
        <Card title={words.billing}>
          <ul class="points">{words.billingPoints.map((point) => <li key={point}>{point}</li>)}</ul>
          <div class="row"><Button onClick={() => setSharing(true)}>{words.allowBilling}</Button></div>
        </Card>
      </div>
      {sharing && (
        <TransactionDialog
          title={words.allowBilling} confirm={words.allowBilling} summary={words.allowBillingSummary}
          act={(watch) => core.shareFingerprintKey(chart, watch)} onClose={() => setSharing(false)}
        />
      )}
    </>
  );
}
