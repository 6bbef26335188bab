/** A link to a file of a run. Who has shown a token gets it by that: not everybody may see every run. */

import type { ComponentChildren } from 'preact';
import { getFile } from '../../api/scenarios';
import { failure } from '../../state/scenarios/runs';
import { token } from '../../state/token';

interface Props {
  readonly address: string;
  /** The name to keep it under; null: it is a page to look at. */
  readonly keepAs: string | null;
  readonly class: string;
  readonly label?: string;
  readonly children: ComponentChildren;
}

/** How long the browser has to take a file over, milliseconds. */
const TAKEN_MS = 60_000;

export function FileLink({ address, keepAs, label, children, class: look }: Props) {
  const way = keepAs === null ? { target: '_blank', rel: 'noopener' } : { download: keepAs };
  return (
    <a class={look} href={address} {...way} {...(label === undefined ? {} : { 'aria-label': label })} onClick={(event) => token.peek() !== null && fetchFile(event, address, keepAs)}>
      {children}
    </a>
  );
}

function fetchFile(event: Event, address: string, keepAs: string | null): void {
  event.preventDefault();
  // Opened at once: later the browser would take it for one that nobody asked for.
  const tab = keepAs === null ? window.open('', '_blank') : null;
  getFile(address).then(
    (file) => {
      const url = URL.createObjectURL(file);
      window.setTimeout(() => URL.revokeObjectURL(url), TAKEN_MS);
      if (tab) tab.location.href = url;
      else if (keepAs !== null) Object.assign(document.createElement('a'), { href: url, download: keepAs }).click();
    },
    (error: unknown) => {
      tab?.close();
      failure.value = error instanceof Error ? error.message : String(error);
    },
  );
}
