import { useSession } from "../../state/session";
import { locale, text } from "../../text";
import { Address, Button, Card, CopyButton, download, FaultNotice, PageTitle, useLoaded } from "../../ui";
import { contracts } from "./contracts";

export function Chain() {
  const words = text.developer;
  const { core, config } = useSession();
  const { deployment } = config;
  const heads = useLoaded(() => core.heads(), []);
  const number = (value: number | undefined) => (value === undefined ? "…" : value.toLocaleString(locale));
  return (
    <>
      <PageTitle title={words.chain}>{words.chainLead}</PageTitle>
      <div class="stack">
        <Card title={words.contracts}>
          <ul role="list" class="contracts">
            {contracts(config).map((contract) => (
              <li key={contract.name}>
                <div>
                  <strong>{words.names[contract.name]}</strong>
                  <p class="muted small">{words.purposes[contract.name]}</p>
                  <Address address={contract.address} />
                </div>
                <Button
                  size="small"
                  label={words.abiOf(contract.interfaceName)}
                  onClick={() =>
                    download(
                      `${contract.interfaceName}.json`,
                      new Blob([JSON.stringify(contract.abi, null, 2)], { type: "application/json" }),
                    )
                  }
                >
                  {words.abi}
                </Button>
              </li>
            ))}
          </ul>
        </Card>
        <Card
          title={words.network}
          aside={
            <Button size="small" busy={heads.busy} onClick={() => void heads.run()}>
              {words.refresh}
            </Button>
          }
        >
          <FaultNotice error={heads.error} onRetry={() => void heads.run()} />
          <dl class="facts">
            <dt>{words.chainId}</dt>
            <dd>
              {deployment.chain_id} <CopyButton value={String(deployment.chain_id)} />
            </dd>
            <dt>{words.rpc}</dt>
            <dd class="argument">
              <code>{config.rpc}</code> <CopyButton value={config.rpc} />
            </dd>
            <dt>{words.genesis}</dt>
            <dd>
              <Address address={deployment.genesis_hash} />
            </dd>
            <dt>{words.deployedIn}</dt>
            <dd>{number(deployment.block)}</dd>
            <dt>{words.gateway}</dt>
            <dd>
              <Address address={deployment.gateway} />
            </dd>
            <dt>{words.relay}</dt>
            <dd>{config.relay ? text.fhir.yes : text.fhir.no}</dd>
            <dt>{words.newestBlock}</dt>
            <dd>{number(heads.result?.chain)}</dd>
            <dt>{words.indexedBlock}</dt>
            <dd>{number(heads.result?.index)}</dd>
            <dt>{words.finalBlock}</dt>
            <dd>{heads.result?.final === 0 ? words.notSaid : number(heads.result?.final)}</dd>
          </dl>
        </Card>
        <Card title={words.interfaces}>
          <p>{words.interfacesHelp}</p>
          <div class="row">
            <a class="button" href="/docs">
              {words.docs}
            </a>
            <a class="button" href="/openapi.json">
              {words.openapi}
            </a>
          </div>
        </Card>
      </div>
    </>
  );
}
