import type { ComponentType } from "preact";
import { text } from "../text";
import { Button, Notice, Spinner } from "./blocks";
import { useLoaded } from "./task";

/** A page that is fetched when somebody first comes to it. */
export function lazy<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Lazy(props: P) {
    const page = useLoaded(async () => (loaded ??= (await load()).default), []);
    const Page = loaded;
    if (Page) return <Page {...props} />;
    if (!page.error) return <Spinner />;
    return (
      <Notice kind="bad" live title={text.app.pageFailed}>
        <p>{text.app.pageFailedHelp}</p>
        <Button size="small" onClick={() => location.reload()}>{text.app.reload}</Button>
      </Notice>
    );
  };
}
