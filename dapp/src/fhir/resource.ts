// A record's content as a FHIR resource. Parsed once: the same Blob is asked for by lists, pages and plots.
import { useEffect, useState } from "preact/hooks";
import type { RecordDocument } from "../core/core";
import { at, isResource, string, type Json, type Maybe, type Resource } from "./json";

const parsed = new WeakMap<Blob, Resource | null>();
const pending = new WeakMap<Blob, Promise<Resource | null>>();

export function isFhir(document: RecordDocument): boolean {
  return /^application\/(fhir\+)?json\b/.test(document.metadata.mediaType);
}

/** The resource, or null where the record is not one. From then on `knownResource` and `summarise` have it. */
export function loadResource(document: RecordDocument): Promise<Resource | null> {
  const { content } = document;
  const known = parsed.get(content);
  if (known !== undefined) return Promise.resolve(known);
  let task = pending.get(content);
  if (task === undefined) {
    task = parse(document).then((resource) => {
      parsed.set(content, resource);
      pending.delete(content);
      return resource;
    });
    pending.set(content, task);
  }
  return task;
}

/** What `loadResource` has found; undefined: it was not asked or is not done. */
export function knownResource(document: RecordDocument): Resource | null | undefined {
  return parsed.get(document.content);
}

async function parse(document: RecordDocument): Promise<Resource | null> {
  if (!isFhir(document)) return null;
  try {
    const value: unknown = JSON.parse(await document.content.text());
    return isResource(value) ? value : null;
  } catch {
    return null;
  }
}

/** undefined while it is parsed; null: it is no FHIR resource. */
export function useResource(document: RecordDocument): Resource | null | undefined {
  const [, again] = useState(0);
  const known = knownResource(document);
  useEffect(() => {
    if (known !== undefined) return;
    let here = true;
    void loadResource(document).then(() => here && again((count) => count + 1));
    return () => {
      here = false;
    };
  }, [document, known]);
  return known;
}

export interface Related {
  document: RecordDocument;
  resource: Resource;
}

/** Those of the records that are FHIR resources, once they are parsed. */
export function useRelated(documents: readonly RecordDocument[]): Related[] {
  const [related, setRelated] = useState<Related[]>([]);
  useEffect(() => {
    let here = true;
    void Promise.all(documents.map(async (document) => ({ document, resource: await loadResource(document) }))).then((all) => {
      if (here) setRelated(all.filter((one): one is Related => one.resource !== null));
    });
    return () => {
      here = false;
    };
  }, [documents]);
  return related;
}

/** What a Reference names: among the contained resources, else among the related records, by id. */
export function resolve(reference: Maybe, within: Resource, related: readonly Related[]): Resource | undefined {
  const name = string(at(reference, "reference"));
  if (name === undefined) return undefined;
  if (name.startsWith("#")) {
    const contained = Array.isArray(within["contained"]) ? within["contained"] : [];
    return contained.find((one: Json): one is Resource => isResource(one) && one["id"] === name.slice(1));
  }
  const id = name
    .replace(/\/_history\/.*$/, "")
    .split(/[/:]/)
    .pop();
  return related.find(({ resource }) => resource["id"] === id)?.resource;
}
