/** The sensors as they were at a moment that is over: their series of the time looked at, read once. */

import { computed, effect, signal } from '@preact/signals';
import { getSeries, type Series } from '../../api/sensing';
import { city } from '../session';
import { view } from '../store';
import { HOUR, moment, timeWindow } from './clock';
import { events, overlaps, shownEvents } from './events';
import { sensors } from './live';
import { SEVERITIES, type Look, type Sensor } from './states';
import type { CityEvent } from '../../api/sensing';

/** Stations that are shown as they were; each costs a series. */
export const MOST_PAST = 300;
/** Values of each over the window: a day of readings each five minutes is whole. */
const POINTS = 600;
/** What the server answers at once. */
const TOGETHER = 50;
/** A value that is older than this at the moment is no longer what stood there. */
const STALE = 2 * HOUR;

const history = signal<ReadonlyMap<number, Series>>(new Map());
export const readingPast = signal(false);

/** The sensors as the map shows them: live, or as they stood at the clock's moment. */
export const shownSensors = computed<readonly Sensor[]>(() => {
  const at = moment.value;
  const { hidden } = view.value.sensing;
  const shown = [...sensors.value.values()].filter((sensor) => !hidden.includes(sensor.kind));
  if (at === null) return shown;
  const on = [...events.value.values()].filter((event) => overlaps(event.properties, [at, at]));
  return shown.flatMap((sensor) => {
    if (sensor.camera) return [sensor];
    const series = history.value.get(sensor.id);
    return series ? [sensorAt(sensor, series, on, at)] : [];
  });
});

/** The events as the map shows them: those of the list, or those that were on at the clock's moment. */
export const mapEvents = computed<readonly CityEvent[]>(() => {
  const at = moment.value;
  return at === null ? shownEvents.value : [...events.value.values()].filter((event) => overlaps(event.properties, [at, at]));
});

/** A sensor as it stood at a moment (milliseconds since 1970), by its series and the events that were on. */
export function sensorAt(sensor: Sensor, { time, value = [] }: Pick<Series, 'time' | 'value'>, on: readonly CityEvent[], at: number): Sensor {
  const index = lastBefore(time, at / 1000);
  const told = time[index];
  const isKnown = told !== undefined && at - told * 1000 <= STALE;
  const own = on.filter((event) => event.properties.datastream === sensor.id);
  const worst = SEVERITIES.find((severity) => own.some((event) => event.properties.severity === severity));
  const look: Look = isKnown ? (worst ?? 'ok') : 'silent';
  return { ...sensor, result: isKnown ? value[index] : null, time: told === undefined ? null : told * 1000, look };
}

/** Index of the last of some growing numbers that is not above a limit; -1 where all are. */
export function lastBefore(numbers: readonly number[], limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const wanted = computed(() => {
  const window = timeWindow.value;
  const root = city.value?.root;
  if (moment.value === null || !window || root === undefined) return null;
  const { hidden } = view.value.sensing;
  const streams = [...sensors.value.values()].filter((sensor) => !sensor.camera && !hidden.includes(sensor.kind)).slice(0, MOST_PAST);
  return JSON.stringify({ root, window, streams: streams.map((sensor) => sensor.id) });
});

export function startPast(): void {
  effect(() => {
    const asked = wanted.value;
    if (asked === null) {
      history.value = new Map();
      return;
    }
    const abort = new AbortController();
    void read(JSON.parse(asked) as Asked, abort.signal);
    return () => abort.abort();
  });
}

interface Asked {
  readonly root: string;
  readonly window: readonly [number, number];
  readonly streams: readonly number[];
}

async function read({ root, window: [from, to], streams }: Asked, signal: AbortSignal): Promise<void> {
  readingPast.value = true;
  const found = new Map<number, Series>();
  try {
    for (let first = 0; first < streams.length; first += TOGETHER) {
      const some = streams.slice(first, first + TOGETHER);
      const span = [(from - STALE) / 1000, to / 1000 + 60] as const;
      for (const series of await getSeries(root, { streams: some, span, bucket: null, points: POINTS }, signal)) found.set(series.datastream, series);
      history.value = new Map(found);
    }
  } catch {
    // What has come is shown; the time bar can be moved to ask again.
  } finally {
    if (!signal.aborted) readingPast.value = false;
  }
}
