// A FHIR R4 Claim of one service, as the client reads it (crates/billing).
import type { Hex } from "../../core/core";

export interface Service {
  /** Of the code; a URL. */
  system: string;
  code: string;
  /** `2026-01-31`. */
  day: string;
  /** Of our own numbering. */
  encounter: string;
  /** `120.50`. */
  amount: string;
  currency: string;
}

export interface Parties {
  chart: Hex;
  provider: Hex;
  insurer: Hex;
  chainId: number;
}

export function fhirClaim({ chart, provider, insurer, chainId }: Parties, service: Service): string {
  const account = (of: Hex) => ({ type: "Organization", identifier: { system: "urn:ietf:rfc:3986", value: `did:pkh:eip155:${chainId}:${of}` } });
  const coding = (system: string, code: string) => ({ coding: [{ system, code }] });
  const encounter = encodeURIComponent(service.encounter.trim()).replace(/[^A-Za-z0-9.-]/g, "-").slice(0, 64);
  // FHIR wants the number as it is written: JSON.stringify would drop the last zero of 120.50.
  const net = "\u0000net";
  const claim = {
    resourceType: "Claim",
    status: "active",
    type: coding("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
    use: "claim",
    patient: { reference: `Patient/${chart.slice(2)}` },
    created: new Date().toISOString().slice(0, 10),
    insurer: account(insurer),
    provider: account(provider),
    priority: coding("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
    insurance: [{ sequence: 1, focal: true, coverage: { reference: "Coverage/1" } }],
    item: [
      {
        sequence: 1,
        productOrService: coding(service.system.trim(), service.code.trim()),
        servicedDate: service.day,
        net,
        encounter: [{ reference: `Encounter/${encounter}` }],
      },
    ],
    total: net,
  };
  const money = `{"value":${service.amount.trim().replace(/^0+(?=\d)/, "")},"currency":${JSON.stringify(service.currency.trim().toUpperCase())}}`;
  return JSON.stringify(claim).replaceAll(JSON.stringify(net), money);
}
