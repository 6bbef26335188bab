/** The map's clock: now, or a moment that was chosen, within a time that is looked at as a whole. */

import { computed } from '@preact/signals';
import { view } from '../store';
import { changeSensing } from './cards';
import { newest, now } from './live';
import { minuteOf, type TimeWindow } from './view';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** Milliseconds since 1970 of the moment shown; null: now. */
export const moment = computed<number | null>(() => {
  const chosen = view.value.sensing.moment;
  return chosen === null ? null : Date.parse(chosen);
});

/** The window in milliseconds since 1970; null while the time bar is closed. */
export const timeWindow = computed<readonly [number, number] | null>(() => {
  const chosen = view.value.sensing.window;
  return chosen ? [Date.parse(chosen.from), Date.parse(chosen.to)] : null;
});

/** When the data is now: the newest reading where the sensors' clock is behind (a replay, an archive) or before ours. */
export function present(): number {
  const latest = newest.peek();
  return latest !== null && Math.abs(latest - now.peek()) > DAY ? latest : now.peek();
}

/** Sets the clock; opens the time bar around it where it is closed or does not hold it. */
export function setMoment(time: number): void {
  const shown = timeWindow.peek();
  const window = shown && shown[0] <= time && time <= shown[1] ? {} : { window: around(time) };
  changeSensing({ moment: minuteOf(time), ...window });
}

export function setWindow(from: number, to: number): void {
  if (!(from < to)) return;
  const window = { from: minuteOf(from), to: minuteOf(Math.max(to, from + 60_000)) };
  const shown = moment.peek();
  const outside = shown !== null && (shown < from || shown > to);
  changeSensing({ window, ...(outside ? { moment: window.to } : {}) });
}

/** Opens the time bar on the last day. */
export function openTimeBar(): void {
  setWindow(present() - DAY, present());
}

export function closeTimeBar(): void {
  const { span } = view.peek().sensing;
  changeSensing({ window: null, moment: null, ...(span === 'window' ? { span: '24h' as const } : {}) });
}

export function goLive(): void {
  changeSensing({ moment: null });
}

/** A day with the moment in it: the last one where that holds it. */
function around(time: number): TimeWindow {
  const last = present();
  const end = last - DAY <= time ? Math.max(last, time + 60_000) : time + DAY / 2;
  return { from: minuteOf(end - DAY), to: minuteOf(end) };
}
