/** What the viewer asks of the city's sensors: last values, series, events, ranking, signals, typhoons. */

import type { Feature, FeatureCollection, Geometry, Point } from 'geojson';
import { getJson, refusal, ServerUnreachable } from './client';

/** What the server says of a datastream's last value; `unknown` where none has ever come. */
export type SensorState = 'ok' | 'warning' | 'alarm' | 'silent' | 'unknown';
export type Severity = 'blue' | 'yellow' | 'orange' | 'red';

export interface CityObject {
  readonly layer: string;
  readonly object_id: number;
  readonly relation?: string;
}

/** Where a camera looks, in degrees, and where its picture or stream is: of another host, or a path of the city. */
export interface Camera {
  readonly direction?: number | null;
  readonly field_of_view?: number | null;
  readonly snapshot?: string | null;
  readonly hls?: string | null;
}

export interface LatestProperties {
  readonly datastream: number;
  /** What is observed. */
  readonly name: string;
  readonly kind: string;
  readonly thing: number;
  /** The station's name. */
  readonly title: string;
  /** UCUM. */
  readonly unit: string | null;
  readonly result: unknown;
  readonly time: string | null;
  readonly state: SensorState;
  readonly severity: Severity | null;
  readonly event: number | null;
  /** Reference levels in the unit of the values, above `datum`. */
  readonly levels: Readonly<Record<string, number>> | null;
  readonly datum: string | null;
  readonly objects: readonly CityObject[] | null;
  /** Only of a camera. */
  readonly camera?: Camera;
}

export type Latest = Feature<Point | null, LatestProperties>;

export function getLatest(root: string, signal: AbortSignal): Promise<FeatureCollection<Point | null, LatestProperties>> {
  return getJson(`${root}/sensors/latest`, signal);
}

export interface Reading {
  readonly datastream: number;
  readonly time: string;
  readonly result: unknown;
}

/** A series: values as they are or thinned, or the figures of buckets. Times in seconds since 1970. */
export interface Series {
  readonly datastream: number;
  readonly unit: string | null;
  readonly time: readonly number[];
  readonly value?: readonly number[];
  readonly sum?: readonly number[];
}

export interface SeriesQuery {
  readonly streams: readonly number[];
  /** Seconds since 1970; null: all there is. */
  readonly span: readonly [number, number] | null;
  /** Length of the buckets (ISO 8601, or "day"); null: single values. */
  readonly bucket: string | null;
  readonly points?: number;
  readonly f?: 'csv';
}

export function seriesAddress(root: string, { streams, span, bucket, points, f }: SeriesQuery): string {
  const values = new URLSearchParams({ datastream: streams.join(',') });
  if (span) values.set('datetime', wholeSeconds(span));
  if (bucket !== null) values.set('bucket', bucket);
  // No peak is lost: a gauge's highest value is what an officer looks for.
  if (points !== undefined) values.set('points', String(points)), values.set('thinning', 'minmax');
  if (f) values.set('f', f);
  return `${root}/sensors/series?${values}`;
}

export async function getSeries(root: string, query: SeriesQuery, signal: AbortSignal): Promise<readonly Series[]> {
  return (await getJson<{ series: readonly Series[] }>(seriesAddress(root, query), signal)).series;
}

/** A span with the second in which its last reading came: it is the one that an officer waits for. */
function wholeSeconds([from, to]: readonly [number, number]): string {
  return `${isoSeconds(from)}/${isoSeconds(to + 1)}`;
}

function isoSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

export type EventState = 'raised' | 'acknowledged' | 'assigned' | 'in_work' | 'resolved' | 'closed';

export interface EventProperties {
  readonly kind: string;
  readonly severity: Severity;
  readonly state: EventState;
  readonly title: string;
  readonly text: string | null;
  readonly datastream: number | null;
  readonly objects: readonly CityObject[];
  readonly began_at: string;
  /** When what it was raised for was over. */
  readonly ended_at: string | null;
  readonly raised_at: string;
  readonly raised_by: string;
  readonly department: string | null;
  readonly person: string | null;
  readonly due_at: string | null;
  readonly overdue: boolean;
  /** How often it was reported, those that were merged into it among them. */
  readonly times: number;
  /** The event that it was found to be the same as. */
  readonly merged_into: number | null;
}

export interface Step {
  readonly id: number;
  readonly at: string;
  readonly who: string;
  readonly did: string;
  readonly note: string | null;
  readonly details: Readonly<Record<string, unknown>> | null;
}

export type CityEvent = Feature<Geometry | null, EventProperties> & { readonly id: number; readonly history?: readonly Step[] };

export async function getEvents(root: string, signal: AbortSignal, limit: number): Promise<readonly CityEvent[]> {
  return (await getJson<{ features: readonly CityEvent[] }>(`${root}/events?limit=${limit}`, signal)).features;
}

export function getEvent(root: string, id: number, signal: AbortSignal): Promise<CityEvent> {
  return getJson(`${root}/events/${id}`, signal);
}

/** What is done about an event. into: the event that a `merge` makes it a part of; the rest is for `assign`. */
export interface NewStep {
  readonly did: string;
  readonly note?: string;
  readonly department?: string;
  readonly person?: string;
  readonly due_at?: string;
  readonly into?: number;
}

/** Does something about an event; the event after it. */
export function takeStep(root: string, id: number, step: NewStep, token: string): Promise<CityEvent> {
  return post(`${root}/events/${id}/steps`, step, token);
}

/** An event that a person tells of. */
export interface NewEvent {
  readonly kind: string;
  readonly severity: Severity;
  readonly title: string;
  readonly text: string | null;
  readonly place: Point | null;
}

export function raiseEvent(root: string, event: NewEvent, token: string): Promise<CityEvent> {
  return post(`${root}/events`, event, token);
}

async function post<T>(address: string, body: unknown, token: string): Promise<T> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Accept-Language': document.documentElement.lang };
  let response: Response;
  try {
    response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) });
  } catch {
    throw new ServerUnreachable(`${new URL(address).host} does not answer`);
  }
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

/** A reading that somebody took and entered. */
export interface HandReading {
  readonly datastream: number;
  readonly result: number;
  readonly time: string;
  /** Who read it, as they said. */
  readonly observer: string;
  readonly note: string | null;
}

export interface KeptHandReading extends HandReading {
  readonly id: number;
  /** Whose token it was entered with. */
  readonly account: string | null;
}

export function enterReading(root: string, reading: HandReading, token: string): Promise<KeptHandReading> {
  return post(`${root}/sensors/readings`, reading, token);
}

/** Readings that were entered by hand, the latest first. span: seconds since 1970; null: the last 30 days. */
export async function getHandReadings(root: string, streams: readonly number[], span: readonly [number, number] | null, signal: AbortSignal): Promise<readonly KeptHandReading[]> {
  const values = new URLSearchParams({ datastream: streams.join(',') });
  if (span) values.set('datetime', wholeSeconds(span));
  return (await getJson<{ readings: readonly KeptHandReading[] }>(`${root}/sensors/readings?${values}`, signal)).readings;
}

/** A station in the order of rain, or of level against its reference. */
export interface RankedStation {
  readonly datastream: number;
  readonly title: string;
  readonly unit: string | null;
  readonly value: number;
  readonly time: string;
  /** Over the window; only of what is no amount. */
  readonly change?: number | null;
  /** Reference level that it is compared with, and how far it stands above it. */
  readonly level?: string | null;
  readonly above?: number | null;
}

/** at: milliseconds since 1970; null: now. */
export async function getRanking(root: string, kind: string, hours: number, at: number | null, signal: AbortSignal): Promise<readonly RankedStation[]> {
  const values = new URLSearchParams({ kind, window: `${hours}h`, limit: '10', ...momentValue(at) });
  return (await getJson<{ stations: readonly RankedStation[] }>(`${root}/sensors/ranking?${values}`, signal)).stations;
}

/** A warning or a response that an authority issued. */
export interface NewSignal {
  readonly type: 'warning' | 'response';
  readonly hazard: string;
  readonly level: Severity | 'I' | 'II' | 'III' | 'IV';
  readonly title: string;
  readonly text: string | null;
  readonly issuer: string;
  readonly issued_at: string;
  readonly expires_at: string | null;
}

export interface Signal extends NewSignal {
  readonly id: number;
}

/** What measurements reached of a signal's mark; never a signal itself. */
export interface Reached {
  readonly hazard: string;
  readonly severity: Severity;
  readonly since: string;
  readonly stations: number;
  readonly events: readonly number[];
}

export interface Signals {
  readonly signals: readonly Signal[];
  readonly reached: readonly Reached[];
}

export function getSignals(root: string, at: number | null, signal: AbortSignal): Promise<Signals> {
  return getJson(`${root}/sensors/signals?${new URLSearchParams(momentValue(at))}`, signal);
}

/** Records what an authority issued; the same issuer's earlier one of that type and hazard ends with it. */
export function recordSignal(root: string, signal: NewSignal, token: string): Promise<Signal> {
  return post(`${root}/sensors/signals`, signal, token);
}

/** Records that the authority has lifted it now. */
export function endSignal(root: string, id: number, token: string): Promise<Signal> {
  return post(`${root}/sensors/signals/${id}/end`, {}, token);
}

export interface TyphoonPosition {
  readonly at: string;
  readonly lon: number;
  readonly lat: number;
  readonly wind_ms: number | null;
  readonly pressure_hpa: number | null;
  readonly grade: string | null;
  readonly distance_km: number;
}

export interface Nearest {
  readonly distance_km: number;
  readonly at: string;
  /** From the typhoon's last position on. */
  readonly hours: number;
}

export interface Typhoon {
  readonly id: string;
  readonly name: { readonly zh: string; readonly en: string };
  readonly simulated: boolean;
  readonly source: string | null;
  readonly position: TyphoonPosition;
  /** By each agency's newest forecast. */
  readonly nearest: readonly (Nearest & { readonly agency: string; readonly issued_at: string })[];
}

export async function getTyphoons(root: string, at: number | null, signal: AbortSignal): Promise<readonly Typhoon[]> {
  return (await getJson<{ typhoons: readonly Typhoon[] }>(`${root}/typhoons?${new URLSearchParams(momentValue(at))}`, signal)).typhoons;
}

/** A typhoon's features, each with its `role`: track, position, wind, forecast, forecast_position. */
export type TyphoonMap = FeatureCollection & { readonly twin: Typhoon };

export function getTyphoon(root: string, id: string, at: number | null, signal: AbortSignal): Promise<TyphoonMap> {
  return getJson(`${root}/typhoons/${encodeURIComponent(id)}?${new URLSearchParams(momentValue(at))}`, signal);
}

function momentValue(at: number | null): Record<string, string> {
  return at === null ? {} : { datetime: isoSeconds(at / 1000) };
}

/** A condition of a rule, as far as a chart can show it. */
export interface RuleCondition {
  readonly type: string;
  /** A value, or the name of one of the station's reference levels. */
  readonly value?: number;
  readonly level?: string;
  /** Parts of `all` and `any`. */
  readonly of?: readonly RuleCondition[];
}

export interface Rule {
  readonly name: string;
  readonly title_zh: string;
  readonly title_en: string;
  readonly enabled: boolean;
  readonly severity: Severity;
  readonly applies: { readonly kinds?: readonly string[]; readonly datastreams?: readonly number[] };
  readonly condition: { readonly when: RuleCondition };
}

export async function getRules(root: string, signal: AbortSignal): Promise<readonly Rule[]> {
  return (await getJson<{ rules: readonly Rule[] }>(`${root}/rules`, signal)).rules;
}
