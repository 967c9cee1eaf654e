// A list of records, for the patient's own chart and for those shared with a provider.
import { useMemo, useState } from "preact/hooks";
import type { CoreFault, Hex, RecordDocument, Version } from "../../core/core";
import { CATEGORIES, SENSITIVE, categoryName, summarise } from "../../fhir";
import { locale, text } from "../../text";
import { ArrowIcon, Boundary, Button, CategoryIcon, Empty, Field, Link, SearchIcon, Tabs, Tag, Time, toDate } from "../../ui";

export interface RecordListProps {
  versions: Version[];
  documents: Map<Hex, RecordDocument>;
  faults: Map<Hex, CoreFault>;
  /** The page of a record. */
  to: (record: Hex) => string;
}

interface Item {
  version: Version;
  title: string;
  subtitle: string;
  /** FHIR date; null: it has none, or is not opened. */
  date: string | null;
  /** The same in milliseconds, for sorting. */
  at: number | null;
  /** What is searched, in lower case. */
  words: string;
  opened: boolean;
  fault: CoreFault | null;
}

/** Longer lists make a slow page; who wants more asks for it. */
const SHOWN = 100;
const month = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" });

export function RecordList({ versions, documents, faults, to }: RecordListProps) {
  const [search, setSearch] = useState("");
  const [category, setCategory] = useState("");
  const [view, setView] = useState<"timeline" | "category">("timeline");
  const [shown, setShown] = useState(SHOWN);
  const items = useMemo(
    () => versions.map((version) => itemOf(version, documents.get(version.record_id), faults.get(version.record_id) ?? null)).sort(newestFirst),
    [versions, documents, faults],
  );
  const asked = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = items.filter(
    (item) => (category === "" || item.version.compartment === Number(category)) && asked.every((word) => item.words.includes(word)),
  );
  const present = [...new Set(versions.map((version) => version.compartment))].sort((one, other) => one - other);
  const clear = () => {
    setSearch("");
    setCategory("");
  };
  const groups = grouped(found.slice(0, shown), view);
  return (
    <div class="stack">
      <div class="filters no-print">
        <Field label={text.records.search} placeholder={text.records.searchHint} type="search" value={search} onInput={setSearch} />
        <Field
          label={text.records.category} type="select" value={category} onInput={setCategory}
          options={[{ value: "", label: text.records.all }, ...present.map((one) => ({ value: String(one), label: categoryName(one) }))]}
        />
      </div>
      <Tabs
        label={text.records.view} selected={view} onSelect={setView}
        tabs={[{ id: "timeline", label: text.records.timeline }, { id: "category", label: text.records.byCategory }]}
      >
        <p class="muted small" role="status">
          {found.length === items.length ? text.records.count(items.length) : text.records.found(found.length, items.length)}
        </p>
        {found.length === 0 && (
          <Empty icon={<SearchIcon size={28} />} title={text.records.noMatch}>
            <p>{text.records.noMatchHelp}</p>
            <Button onClick={clear}>{text.records.clear}</Button>
          </Empty>
        )}
        {groups.map((group) => (
          <section key={group.name} class="record-group">
            <h2>
              {view === "category" && <CategoryIcon compartment={group.items[0]?.version.compartment ?? -1} />}
              {group.name}
            </h2>
            <ul role="list" class="record-list">
              {group.items.map((item) => (
                <li key={item.version.record_id}>
                  <Boundary of={item} fallback={() => <Link to={to(item.version.record_id)} class="record-row">{text.records.unreadable}</Link>}>
                    <Row item={item} to={to(item.version.record_id)} />
                  </Boundary>
                </li>
              ))}
            </ul>
          </section>
        ))}
        {found.length > shown && (
          <div class="center">
            <Button onClick={() => setShown(shown + SHOWN)}>{text.records.more(Math.min(SHOWN, found.length - shown))}</Button>
          </div>
        )}
      </Tabs>
    </div>
  );
}

function Row({ item, to }: { item: Item; to: string }) {
  const { version, fault } = item;
  return (
    <Link to={to} class="record-row">
      <span class={version.compartment === SENSITIVE ? "mark sensitive" : "mark"}><CategoryIcon compartment={version.compartment} size={22} /></span>
      <span class="record-text">
        <span class="record-title">{item.opened ? item.title : fault ? text.records.unreadable : text.records.locked}</span>
        <span class="muted small">
          {[item.subtitle, categoryName(version.compartment)].filter(Boolean).join(" · ")}
        </span>
        {(version.status === "entered-in-error" || version.version > 1) && (
          <span class="row">
            {version.status === "entered-in-error" && <Tag kind="warning">{text.records.inError}</Tag>}
            {version.version > 1 && <Tag>{text.records.amended(version.version)}</Tag>}
          </span>
        )}
      </span>
      {item.date !== null && <span class="record-date small muted"><Time at={item.date} /></span>}
      <ArrowIcon size={16} />
    </Link>
  );
}

function itemOf(version: Version, document: RecordDocument | undefined, fault: CoreFault | null): Item {
  const summary = document ? summarise(document) : null;
  const date = summary?.date ?? null;
  const title = summary?.title ?? "";
  const subtitle = summary?.subtitle ?? "";
  const words = [title, subtitle, summary?.kind, categoryName(version.compartment), date].join(" ").toLowerCase();
  return { version, title, subtitle, date, at: date === null ? null : (toDate(date)?.getTime() ?? null), words, opened: summary !== null, fault };
}

/** What has no date, like a clinic's name, comes after what happened some day. */
function newestFirst(one: Item, other: Item): number {
  if (one.at === null || other.at === null) {
    return Number(one.at === null) - Number(other.at === null) || other.version.created_at - one.version.created_at;
  }
  return other.at - one.at;
}

function grouped(items: Item[], view: "timeline" | "category"): { name: string; items: Item[] }[] {
  const groups = new Map<string, Item[]>();
  const ordered = view === "timeline" ? items : [...items].sort((one, other) => place(one) - place(other));
  for (const item of ordered) {
    const name = view === "category" ? categoryName(item.version.compartment) : monthOf(item);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups].map(([name, all]) => ({ name, items: all }));
}

/** Stable: within a category the newest stay first. */
const place = (item: Item) => Math.min(item.version.compartment, CATEGORIES.length);

/** A record that says its year alone is not put into a month. */
function monthOf(item: Item): string {
  if (item.date === null || item.at === null) return text.records.undated;
  if (/^\d{4}$/.test(item.date)) return item.date;
  return month.format(new Date(item.at));
}
