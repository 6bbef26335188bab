/** Ways that are looked for from places on the map: what is asked, what was found, what of it lies on the map. */

import { computed, effect, signal, type Signal } from '@preact/signals';
import type { Position } from 'geojson';
import { isAbort } from '../../api/client';
import { getJobs, type Job } from '../../api/scenarios';
import { getCarParks, getReach, getRoute, type CarPark, type Reached, type Roads, type Route } from '../../api/ways';
import type { WaysLook } from '../../map/ways';
import { t } from '../../i18n/text';
import { instant } from '../scenarios/play';
import { withoutCards } from '../sensing/cards';
import { minuteOf } from '../sensing/view';
import { announcement, city, hits, shape } from '../session';
import { field, update, view } from '../store';
import { token } from '../token';
import { NO_WAYS, roundPlace, type Tool, type WaysView } from './view';

const ways = field('ways');
const scenario = field('scenario');
const root = computed(() => city.value?.root);

/** Runs whose roads can be driven on, the newest first. */
export const roadRuns = signal<readonly Job[]>([]);
export const reached = signal<readonly Reached[] | null>(null);
export const route = signal<Route | null>(null);
/** The same on empty, dry roads, where others were asked for. */
export const usualRoute = signal<Route | null>(null);
export const carParks = signal<readonly CarPark[] | null>(null);
/** Why the last question was refused; null while none was. */
export const wayFailure = signal<string | null>(null);

/** Whether the city has roads at all. */
export const hasRoads = computed(() => city.value?.collections.some(({ id }) => id === 'roads') ?? false);

/** Whether the clock of the open run tells the moment of the roads. */
export const followsClock = computed(() => ways.value.run !== null && scenario.value.run === ways.value.run);

const at = computed(() => (followsClock.value && instant.value !== null ? minuteOf(instant.value) : ways.value.at));

const roads = computed((): Roads => {
  const { mode, run } = ways.value;
  const job = roadRuns.value.find(({ jobID }) => jobID === run);
  // Those on foot stand in no queue.
  if (!job || (mode === 'walk' && job.processID === 'traffic')) return { mode, run: null };
  return { mode, run: { kind: job.processID === 'flood' ? 'flood' : 'traffic', id: job.jobID, at: at.value } };
});

/** What a question is about: it is asked anew when its text changes. */
const asked = computed(() => {
  const { tool, direction, minutes, from, to, run } = ways.value;
  const known = run === null || roadRuns.value.some(({ jobID }) => jobID === run);
  return tool === null || !known ? null : JSON.stringify({ tool, direction, minutes, from, to, roads: roads.value });
});

export const waysLook = computed(
  (): WaysLook => ({
    open: ways.value.tool !== null,
    areas: ways.value.tool === 'reach' ? (reached.value ?? []) : [],
    line: ways.value.tool === 'reach' ? null : (route.value?.geometry ?? null),
    carParks: ways.value.tool === 'parking' ? (carParks.value ?? []) : [],
    from: ways.value.from,
    to: ways.value.tool === 'reach' ? null : ways.value.to,
  }),
);

export function changeWays(patch: Partial<WaysView>): void {
  update({ ways: { ...view.peek().ways, ...patch } });
}

/** Opens a tool in the place of other cards; what was asked stays. */
export function openWays(tool: Tool): void {
  hits.value = [];
  shape.value = { type: 'FeatureCollection', features: [] };
  update({ selected: null, sensing: withoutCards(), ways: { ...view.peek().ways, tool } });
}

export function closeWays(): void {
  update({ ways: NO_WAYS });
}

/** Takes a place on the map for the open tool; whether one is open. */
export function placeWay(lng: number, lat: number): boolean {
  const { tool, from, to } = view.peek().ways;
  if (tool === null) return false;
  const place = roundPlace(lng, lat);
  // A third click begins a new route.
  const ends = tool === 'route' && from && !to;
  changeWays(ends ? { to: place } : { from: place, to: null });
  announcement.value = t(ends ? 'ways.to_set' : 'ways.from_set');
  return true;
}

/** Follows what is asked for; in force once a person has opened the tool. */
export function startWays(): void {
  effect(() => {
    token.value;
    const address = root.value;
    if (address === undefined) return;
    const abort = new AbortController();
    getJobs(address, abort.signal).then((jobs) => (roadRuns.value = jobs.filter(isRoads)), note);
    return () => abort.abort();
  });
  effect(() => {
    const [address, text] = [root.value, asked.value];
    wayFailure.value = null;
    if (address === undefined || text === null) return;
    const abort = new AbortController();
    ask(address, JSON.parse(text) as Question, abort.signal).catch((error: unknown) => {
      if (!abort.signal.aborted) note(error);
    });
    return () => abort.abort();
  });
}

interface Question extends Pick<WaysView, 'tool' | 'direction' | 'minutes' | 'from' | 'to'> {
  readonly roads: Roads;
}

async function ask(address: string, { tool, direction, minutes, from, to, roads: on }: Question, signal: AbortSignal): Promise<void> {
  if (!from) return forget(reached, route, usualRoute, carParks);
  if (tool === 'reach') {
    reached.value = await settled(getReach(address, from, minutes, direction, on, signal), reached);
    return;
  }
  if (tool === 'parking') carParks.value = await settled(getCarParks(address, from, signal), carParks);
  if (!to) return forget(route, usualRoute);
  const [found, usual] = await settled(routes(address, from, to, tool === 'parking' ? { mode: 'car', run: null } : on, signal), route, usualRoute);
  route.value = found;
  usualRoute.value = usual;
}

function routes(address: string, from: Position, to: Position, on: Roads, signal: AbortSignal): Promise<[Route, Route | null]> {
  const usual = on.run ? getRoute(address, from, to, { ...on, run: null }, signal) : Promise.resolve(null);
  return Promise.all([getRoute(address, from, to, on, signal), usual]);
}

/** What is found; where it is refused, what was found before is no answer. */
async function settled<T>(answer: Promise<T>, ...before: readonly Signal<unknown>[]): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isAbort(error)) forget(...before);
    throw error;
  }
}

function forget(...found: readonly Signal<unknown>[]): void {
  for (const each of found) each.value = null;
}

function isRoads({ status, processID }: Job): boolean {
  return status === 'successful' && (processID === 'traffic' || processID === 'flood');
}

function note(error: unknown): void {
  if (!isAbort(error)) wayFailure.value = error instanceof Error ? error.message : String(error);
}
