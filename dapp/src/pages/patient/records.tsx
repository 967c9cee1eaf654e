import { useEffect } from "preact/hooks";
import type { Hex } from "../../core/core";
import { useIndexed } from "../../state/activity";
import { useLibrary } from "../../state/library";
import { useSession } from "../../state/session";
import { text } from "../../text";
import { Empty, FaultNotice, IconButton, Link, PageTitle, ProgressBar, RecordsIcon, RefreshIcon, Spinner } from "../../ui";
import { EmergencyNotice } from "../emergency/notice";
import { RecordList } from "./list";

export function Records({ chart }: { chart: Hex }) {
  const { charts, names, library: libraryOf } = useSession();
  const library = libraryOf(chart);
  const at = charts?.findIndex((one) => one.chart === chart) ?? 0;
  const { versions, documents, faults, progress, error } = useLibrary(library);
  const indexed = useIndexed();
  useEffect(() => void library.load(), [library, indexed]);
  return (
    <>
      <PageTitle
        title={text.records.title}
        aside={versions !== null && <IconButton label={text.records.refresh} onClick={() => void library.load()}><RefreshIcon /></IconButton>}
      >
        {text.records.lead}
      </PageTitle>
      <div class="stack">
        {charts !== null && charts.length > 1 && (
          <p>
            <strong>{names.get(chart) ?? text.charts.chart(at + 1)}</strong> · <Link to="/charts">{text.charts.another}</Link>
          </p>
        )}
        <EmergencyNotice chart={chart} />
        <FaultNotice error={error} onRetry={() => void library.load()} />
        {progress && <ProgressBar label={text.records.opening} done={progress.done} all={progress.all} />}
        {versions === null ? (!error && <Spinner label={text.records.listing} />)
          : versions.length === 0 ? (
            <Empty icon={<RecordsIcon size={28} />} title={text.records.none}>
              <p>{text.records.noneHelp}</p>
              <div class="row center">
                <Link to="/import" class="button primary">{text.records.add}</Link>
                <Link to="/share" class="button">{text.records.share}</Link>
              </div>
            </Empty>
          ) : <RecordList versions={versions} documents={documents} faults={faults} to={(record) => `/records/${record}`} />}
      </div>
    </>
  );
}
