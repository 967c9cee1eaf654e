// Routes stand in the fragment: no server ever learns which chart or record is looked at.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** Without `#`, with a leading slash, without the query. */
  path: string;
  segments: string[];
  query: URLSearchParams;
}

export function parseRoute(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#/, "").split(/\?(.*)/s);
  const segments = path.split("/").filter((segment) => segment !== "").map(decode);
  return { path: `/${segments.join("/")}`, segments, query: new URLSearchParams(query) };
}

/** Anybody can write a link: a broken escape is taken as it stands. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function useRoute(): Route {
  const [fragment, setFragment] = useState(location.hash);
  useEffect(() => {
    const follow = () => setFragment(location.hash);
    addEventListener("hashchange", follow);
    follow();
    return () => removeEventListener("hashchange", follow);
  }, []);
  return parseRoute(fragment);
}

/** `replace` leaves no step for the back button. */
export function navigate(path: string, replace = false): void {
  if (replace) {
    history.replaceState(null, "", `#${path}`);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = path;
  }
}

export interface LinkProps {
  to: string;
  class?: string;
  /** The link of the page that is shown. */
  current?: boolean;
  label?: string;
  onClick?: () => void;
  children?: ComponentChildren;
}

export function Link({ to, current, label, children, ...rest }: LinkProps) {
  return (
    <a href={`#${to}`} aria-current={current ? "page" : undefined} aria-label={label} {...rest}>
      {children}
    </a>
  );
}
