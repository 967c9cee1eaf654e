import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { noteFault } from "../state/connection";
import { working } from "../state/work";
import { explain, faultOf, type Explained } from "./fault";

export interface Task<A extends unknown[], R> {
  /** Runs it; a run that a later one overtook is forgotten. Never rejects: undefined where it failed. */
  run(...args: A): Promise<R | undefined>;
  busy: boolean;
  error: Explained | null;
  result: R | undefined;
  reset(): void;
}

type State<R> = { busy: boolean; error: Explained | null; result: R | undefined };

/** What somebody asked for. Medlock does not lock itself while it runs. */
export function useTask<A extends unknown[], R>(work: (...args: A) => Promise<R>): Task<A, R> {
  return useRuns((...args: A) => working(() => work(...args)));
}

/** What a page shows from its beginning, loaded again whenever `inputs` change: some pages do that for as long as they are open. */
export function useLoaded<R>(load: () => Promise<R>, inputs: readonly unknown[]): Task<[], R> {
  const task = useRuns(load);
  const { run } = task;
  useEffect(() => void run(), inputs);
  return task;
}

function useRuns<A extends unknown[], R>(work: (...args: A) => Promise<R>): Task<A, R> {
  const [state, setState] = useState<State<R>>({ busy: false, error: null, result: undefined });
  const latest = useRef(0);
  const current = useRef(work);
  current.current = work;
  const run = useCallback(async (...args: A): Promise<R | undefined> => {
    const mine = ++latest.current;
    setState((before) => ({ ...before, busy: true, error: null }));
    try {
      const result = await current.current(...args);
      if (mine === latest.current) setState({ busy: false, error: null, result });
      return result;
    } catch (error) {
      noteFault(faultOf(error));
      if (mine === latest.current) setState((before) => ({ ...before, busy: false, error: explain(error) }));
      return undefined;
    }
  }, []);
  const reset = useCallback(() => {
    latest.current++;
    setState({ busy: false, error: null, result: undefined });
  }, []);
  return { run, ...state, reset };
}
