/** The typhoons that the server tells of, and the one that the map shows. */

import { effect, signal } from '@preact/signals';
import { getTyphoon, getTyphoons, type Typhoon, type TyphoonMap } from '../../api/sensing';
import { city } from '../session';
import { field } from '../store';
import { moment } from './clock';

/** Agencies tell each three hours, near land each hour. */
const REFRESH = 120_000;

export const typhoons = signal<readonly Typhoon[]>([]);
export const typhoonMap = signal<TyphoonMap | null>(null);

const sensing = field('sensing');

export function startTyphoons(): void {
  effect(() => {
    const root = city.value?.root;
    const at = moment.value;
    if (root === undefined) return;
    return repeating(async (signal) => (typhoons.value = await getTyphoons(root, at, signal)), () => (typhoons.value = []));
  });
  effect(() => {
    const root = city.value?.root;
    const at = moment.value;
    const id = sensing.value.typhoon;
    if (root === undefined || id === null) {
      typhoonMap.value = null;
      return;
    }
    return repeating(async (signal) => (typhoonMap.value = await getTyphoon(root, id, at, signal)), () => (typhoonMap.value = null));
  });
}

/** Asks at once and again as time goes by; returns what ends it. none: where there is no answer. */
function repeating(ask: (signal: AbortSignal) => Promise<unknown>, none: () => void): () => void {
  const abort = new AbortController();
  const turn = (): void => void ask(abort.signal).catch(() => !abort.signal.aborted && none());
  turn();
  const timer = window.setInterval(turn, REFRESH);
  return () => {
    abort.abort();
    window.clearInterval(timer);
  };
}
