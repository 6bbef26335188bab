/** The clock of a result: the map's own clock, finer while it is played. */

import { computed, effect, signal } from '@preact/signals';
import { changeSensing } from '../sensing/cards';
import { moment as shared, timeWindow } from '../sensing/clock';
import { minuteOf } from '../sensing/view';
import { HASTE, played, PLAYED_MS, stepped } from './frames';
import { openRun, times } from './runs';
import { driving, otherTracks, tracks } from './vehicles';

/** Pictures a second: more than states of water change, few enough for a machine without a graphics card. */
const FRAME_MS = 80;

export const playing = signal(false);
export const speed = signal(1);
const awaited = signal<ReadonlySet<object>>(new Set());
/** Whether values of the moment are still on their way. */
export const waiting = computed(() => awaited.value.size > 0);
const passing = signal<number | null>(null);

/** Milliseconds since 1970; null where nothing has a time. */
export const instant = computed<number | null>(() => {
  const [first, last] = [times.value[0], times.value.at(-1)];
  if (first === undefined || last === undefined) return null;
  const at = passing.value ?? shared.value;
  // A run is opened in its midst: at its beginning there is nothing to see.
  return at === null || at < first - 60_000 || at > last + 60_000 ? (first + last) / 2 : Math.min(last, Math.max(first, at));
});

/** Says whether a map still waits for the values of the moment. */
export function awaitValues(map: object, isWaiting: boolean): void {
  if (awaited.peek().has(map) === isWaiting) return;
  awaited.value = new Set([...awaited.peek()].filter((each) => each !== map).concat(isWaiting ? [map] : []));
}

/** Puts the map's clock. */
export function setInstant(at: number): void {
  passing.value = at;
  if (!playing.peek()) share();
}

export function step(direction: 1 | -1): void {
  pause();
  setInstant(stepped(times.peek(), instant.peek() ?? 0, direction));
}

export function pause(): void {
  playing.value = false;
  share();
}

export function play(): void {
  const last = times.peek().at(-1);
  if (instant.peek() === last) passing.value = times.peek()[0] ?? null;
  playing.value = true;
}

/** Closes the run; the map's clock goes back to now, unless it is the time bar's too. */
export function closeRun(): void {
  playing.value = false;
  passing.value = null;
  if (timeWindow.peek() === null) changeSensing({ moment: null });
  openRun(null);
}

// The link holds minutes: the rest of it is kept beside.
function share(): void {
  const at = passing.peek();
  if (at !== null) changeSensing({ moment: minuteOf(at) });
}

/** Milliseconds that the run takes to be played at the speed 1. */
function lasting(): number {
  const [first = 0, last = 0] = [times.peek()[0], times.peek().at(-1)];
  const drives = driving.peek() && (tracks.peek() ?? otherTracks.peek()) !== null;
  return drives ? Math.max(PLAYED_MS, (last - first) / HASTE) : PLAYED_MS;
}

/** Lets time pass while it is played, and follows the clock that others put. */
export function startPlaying(): () => void {
  const passes = effect(() => {
    if (!playing.value) return;
    let before = performance.now();
    const timer = window.setInterval(() => {
      const now = performance.now();
      // The clock waits for what it is to show.
      const next = waiting.peek() ? (instant.peek() ?? 0) : played(times.peek(), instant.peek() ?? 0, now - before, speed.peek(), lasting());
      before = now;
      passing.value = next;
      if (next === times.peek().at(-1)) pause();
    }, FRAME_MS);
    return () => window.clearInterval(timer);
  });
  const follows = effect(() => {
    const at = shared.value;
    const own = passing.peek();
    if (!playing.peek() && own !== null && (at === null || minuteOf(own) !== minuteOf(at))) passing.value = null;
  });
  return () => {
    passes();
    follows();
  };
}
