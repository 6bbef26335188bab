/** Readings that people enter: sent with their token, and counted so that what shows them reads again. */

import { signal, type ReadonlySignal } from '@preact/signals';
import { enterReading, type HandReading } from '../../api/sensing';
import { send } from './sending';

const KEY = 'twin:observer';
const count = signal(0);

/** How many were entered since the page was opened. */
export const entered: ReadonlySignal<number> = count;

/** Who read the last one that was entered in this tab. */
export function lastObserver(): string {
  return sessionStorage.getItem(KEY) ?? '';
}

/** Sends a reading. done: told why it was not kept, or null. */
export function enter(reading: HandReading, done: (problem: string | null) => void): void {
  send(
    (root, token) => enterReading(root, reading, token),
    (problem) => {
      if (problem === null) {
        sessionStorage.setItem(KEY, reading.observer);
        count.value += 1;
      }
      done(problem);
    },
  );
}
