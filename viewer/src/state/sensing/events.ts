/** What calls for attention: the events, kept by their stream, chosen by what a person wants to see of them. */

import { computed, effect, signal, type ReadonlySignal } from '@preact/signals';
import { getEvent, getEvents, takeStep, type CityEvent, type EventState, type NewStep, type Severity } from '../../api/sensing';
import { isAbort, ServerRefused } from '../../api/client';
import { followStream, type Message } from '../../api/event_stream';
import { apart, boxOf } from '../../geo/scale';
import type { Box } from '../../api/documents';
import * as session from '../session';
import { field, view } from '../store';
import { askToken, forgetToken, token } from '../token';
import { alarm } from './alarm';
import { EVENT_LAYER } from './cards';
import { timeWindow } from './clock';
import { inSight, refreshSoon } from './live';
import { SEVERITIES } from './states';

/** The newest events that the viewer holds. */
const HELD = 500;
/** Milliseconds between two looks while the page is in the background or no stream stands. */
const POLL = 15_000;
/** Steps are taken up together: a storm raises dozens at once. */
const GATHER = 500;

export type Stage = 'open' | 'done' | 'all';

export interface EventFilter {
  readonly severities: readonly Severity[];
  readonly stage: Stage;
  /** Only what lies in the map's view. */
  readonly inView: boolean;
}

const current = signal<ReadonlyMap<number, CityEvent>>(new Map());

export const events: ReadonlySignal<ReadonlyMap<number, CityEvent>> = current;
export const filter = signal<EventFilter>({ severities: SEVERITIES, stage: 'open', inView: false });

const camera = field('camera');

/** Those that fit the filter and the time looked at, the gravest of those still raised first, then the newest. */
export const shownEvents = computed<readonly CityEvent[]>(() => {
  const { inView } = filter.value;
  // Read, so that the list follows the camera; the map alone knows the box that belongs to it.
  const box = inView && camera.value ? (session.map.value?.bounds() ?? null) : null;
  return choose([...current.value.values()], filter.value, box, timeWindow.value);
});

export function isOpen(state: EventState): boolean {
  return state !== 'resolved' && state !== 'closed';
}

/** Whether it may have closed a road: it is linked to one, or somebody told of it at a place. */
export function mayCloseRoad({ geometry, properties: { state, objects, datastream } }: CityEvent): boolean {
  return isOpen(state) && (objects.some(({ layer }) => layer === 'roads') || (geometry !== null && datastream === null));
}

/** The events that fit; box and window: null for anywhere and ever. */
export function choose(
  all: readonly CityEvent[],
  { severities, stage }: Pick<EventFilter, 'severities' | 'stage'>,
  box: Box | null,
  window: readonly [number, number] | null,
): readonly CityEvent[] {
  return all
    .filter(({ properties, geometry }) => {
      const fits = severities.includes(properties.severity) && (stage === 'all' || isOpen(properties.state) === (stage === 'open'));
      return fits && (!box || isWithin(boxOf(geometry), box)) && (!window || overlaps(properties, window));
    })
    .sort((a, b) => rank(a) - rank(b) || Date.parse(b.properties.began_at) - Date.parse(a.properties.began_at) || b.id - a.id);
}

// What nobody has taken yet stands above the rest.
function rank({ properties }: CityEvent): number {
  return (properties.state === 'raised' ? 0 : SEVERITIES.length) + SEVERITIES.indexOf(properties.severity);
}

function isWithin(own: Box | null, box: Box): boolean {
  return own !== null && own[0] <= box[2] && own[2] >= box[0] && own[1] <= box[3] && own[3] >= box[1];
}

/** Whether what an event was raised for was on at some time of a window (milliseconds since 1970). */
export function overlaps({ began_at, ended_at }: Pick<CityEvent['properties'], 'began_at' | 'ended_at'>, [from, to]: readonly [number, number]): boolean {
  return Date.parse(began_at) <= to && (ended_at === null || Date.parse(ended_at) >= from);
}

/** Events that another one may be the same as, the nearest first, of those of one place the newest. */
export function mergeTargets(event: CityEvent, all: Iterable<CityEvent>): readonly CityEvent[] {
  return [...all]
    .filter((other) => other.id !== event.id && other.properties.state !== 'closed')
    .sort((a, b) => apart(placeOf(event), placeOf(a)) - apart(placeOf(event), placeOf(b)) || Date.parse(b.properties.began_at) - Date.parse(a.properties.began_at));
}

function placeOf({ geometry }: CityEvent): readonly number[] | null {
  return geometry?.type === 'Point' ? geometry.coordinates : null;
}

/** What may be done about an event in each state, what comes next first. */
export const NEXT: Readonly<Record<EventState, readonly Did[]>> = {
  raised: ['acknowledge', 'assign'],
  acknowledged: ['assign', 'start', 'resolve', 'close'],
  assigned: ['start', 'assign', 'resolve'],
  in_work: ['resolve', 'assign'],
  resolved: ['close', 'reopen'],
  closed: ['reopen'],
};

export type Did = 'acknowledge' | 'assign' | 'start' | 'resolve' | 'close' | 'reopen' | 'note' | 'merge';

/** Does something about an event; asks for a token first where none is here. Resolves to why it failed, else null. */
export async function act(id: number, step: NewStep): Promise<string | null> {
  const root = session.city.peek()?.root;
  const key = token.peek();
  if (root === undefined) return null;
  if (key === null) {
    askToken(() => void act(id, step));
    return null;
  }
  try {
    hold(await takeStep(root, id, step, key));
    return null;
  } catch (error) {
    if (error instanceof ServerRefused && error.status === 401) {
      forgetToken();
      askToken(() => void act(id, step));
    }
    return error instanceof Error ? error.message : String(error);
  }
}

export function startEvents(): void {
  effect(() => {
    const root = session.city.value?.root;
    current.value = new Map();
    if (root !== undefined) return following(root);
  });
}

function following(root: string): () => void {
  const abort = new AbortController();
  let timer: number | undefined;
  let streaming = false;
  let stepped = false;
  const read = async (): Promise<void> => {
    window.clearTimeout(timer);
    if (stepped && layers.peek().some(({ id, visible }) => id === EVENT_LAYER && visible)) session.map.peek()?.reloadTiles();
    stepped = false;
    try {
      const found = await getEvents(root, abort.signal, HELD);
      const before = current.peek();
      const opened = openedAmong(before);
      current.value = new Map([...opened, ...found].map((event) => [event.id, keepHistory(event, before.get(event.id))]));
      if (before.size > 0) alarm(found.filter((event) => !before.has(event.id)));
    } catch (error) {
      if (isAbort(error) || abort.signal.aborted) return;
    }
    if (!streaming) timer = window.setTimeout(() => void read(), POLL);
  };
  const soon = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void read(), GATHER);
  };
  void read();
  const stopStream = effect(() => {
    if (!inSight.value) return;
    const own = new AbortController();
    void followStream(`${root}/events/stream`, {
      onMessage(message: Message) {
        if (message.event !== 'step') return;
        stepped = true;
        soon();
        refreshSoon();
      },
      onConnected(connected) {
        streaming = connected;
        soon();
      },
    }, own.signal);
    return () => {
      own.abort();
      streaming = false;
      soon();
    };
  });
  const stopCard = effect(() => {
    const id = opened.value;
    const known = id === null ? undefined : current.value.get(id);
    // A card shows the history, which the list does not bring.
    if (id === null || known?.history) return;
    const own = new AbortController();
    getEvent(root, id, own.signal).then(hold, () => undefined);
    return () => own.abort();
  });
  return () => {
    abort.abort();
    window.clearTimeout(timer);
    stopStream();
    stopCard();
  };
}

const layers = field('layers');
const opened = computed(() => view.value.sensing.event);

// The card's event stays though it is older than those of the list; without its history, so that it is read again.
function openedAmong(held: ReadonlyMap<number, CityEvent>): readonly CityEvent[] {
  const id = opened.peek();
  const event = id === null ? undefined : held.get(id);
  if (!event) return [];
  const { history: _, ...bare } = event;
  return [bare];
}

function hold(event: CityEvent): void {
  current.value = new Map(current.peek()).set(event.id, event);
}

// The history belongs to the state that it was read with; a later state is read again.
function keepHistory(event: CityEvent, before: CityEvent | undefined): CityEvent {
  const same = before?.history && JSON.stringify(before.properties) === JSON.stringify(event.properties);
  return same ? { ...event, history: before.history } : event;
}
