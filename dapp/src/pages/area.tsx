// Pages of an area that has its own small navigation: above the page.
import { text } from "../text";
import { Empty, Link, PageTitle, useRoute } from "../ui";
import "../style/area.css";

export interface AreaEntry {
  to: string;
  label: string;
}

export function AreaNav({ label, entries }: { label: string; entries: AreaEntry[] }) {
  const { path } = useRoute();
  const shown = (entry: AreaEntry) =>
    path === entry.to ||
    (path.startsWith(`${entry.to}/`) &&
      !entries.some((one) => one !== entry && one.to.startsWith(`${entry.to}/`) && path.startsWith(one.to)));
  return (
    <nav class="area-nav no-print" aria-label={label}>
      <ul role="list">
        {entries.map((entry) => (
          <li key={entry.to}>
            <Link to={entry.to} current={shown(entry)}>
              {entry.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** For a path that an area does not have. */
export function NoPage() {
  return (
    <>
      <PageTitle title={text.app.notFound} />
      <Empty title={text.app.notFoundHelp} />
    </>
  );
}
