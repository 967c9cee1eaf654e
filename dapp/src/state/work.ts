// Work that takes its time and is no transaction: an export, a table of questions, the opening of many records. The lock waits for it.

/** What takes longer hangs, and must not keep a key open: a big export takes some minutes, and as many questions as a file may have less. */
const WORK_MS_MAX = 60 * 60_000;

interface Work {
  begunAt: number;
}

const underWay = new Set<Work>();

export async function working<R>(act: () => Promise<R>): Promise<R> {
  const work: Work = { begunAt: Date.now() };
  underWay.add(work);
  try {
    return await act();
  } finally {
    underWay.delete(work);
  }
}

/** Whether something was under way at `since` and still is. */
export function isWorking(since: number): boolean {
  const now = Date.now();
  return [...underWay].some(({ begunAt }) => begunAt <= since && now - begunAt < WORK_MS_MAX);
}
