/** The parts of scenarios, fetched when a person first goes there. */

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../../i18n/text';
import { failure } from '../../state/scenarios/runs';

type Parts = typeof import('./parts');

const parts = signal<Parts | null>(null);
let asked = false;

function useParts(): Parts | null {
  useEffect(() => {
    if (asked) return;
    asked = true;
    import('./parts').then(
      (come) => {
        come.start();
        parts.value = come;
      },
      (error: unknown) => {
        asked = false;
        failure.value = error instanceof Error ? error.message : String(error);
      },
    );
  }, []);
  return parts.value;
}

export function ScenariosTab() {
  const come = useParts();
  return come ? <come.Scenarios /> : <p class="quiet">{failure.value ?? t('scenario.reading')}</p>;
}

/** All that a run shows beside the panel: its clock, the line between two runs, its tables. */
export function RunOnMap() {
  const come = useParts();
  return come && <come.OnMap />;
}

/** A link of the open traffic run through its hours. */
export function RunLink({ uid }: { uid: string }) {
  const come = useParts();
  return come && <come.LinkProfile uid={uid} />;
}

/** What a printed page says of the open run; nothing before its parts have come. */
export function PrintedRun() {
  const come = parts.value;
  return come && <come.Printed />;
}

export function ProbeCard() {
  const come = useParts();
  return come && <come.Probed />;
}
