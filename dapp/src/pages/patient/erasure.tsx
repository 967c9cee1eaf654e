import type { Erasure } from "../../core/core";
import { text } from "../../text";
import { Notice } from "../../ui";

/** What is left of a deleted record, in words. */
export function ErasureReport({ erasure }: { erasure: Erasure }) {
  const { remains } = text.record;
  return (
    <Notice kind={erasure.complete ? "good" : "info"} live>
      <p>{erasure.complete ? text.record.erased : text.record.erasedPartly}</p>
      {!erasure.complete && (
        <ul>
          {erasure.versions.map((version) => (
            <li key={version.version}>{text.record.erasedVersion(version.version, remains[version.envelope], remains[version.payload])}</li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
