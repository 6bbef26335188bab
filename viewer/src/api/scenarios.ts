/** What the viewer asks of scenarios: what can be run, runs as they go, and the values of their results. */

import type { Position } from 'geojson';
import type { StyleSpecification } from 'maplibre-gl';
import { token } from '../state/token';
import { onServer, refusal, ServerUnreachable, isAbort } from './client';
import type { Attributes, Box, Collection, Text } from './documents';

/** A JSON schema (2020-12) as scenarios write it, without references. */
export interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly maxItems?: number;
  readonly 'x-title'?: Text;
  readonly 'x-help'?: Text;
  readonly 'x-unit'?: string;
  readonly 'x-group'?: Text;
  readonly 'x-widget'?: string;
  /** The scenario whose runs are meant. */
  readonly 'x-of'?: string;
  /** What each value of a choice is called. */
  readonly 'x-choices'?: Readonly<Record<string, Text>>;
  /** Values of other fields with which this one matters. */
  readonly 'x-when'?: Readonly<Record<string, readonly unknown[]>>;
}

export interface Process {
  readonly id: string;
  readonly inputs: Readonly<Record<string, { readonly minOccurs: number; readonly twin: { readonly schema: Schema } }>>;
  readonly twin: {
    readonly title: Text;
    readonly description: Text;
    /** What is to be installed on the server before it can run; null: nothing. */
    readonly missing: Text | null;
    readonly presets: Readonly<Record<string, { readonly title: Text; readonly inputs: Attributes }>>;
  };
}

export type JobState = 'accepted' | 'running' | 'successful' | 'failed' | 'dismissed';

export interface ResultLayer {
  readonly id: string;
  readonly role: string;
  readonly title: Text;
  readonly unit: string | null;
  /** ISO 8601; empty for what has no time. */
  readonly times: readonly string[];
  readonly kind: 'raster' | 'vector';
}

export interface Job {
  readonly jobID: string;
  readonly processID: string;
  readonly status: JobState;
  /** Hundredths. */
  readonly progress: number;
  readonly created: string;
  readonly started?: string;
  readonly finished?: string;
  readonly twin: {
    readonly inputs: Attributes;
    readonly message: Text | null;
    readonly seed: number;
    readonly indicators: Attributes | null;
    readonly layers: readonly ResultLayer[];
    readonly tables: readonly string[];
    readonly files: readonly string[];
  };
}

export interface ResultTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** TileJSON of a raster layer's value tiles. */
export interface ValueTiles {
  readonly tiles: readonly string[];
  readonly maxzoom: number;
  readonly bounds: Box;
  readonly twin: {
    readonly times: readonly string[];
    readonly unit: string | null;
    readonly variable: string;
    readonly ramp: readonly RampStop[];
    readonly ramp_night: readonly RampStop[];
    readonly classes: boolean;
    /** What each stop of the ramp is called. */
    readonly labels: readonly Text[];
    readonly title: Text;
    readonly encoding: { readonly base: number; readonly step: number };
  };
}

/** Value, "#rrggbb", opacity. */
export type RampStop = readonly [value: number, colour: string, opacity: number];

export interface PointSeries {
  readonly times: readonly (string | null)[];
  readonly values: readonly (number | null)[];
  readonly unit: string | null;
}

export interface Profile {
  /** Metres from the line's beginning. */
  readonly distances: readonly number[];
  readonly coordinates: readonly Position[];
  readonly values: readonly (number | null)[];
  readonly unit: string | null;
}

/** What can be run, each with its inputs. */
export async function getProcesses(root: string, signal: AbortSignal): Promise<readonly Process[]> {
  const { processes } = await asked<{ processes: readonly { id: string }[] }>(`${root}/processes`, { signal });
  return Promise.all(processes.map(({ id }) => asked<Process>(`${root}/processes/${id}`, { signal })));
}

/** Asks for a run; it is queued when this returns. */
export async function execute(root: string, process: string, inputs: Attributes, date: string | null): Promise<Job> {
  const query = date === null ? '' : `?datetime=${date}`;
  const headers = { 'Content-Type': 'application/json', Prefer: 'respond-async' };
  return asked<Job>(`${root}/processes/${process}/execution${query}`, { method: 'POST', headers, body: JSON.stringify({ inputs }) });
}

export async function getJobs(root: string, signal: AbortSignal): Promise<readonly Job[]> {
  return (await asked<{ jobs: readonly Job[] }>(`${root}/jobs?limit=50`, { signal })).jobs;
}

export function getJob(root: string, id: string, signal?: AbortSignal): Promise<Job> {
  return asked<Job>(`${root}/jobs/${id}`, signal ? { signal } : {});
}

/** Ends a run; one that is over goes with its results. */
export async function dismissJob(root: string, id: string): Promise<void> {
  await answered(`${root}/jobs/${id}`, { method: 'DELETE' });
}

export function eventsAddress(root: string, id: string): string {
  return `${root}/jobs/${id}/events`;
}

export function tableAddress(root: string, id: string, name: string, form: 'json' | 'csv' | 'xlsx'): string {
  return `${root}/jobs/${id}/tables/${name}?f=${form}`;
}

export function getTable(root: string, id: string, name: string, signal: AbortSignal): Promise<ResultTable> {
  return asked<ResultTable>(tableAddress(root, id, name, 'json'), { signal });
}

export function fileAddress(root: string, id: string, name: string): string {
  return `${root}/jobs/${id}/files/${encodeURIComponent(name)}`;
}

export async function getValueTiles(root: string, layer: string, signal: AbortSignal): Promise<ValueTiles> {
  return asked<ValueTiles>(`${root}/collections/${layer}/coverage/tilejson.json`, { signal });
}

/** A value tile as a picture; null where there is none. */
export async function getTile(address: string, signal: AbortSignal): Promise<ImageBitmap | null> {
  const response = await answered(onServer(address), { signal });
  if (response.status === 204) return null;
  // The numbers must come through as they are.
  return createImageBitmap(await response.blob(), { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
}

export function getPointSeries(root: string, layer: string, [lng, lat]: Position, signal: AbortSignal): Promise<PointSeries> {
  const coords = `POINT(${lng?.toFixed(7)} ${lat?.toFixed(7)})`;
  return asked<PointSeries>(`${root}/collections/${layer}/coverage/position?${new URLSearchParams({ coords })}`, { signal });
}

export function getProfile(root: string, layer: string, line: readonly Position[], at: string | null, signal: AbortSignal): Promise<Profile> {
  const coords = `LINESTRING(${line.map(([lng, lat]) => `${lng?.toFixed(7)} ${lat?.toFixed(7)}`).join(',')})`;
  const values = new URLSearchParams({ coords, ...(at === null ? {} : { datetime: at }) });
  return asked<Profile>(`${root}/collections/${layer}/coverage/trajectory?${values}`, { signal });
}

/** The style of one layer of a result, its addresses as the server writes them. */
export function getLayerStyle(root: string, layer: string, style: string, signal: AbortSignal): Promise<StyleSpecification> {
  return asked<StyleSpecification>(`${root}/collections/${layer}/styles/${style}`, { signal });
}

export function getLayer(root: string, layer: string, signal: AbortSignal): Promise<Collection> {
  return asked<Collection>(`${root}/collections/${layer}`, { signal });
}

/** A TileJSON document of a result's objects. */
export function getSource<T>(address: string, signal: AbortSignal): Promise<T> {
  return asked<T>(address, { signal });
}

/** A file or table as a browser may keep or show it. */
export async function getFile(address: string): Promise<Blob> {
  return (await answered(address, {})).blob();
}

/** By the token of this tab, where there is one: some runs are not for everybody. */
export function authorization(): Readonly<Record<string, string>> {
  return token.peek() === null ? {} : { Authorization: `Bearer ${token.peek()}` };
}

async function asked<T>(address: string, options: RequestInit): Promise<T> {
  return (await (await answered(address, options)).json()) as T;
}

async function answered(address: string, options: RequestInit): Promise<Response> {
  const headers = { Accept: 'application/json', 'Accept-Language': document.documentElement.lang, ...authorization(), ...(options.headers as Record<string, string> | undefined) };
  let response: Response;
  try {
    response = await fetch(address, { ...options, headers });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ServerUnreachable(`${new URL(address).host} does not answer`);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}
