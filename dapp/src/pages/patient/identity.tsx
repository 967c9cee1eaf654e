import encodeQR from "qr";
import { useState } from "preact/hooks";
import { useIndexed } from "../../state/activity";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Address, Button, Card, CopyButton, FaultNotice, Notice, PageTitle, Spinner, TransactionDialog, download, useLoaded } from "../../ui";
import { PartyFacts } from "../../ui/party";
import { QrCode } from "../../ui/qr";

/** A link that asks for a share with us: who opens it chooses what. */
export function identityLink(address: string, name: string): string {
  const query = new URLSearchParams({ with: address, ...(name === "" ? {} : { name }) });
  return `${location.origin}/#/share?${query}`;
}

export function Identity() {
  const { core, me, key, chart } = useSession();
  const [asked, setAsked] = useState(false);
  const published = useLoaded(() => core.isPublished(), [useIndexed()]);
  const party = useLoaded(() => core.party(me.address), []);
  const link = identityLink(me.address, key.name);
  const savePicture = () => download("medlock.svg", new Blob([encodeQR(link, "svg")], { type: "image/svg+xml" }));
  return (
    <>
      <PageTitle title={text.identity.title}>{text.identity.lead}</PageTitle>
      <div class="columns">
        <Card title={text.identity.link}>
          <QrCode value={link} label={text.identity.code} />
          <div class="row">
            <CopyButton value={link}>{text.identity.copy}</CopyButton>
            <Button onClick={savePicture}>{text.identity.save}</Button>
          </div>
          <p class="small muted">{text.identity.safe}</p>
        </Card>
        <Card title={key.name || text.ui.you}>
          <dl class="facts">
            <dt>{text.identity.address}</dt>
            <dd><Address address={me.address} /></dd>
            {chart && <><dt>{text.identity.chart}</dt><dd><Address address={chart} /><p class="small muted">{text.identity.chartHint}</p></dd></>}
          </dl>
          <h3>{text.identity.state}</h3>
          {published.result === undefined && !published.error && <Spinner />}
          <FaultNotice error={published.error} onRetry={() => void published.run()} />
          {published.result === true && <Notice kind="good">{text.identity.published}</Notice>}
          {published.result === false && (
            <Notice kind="warning">
              <p>{text.identity.unpublished}</p>
              <Button size="small" onClick={() => setAsked(true)}>{text.identity.publish}</Button>
            </Notice>
          )}
          {party.result?.credential && (
            <>
              <h3>{text.identity.register}</h3>
              <PartyFacts party={party.result} />
            </>
          )}
        </Card>
      </div>
      {asked && (
        <TransactionDialog
          title={text.identity.publish} summary={text.identity.publishSummary} confirm={text.identity.publish}
          act={(watch) => core.publishKey(watch)} onDone={() => void published.run()} onClose={() => setAsked(false)}
        />
      )}
    </>
  );
}
