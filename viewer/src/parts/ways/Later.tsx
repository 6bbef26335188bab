/** The card of ways, fetched when a person first opens it. */

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { wayFailure } from '../../state/ways/ways';

type Parts = typeof import('./parts');

const parts = signal<Parts | null>(null);

export function WaysCard() {
  useEffect(() => {
    if (parts.peek()) return;
    import('./parts').then(
      (come) => {
        if (parts.peek()) return;
        come.start();
        parts.value = come;
      },
      (error: unknown) => (wayFailure.value = error instanceof Error ? error.message : String(error)),
    );
  }, []);
  const come = parts.value;
  if (come) return <come.WaysCard />;
  return wayFailure.value === null ? null : <p class="card way-refused">{wayFailure.value}</p>;
}
