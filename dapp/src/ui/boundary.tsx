// Records come from anywhere: one that breaks what shows it must not take the page with it.
import { Component, type ComponentChildren } from "preact";
import { text } from "../text";
import { Button, Notice, PageTitle } from "./blocks";
import { useRoute } from "./router";

export interface BoundaryProps {
  /** What is shown: another one is tried anew. */
  of: unknown;
  fallback: (again: () => void) => ComponentChildren;
  children: ComponentChildren;
}

export class Boundary extends Component<BoundaryProps, { failed: boolean }> {
  override state = { failed: false };
  private readonly again = () => this.setState({ failed: false });

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidUpdate(before: BoundaryProps) {
    if (this.state.failed && before.of !== this.props.of) this.again();
  }

  override render({ fallback, children }: BoundaryProps) {
    return <>{this.state.failed ? fallback(this.again) : children}</>;
  }
}

/** Around a page: what stands around it goes on, and another page is another try. */
export function PageBoundary({ children }: { children: ComponentChildren }) {
  const { path } = useRoute();
  return <Boundary of={path} fallback={(again) => <Broken onAgain={again} />}>{children}</Boundary>;
}

function Broken({ onAgain }: { onAgain: () => void }) {
  return (
    <>
      <PageTitle title={text.app.pageBroken} />
      <Notice kind="bad" live>
        <p>{text.app.pageBrokenHelp}</p>
        <div class="row">
          <Button size="small" onClick={onAgain}>{text.ui.retry}</Button>
          <Button size="small" onClick={() => location.reload()}>{text.app.reload}</Button>
        </div>
      </Notice>
    </>
  );
}
