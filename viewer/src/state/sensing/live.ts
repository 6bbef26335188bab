/** The city's sensors as they are now: read once, then kept by the stream; asked again where the stream is broken. */

import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import { isAbort } from '../../api/client';
import { followStream, type Message } from '../../api/event_stream';
import { getLatest, type Reading } from '../../api/sensing';
import * as session from '../session';
import { readSensor, type Sensor } from './states';

/** Milliseconds between two looks at everything: states change without a reading, as when a station falls silent. */
const REFRESH = 60_000;
/** The same while no stream stands. */
const POLL = 10_000;
/** Readings are shown together at most this often; while the map is still being drawn they wait longer. */
const GATHER = 700;
const GATHER_BUSY = 5_000;
/** An answer after which something else may have changed, such as an event. */
const SOON = 2_000;

export type Connection = 'live' | 'polling' | 'lost';

const current = signal<ReadonlyMap<number, Sensor>>(new Map());
const streaming = signal(false);
const reachable = signal(true);

export const sensors: ReadonlySignal<ReadonlyMap<number, Sensor>> = current;

export const connection = computed<Connection>(() => (streaming.value ? 'live' : reachable.value ? 'polling' : 'lost'));

/** Milliseconds since 1970 of the newest reading; null while there is none. */
export const newest = computed<number | null>(() => {
  let latest: number | null = null;
  for (const { time } of current.value.values()) if (time !== null && (latest === null || time > latest)) latest = time;
  return latest;
});

/** Milliseconds since 1970, told anew each ten seconds: what ages are written by. */
export const now = signal(Date.now());

/** Whether the page is in sight; in the background it holds no connection that the tabs in front need. */
export const inSight = signal(!document.hidden);

export function startSensing(): void {
  document.addEventListener('visibilitychange', () => (inSight.value = !document.hidden));
  window.setInterval(() => (now.value = Date.now()), 10_000);
  effect(() => {
    const root = session.city.value?.root;
    current.value = new Map();
    if (root !== undefined) return following(root);
  });
}

let askSoon: () => void = () => undefined;

/** Asks for everything a little later: something beyond the readings has changed. */
export function refreshSoon(): void {
  askSoon();
}

function following(root: string): () => void {
  const abort = new AbortController();
  let timer: number | undefined;
  let due = Infinity;
  const read = async (): Promise<void> => {
    due = Infinity;
    try {
      const { features } = await getLatest(root, abort.signal);
      current.value = new Map(features.map((feature) => [feature.properties.datastream, readSensor(feature)]));
      reachable.value = true;
    } catch (error) {
      if (isAbort(error) || abort.signal.aborted) return;
      reachable.value = false;
    }
    now.value = Date.now();
    later(streaming.peek() || !inSight.peek() ? REFRESH : POLL);
  };
  const later = (delay: number): void => {
    if (abort.signal.aborted || Date.now() + delay >= due) return;
    due = Date.now() + delay;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void read(), delay);
  };
  askSoon = () => later(SOON);
  void read();
  const stopStream = effect(() => {
    if (!inSight.value || !hasSensors.value) return;
    const own = new AbortController();
    const gather = gathering(later);
    void followStream(`${root}/sensors/stream`, {
      onMessage: gather,
      onConnected(connected) {
        streaming.value = connected;
        // What came between the first look and the stream, and a state that changed while it was broken.
        later(connected ? 0 : POLL);
      },
    }, own.signal);
    return () => {
      own.abort();
      streaming.value = false;
    };
  });
  return () => {
    abort.abort();
    window.clearTimeout(timer);
    stopStream();
  };
}

/** Whether the city has any sensor that ever told something. */
export const hasSensors = computed(() => current.value.size > 0);

// Takes readings as they come and shows them together: a busy city tells hundreds a second.
function gathering(askAgain: (delay: number) => void): (message: Message) => void {
  let waiting: Reading[] = [];
  let timer: number | undefined;
  let first = 0;
  const show = (): void => {
    // A machine that draws slowly would otherwise never come to an end of drawing.
    if (session.mapBusy.peek() && Date.now() - first < GATHER_BUSY) {
      timer = window.setTimeout(show, GATHER);
      return;
    }
    timer = undefined;
    const { sensors: told, surprised } = withReadings(current.peek(), waiting);
    waiting = [];
    current.value = told;
    now.value = Date.now();
    if (surprised) askAgain(SOON);
  };
  return ({ event, data }) => {
    if (event !== 'observations') return;
    waiting.push(...(JSON.parse(data) as Reading[]));
    if (timer !== undefined) return;
    first = Date.now();
    timer = window.setTimeout(show, GATHER);
  };
}

/**
 * The sensors with what they have told since. surprised: a sensor spoke that is new or was silent, so that the
 * server has more to say of it. A reading that is older than the one known changes nothing.
 */
export function withReadings(known: ReadonlyMap<number, Sensor>, readings: readonly Reading[]): { sensors: ReadonlyMap<number, Sensor>; surprised: boolean } {
  const told = new Map(known);
  let surprised = false;
  for (const { datastream, time, result } of readings) {
    const sensor = told.get(datastream);
    const at = Date.parse(time);
    if (!sensor || sensor.look === 'silent' || sensor.look === 'unknown') surprised = true;
    if (sensor && at >= (sensor.time ?? -Infinity)) told.set(datastream, { ...sensor, result, time: at });
  }
  return { sensors: told, surprised };
}
