/** Signals that people record as an authority issued them: sent with their token, and counted so that lists ask again. */

import { signal, type ReadonlySignal } from '@preact/signals';
import { endSignal, recordSignal, type NewSignal, type Severity, type Signal } from '../../api/sensing';
import { send } from './sending';

const KEY = 'twin:issuer';
const count = signal(0);

/** How many were recorded or lifted since the page was opened. */
export const recorded: ReadonlySignal<number> = count;

/** A warning's colours and a response's levels, the lowest first; of each place they are of one severity. */
export const LEVELS: Readonly<Record<Signal['type'], readonly Signal['level'][]>> = { warning: ['blue', 'yellow', 'orange', 'red'], response: ['IV', 'III', 'II', 'I'] };

const SEVERITY: Readonly<Record<Signal['level'], Severity>> = { blue: 'blue', yellow: 'yellow', orange: 'orange', red: 'red', IV: 'blue', III: 'yellow', II: 'orange', I: 'red' };

export function severityOf(level: Signal['level']): Severity {
  return SEVERITY[level];
}

/** Who issued the last one that was recorded in this tab. */
export function lastIssuer(): string {
  return sessionStorage.getItem(KEY) ?? '';
}

/** Records a signal. done: told why it was not kept, or null and what was. */
export function record(given: NewSignal, done: (problem: string | null, made: Signal | null) => void): void {
  send(
    (root, token) => recordSignal(root, given, token),
    (problem, made) => {
      if (made) {
        sessionStorage.setItem(KEY, made.issuer);
        count.value += 1;
      }
      done(problem, made);
    },
  );
}

/** Records that a signal was lifted now. done: told why not, or null. */
export function lift(id: number, done: (problem: string | null) => void): void {
  send(
    (root, token) => endSignal(root, id, token),
    (problem) => {
      if (problem === null) count.value += 1;
      done(problem);
    },
  );
}
