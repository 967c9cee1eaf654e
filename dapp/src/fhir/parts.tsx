// What all views of records are built from.
import type { ComponentChildren } from "preact";
import { text } from "../text";
import { at, string, type Maybe, type Resource } from "./json";
import { resolve, type Related } from "./resource";
import { summariseResource } from "./summary";
import { isOpaque, properName } from "./words";

export interface ViewProps {
  resource: Resource;
  related: readonly Related[];
}

export type Fact = [label: string, content: ComponentChildren];

/** Labelled facts; those that there is nothing to say of are left out. */
export function Facts({ facts }: { facts: Fact[] }) {
  const shown = facts.filter(([, content]) => content !== undefined && content !== null && content !== "" && content !== false);
  if (shown.length === 0) return null;
  return (
    <dl class="fhir-facts">
      {shown.map(([label, content]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{content}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="fhir-section">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** The one thing to see first, and how it stands. What the record is called stands above. */
export function Headline({ children, note }: { children?: ComponentChildren; note?: ComponentChildren }) {
  if (children === undefined && (note === undefined || note === null)) return null;
  return (
    <p class="fhir-headline">
      {children !== undefined && <span class="fhir-value">{children}</span>}
      {note}
    </p>
  );
}

/** Who or what a Reference is, by the records at hand. */
export function referenceName(reference: Maybe, { resource, related }: ViewProps): string | undefined {
  const said = string(at(reference, "display"));
  if (said !== undefined && !isOpaque(said)) return properName(said);
  const found = resolve(reference, resource, related);
  if (found !== undefined) return summariseResource(found).title;
  return string(at(reference, "identifier", "value"));
}

/** What stands in a table where there is nothing to say. */
export const NOTHING = "–";

/** A table of rows that are wide on a desk and stacked on a phone. A column that says nothing in any row is left out. */
export function Rows({ caption, head, rows }: { caption: string; head: string[]; rows: ComponentChildren[][] }) {
  const columns = head.map((_, column) => column).filter((column) => column === 0 || rows.some((cells) => cells[column] !== NOTHING));
  return (
    <table class="fhir-rows">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col" key={column}>
              {head[column]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((cells, row) => (
          <tr key={row}>
            {columns.map((column) =>
              column === 0 ? (
                <th scope="row" key={column}>
                  {cells[column]}
                </th>
              ) : (
                <td key={column} data-label={head[column]}>
                  {cells[column]}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Free text of a record: paragraphs, and the headings and lists that notes are written with. */
export function NoteText({ children }: { children: string }) {
  const blocks: ComponentChildren[] = [];
  let bullets: string[] = [];
  let lines: string[] = [];
  const flush = () => {
    if (bullets.length > 0)
      blocks.push(
        <ul key={blocks.length}>
          {bullets.map((bullet, index) => (
            <li key={index}>{bullet}</li>
          ))}
        </ul>,
      );
    if (lines.length > 0) blocks.push(<p key={blocks.length}>{lines.join("\n")}</p>);
    bullets = [];
    lines = [];
  };
  for (const line of children.replace(/\r\n?/g, "\n").split("\n")) {
    const heading = /^#{1,4}\s+(.+)$/.exec(line)?.[1];
    const bullet = /^\s*[-*•]\s+(.+)$/.exec(line)?.[1];
    if (heading !== undefined) {
      flush();
      blocks.push(<h4 key={blocks.length}>{heading}</h4>);
    } else if (bullet !== undefined) {
      if (lines.length > 0) flush();
      bullets.push(bullet);
    } else if (line.trim() === "") {
      flush();
    } else {
      if (bullets.length > 0) flush();
      lines.push(line);
    }
  }
  flush();
  return <div class="fhir-text">{blocks.length === 0 ? text.fhir.emptyText : blocks}</div>;
}
