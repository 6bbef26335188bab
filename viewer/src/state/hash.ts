/** The view as the part of the address after "#", and back. Decoding never throws: what is unreadable keeps its default. */

import { readExtras, writeExtras } from './extra';
import { readFilter, writeFilter, type LayerFilter } from './filter';
import { decodeScenario, encodeScenario } from './scenarios/view';
import { decodeSensing, encodeSensing } from './sensing/view';
import { decodeWays, encodeWays } from './ways/view';
import type { Camera, CoordinateFormat, LayerView, Selection, StyleName, TableView, ViewState, Language } from './view';

const STYLES: readonly StyleName[] = ['day', 'night'];
const LANGUAGES: readonly Language[] = ['zh', 'en'];
const FORMATS: readonly CoordinateFormat[] = ['degrees', 'dms', 'mercator', 'metric'];

export function encode(view: ViewState): string {
  const parts: [string, string][] = [];
  if (view.city !== null) parts.push(['city', view.city]);
  if (view.camera) parts.push(['at', encodeCamera(view.camera)]);
  parts.push(['style', view.style], ['lang', view.language], ['3d', view.is3d ? '1' : '0']);
  if (view.date !== null) parts.push(['datetime', view.date]);
  if (view.selected) parts.push(['selected', `${view.selected.layer}/${view.selected.id}`]);
  parts.push(['crs', view.coordinates]);
  if (view.layers.length > 0) parts.push(['layers', view.layers.map(encodeLayer).join(',')]);
  const filters = Object.entries(view.filters).map(([layer, filter]) => [layer, writeFilter(filter)]);
  if (filters.length > 0) parts.push(['filters', JSON.stringify(Object.fromEntries(filters))]);
  if (view.table) parts.push(['table', encodeTable(view.table)]);
  if (view.extras.length > 0) parts.push(['maps', writeExtras(view.extras)]);
  parts.push(...encodeSensing(view.sensing), ...encodeScenario(view.scenario), ...encodeWays(view.ways));
  return parts.map(([key, value]) => `${key}=${readable(value)}`).join('&');
}

export function decode(hash: string, defaults: ViewState): ViewState {
  const values = new URLSearchParams(hash.replace(/^#/, ''));
  const at = values.get('at');
  const layers = values.get('layers');
  const selected = values.get('selected');
  const date = values.get('datetime');
  const is3d = values.get('3d');
  const [extras, filters, table] = [values.get('maps'), values.get('filters'), values.get('table')];
  return {
    city: values.get('city') || defaults.city,
    camera: (at === null ? null : decodeCamera(at)) ?? defaults.camera,
    style: oneOf(STYLES, values.get('style')) ?? defaults.style,
    language: oneOf(LANGUAGES, values.get('lang')) ?? defaults.language,
    layers: layers === null ? defaults.layers : decodeLayers(layers),
    is3d: is3d === null ? defaults.is3d : is3d !== '0',
    selected: (selected === null ? null : decodeSelection(selected)) ?? defaults.selected,
    date: date !== null && isDate(date) ? date : defaults.date,
    coordinates: oneOf(FORMATS, values.get('crs')) ?? defaults.coordinates,
    extras: extras === null ? defaults.extras : readExtras(extras),
    filters: filters === null ? defaults.filters : decodeFilters(filters),
    table: (table === null ? null : decodeTable(table)) ?? defaults.table,
    sensing: decodeSensing(values, defaults.sensing),
    scenario: decodeScenario(values, defaults.scenario),
    ways: decodeWays(values, defaults.ways),
  };
}

/** A camera as a link can hold it: about 0.1 m, a hundredth of a zoom, a tenth of a degree. */
export function roundCamera(camera: Camera): Camera {
  return {
    lng: round(camera.lng, 6),
    lat: round(camera.lat, 6),
    zoom: round(camera.zoom, 2),
    bearing: round(camera.bearing, 1),
    pitch: round(camera.pitch, 1),
  };
}

function encodeCamera(camera: Camera): string {
  const { lng, lat, zoom, bearing, pitch } = roundCamera(camera);
  return [lng, lat, zoom, bearing, pitch].join(',');
}

function decodeCamera(text: string): Camera | null {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const [lng, lat, zoom, bearing = 0, pitch = 0] = numbers;
  if (lng === undefined || lat === undefined || zoom === undefined || !numbers.every(Number.isFinite)) return null;
  if (Math.abs(lng) > 180 || Math.abs(lat) > 90 || zoom < 0 || zoom > 24) return null;
  if (Math.abs(bearing) > 360 || pitch < 0 || pitch > 85) return null;
  return roundCamera({ lng, lat, zoom, bearing, pitch });
}

// "-roads:0.5": off, half opaque. The sign and the number are left out where they say nothing.
function encodeLayer(layer: LayerView): string {
  const opacity = round(layer.opacity, 2);
  return `${layer.visible ? '' : '-'}${layer.id}${opacity === 1 ? '' : `:${opacity}`}`;
}

function decodeLayers(text: string): LayerView[] {
  const found = new Map<string, LayerView>();
  for (const part of text.split(',')) {
    const match = /^(-?)([a-z][a-z0-9_]{0,62})(?::(\d*\.?\d+))?$/.exec(part);
    const id = match?.[2];
    if (!match || id === undefined || found.has(id)) continue;
    const opacity = match[3] === undefined ? 1 : Math.min(1, round(Number(match[3]), 2));
    found.set(id, { id, visible: match[1] !== '-', opacity });
  }
  return [...found.values()];
}

function decodeSelection(text: string): Selection | null {
  const match = /^([a-z][a-z0-9_]{0,62})\/(.+)$/s.exec(text);
  return match?.[1] !== undefined && match[2] !== undefined ? { layer: match[1], id: match[2] } : null;
}

const LAYER_ID = /^[a-z][a-z0-9_]{0,62}$/;

function decodeFilters(text: string): Record<string, LayerFilter> {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof written !== 'object' || written === null) return {};
  const found = Object.entries(written).flatMap(([layer, each]): [string, LayerFilter][] => {
    const filter = LAYER_ID.test(layer) ? readFilter(each) : null;
    return filter ? [[layer, filter]] : [];
  });
  return Object.fromEntries(found);
}

// "buildings", "buildings;-height", "buildings;;name,height": the layer, the order, the columns.
function encodeTable({ layer, sort, columns }: TableView): string {
  const parts = [layer, sort ?? '', ...(columns ? [columns.map(encodeURIComponent).join(',')] : [])];
  return parts.join(';').replace(/;$/, '');
}

function decodeTable(text: string): TableView | null {
  const [layer = '', sort = '', columns] = text.split(';');
  if (!LAYER_ID.test(layer)) return null;
  return { layer, sort: sort || null, columns: columns ? columns.split(',').map(plain) : null };
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether the text is a day that exists, written YYYY-MM-DD. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function oneOf<T extends string>(allowed: readonly T[], text: string | null): T | undefined {
  return allowed.find((value) => value === text);
}

// Commas, colons and slashes may stand in a fragment as they are: the link stays readable.
function readable(value: string): string {
  return encodeURIComponent(value).replace(/%2C/g, ',').replace(/%3A/g, ':').replace(/%2F/g, '/');
}

function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  // "+ 0" turns -0 into 0, which is written the same.
  return Math.round(value * scale) / scale + 0;
}
