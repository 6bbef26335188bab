/** Opening a map by its address: what kind it is, what it offers, and which way its tiles can come. */

import { extraId, withoutSecrets, withParameters, type Extra } from '../state/extra';
import { readCapabilities, approvalNumber, type Capabilities, type OfferedLayer } from './capabilities';
import { getJson, isAbort, serverRoot } from './client';

/** One layer to choose; null as extra where it cannot be drawn, with the reason. */
export interface Offer {
  readonly title: string;
  readonly name: string;
  /** CRS or grid it would be drawn from. */
  readonly grid: string;
  readonly extra: Extra | null;
  readonly problem: Problem | null;
  readonly host: string;
}

export interface Opened {
  readonly title: string;
  readonly offers: readonly Offer[];
}

export type Problem = 'no-cors' | 'not-allowed' | 'no-grid' | 'not-found' | 'not-a-map' | 'mixed' | 'needs-key';

/** Why an address could not be opened. */
export class ForeignFailure extends Error {
  constructor(
    readonly problem: Problem,
    readonly host: string,
    detail = '',
  ) {
    super(detail);
  }
}

interface Way {
  /** Whether our server fetches from the host, and whether it holds a key for it. */
  readonly allowed: boolean;
  readonly key: boolean;
}

/** Opens an address as a person has it: a service, its capabilities, a template of tiles, a GeoJSON document. */
export async function openForeign(address: string, signal: AbortSignal): Promise<Opened> {
  const { url, secrets } = withoutSecrets(address.replace('{s}', 'a'));
  const whole = parse(url);
  rememberKey(whole.host, secrets);
  const way = await getJson<Way>(`${serverRoot()}remote?${new URLSearchParams({ url: plainUrl(url) })}`, signal);
  const keyName = Object.keys(secrets)[0] ?? '';
  if (/\{-?y\}/.test(url) && url.includes('{z}')) return { title: whole.host, offers: [tiles(url, whole.host, way, keyName)] };
  const { body, at, served } = await read(url, secrets, way, signal);
  if (/^\s*[{[]/.test(body)) return document(body, at, served, keyName);
  const capabilities = readCapabilities(new DOMParser().parseFromString(body, 'text/xml'), at);
  if (!capabilities) throw new ForeignFailure('not-a-map', whole.host, body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 160));
  return { title: capabilities.title || whole.host, offers: capabilities.layers.map((layer) => offer(capabilities, layer, at, { way, served, keyName })) };
}

function parse(url: string): URL {
  try {
    const found = new URL(url);
    if (found.protocol !== 'http:' && found.protocol !== 'https:') throw new TypeError();
    return found;
  } catch {
    throw new ForeignFailure('not-found', url);
  }
}

// Braces of a template are no part of an address; the host is what matters here.
function plainUrl(url: string): string {
  return url.replace(/[{}]/g, '');
}

interface Read {
  readonly body: string;
  /** Address it came from, without secrets. */
  readonly at: string;
  readonly served: boolean;
}

/** The document behind an address, tried as it is and then as that of a service's capabilities. */
async function read(url: string, secrets: Readonly<Record<string, string>>, way: Way, signal: AbortSignal): Promise<Read> {
  const guesses = candidates(url);
  let failure: unknown = new ForeignFailure('not-found', new URL(url).host);
  for (const at of guesses) {
    try {
      const { body, served } = await fetchText(at, secrets, way, signal);
      if (isMapDocument(body) || at === guesses.at(-1)) return { body, at, served };
    } catch (error) {
      if (isAbort(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

/** An address of a service is seldom that of its capabilities: those are asked for as well, the likelier first. */
export function candidates(url: string): string[] {
  if (/[?&]request=getcapabilities/i.test(url) || /\.(geo)?json$|\.xml$/i.test(url.split('?')[0] ?? '')) return [url];
  const wms = withParameters(url, { SERVICE: 'WMS', REQUEST: 'GetCapabilities' });
  const wmts = withParameters(url, { SERVICE: 'WMTS', REQUEST: 'GetCapabilities', VERSION: '1.0.0' });
  const named = /wmts/i.test(url) ? [wmts, wms] : [wms, wmts];
  return /items|geojson|f=json/i.test(url) ? [url, ...named] : [...named, url];
}

function isMapDocument(body: string): boolean {
  return /<(\w+:)?(WMS_Capabilities|WMT_MS_Capabilities|Capabilities)[\s>]/.test(body.slice(0, 4000)) || /"type"\s*:\s*"(Feature|FeatureCollection)"/.test(body.slice(0, 4000));
}

async function fetchText(at: string, secrets: Readonly<Record<string, string>>, way: Way, signal: AbortSignal): Promise<{ body: string; served: boolean }> {
  const served = way.allowed;
  const address = served ? `${serverRoot()}remote/document?${new URLSearchParams({ url: at })}` : withParameters(at, secrets);
  let response: Response;
  try {
    response = await fetch(address, { signal, credentials: served ? 'same-origin' : 'omit', referrerPolicy: 'no-referrer' });
  } catch (error) {
    if (isAbort(error)) throw error;
    const mixed = window.location.protocol === 'https:' && at.startsWith('http:');
    throw new ForeignFailure(mixed ? 'mixed' : 'no-cors', new URL(at).host);
  }
  if (!response.ok) {
    const refusal = served ? ((await response.json().catch(() => ({}))) as { detail?: string }).detail : undefined;
    throw new ForeignFailure(response.status === 401 || response.status === 403 ? 'needs-key' : 'not-found', new URL(at).host, refusal ?? `HTTP ${response.status}`);
  }
  return { body: await response.text(), served };
}

const BARE = { layer: '', style: '', grid: '', version: '', format: '', tiles: '', legend: '', attribution: '', visible: true, opacity: 1, place: 'over' } as const;

function tiles(url: string, host: string, way: Way, keyName: string): Offer {
  const served = way.allowed;
  const extra: Extra = { ...BARE, id: extraId(['xyz', url]), kind: 'xyz', url, title: host, tiles: url, served, keyName: way.key ? '' : keyName, place: 'under' };
  return { title: host, name: url, grid: 'EPSG:3857', extra, problem: null, host };
}

function document(body: string, at: string, served: boolean, keyName: string): Opened {
  const host = new URL(at).host;
  let type: unknown;
  let attribution = '';
  try {
    const read = JSON.parse(body) as Readonly<Record<string, unknown>>;
    type = read['type'];
    const said = read['attribution'] ?? read['licence'];
    attribution = typeof said === 'string' ? said : '';
  } catch {
    throw new ForeignFailure('not-a-map', host);
  }
  if (type !== 'FeatureCollection' && type !== 'Feature') throw new ForeignFailure('not-a-map', host);
  const name = decodeURIComponent(new URL(at).pathname.split('/').filter(Boolean).at(-1) ?? host);
  const extra: Extra = { ...BARE, id: extraId(['geojson', at]), kind: 'geojson', url: at, title: name, attribution, served, keyName };
  return { title: host, offers: [{ title: name, name: at, grid: 'GeoJSON', extra, problem: null, host }] };
}

interface Reach {
  readonly way: Way;
  readonly served: boolean;
  readonly keyName: string;
}

/** How a layer of a service can be drawn: as it is where it offers the web's grid, else re-projected by our server. */
export function offer(capabilities: Capabilities, layer: OfferedLayer, at: string, { way, served, keyName }: Reach): Offer {
  const web = layer.grids.find((grid) => grid.isWeb);
  const other = [...layer.grids].sort((a, b) => liking(a.crs) - liking(b.crs))[0];
  const grid = web ?? other;
  const format = layer.formats.find((each) => /^image\/(png|webp)/.test(each)) ?? layer.formats.find((each) => /^image\//.test(each)) ?? layer.formats[0] ?? 'image/png';
  const style = layer.styles[0];
  const known = { host: new URL(at).host, title: layer.title, name: layer.name, grid: grid ? (grid.name === grid.crs ? grid.crs : `${grid.name} (${grid.crs})`) : '' };
  if (!grid || (!web && liking(grid.crs) === UNKNOWN)) return { ...known, extra: null, problem: 'no-grid' };
  if (!web && !way.allowed) return { ...known, extra: null, problem: 'not-allowed' };
  const approval = capabilities.approval || approvalNumber(layer.attribution);
  const attribution = [layer.attribution || capabilities.title, approval && `审图号：${approval}`].filter(Boolean).join(' · ');
  const extra: Extra = {
    ...BARE,
    id: extraId([capabilities.kind, at, layer.name, grid.name]),
    kind: capabilities.kind,
    url: withoutSecrets(capabilities.kind === 'wms' ? capabilities.address : at).url,
    title: layer.title,
    layer: layer.name,
    style: capabilities.kind === 'wms' ? '' : (style?.name ?? ''),
    grid: grid.name,
    version: capabilities.version,
    format,
    tiles: withoutSecrets(web?.tiles ?? '').url,
    legend: withoutSecrets(style?.legend ?? '').url,
    attribution,
    served: served || !web,
    keyName: way.key ? '' : keyName,
  };
  return { ...known, extra, problem: null };
}

const UNKNOWN = 9;

// What our server is to be given, where the web's own is not offered: the nearest to it first.
function liking(crs: string): number {
  const order = ['EPSG:4490', 'EPSG:4326', 'CRS:84', 'OGC:CRS84'];
  if (order.includes(crs)) return order.indexOf(crs);
  return /^EPSG:\d+$/.test(crs) ? order.length : UNKNOWN;
}

/** Key of a host, kept for this tab alone: never in a link, never on the server. */
export function keyOf(host: string): Readonly<Record<string, string>> {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(`twin:key:${host}`) ?? '{}');
    return typeof kept === 'object' && kept !== null ? (kept as Record<string, string>) : {};
  } catch {
    return {};
  }
}

export function rememberKey(host: string, secrets: Readonly<Record<string, string>>): void {
  if (Object.keys(secrets).length > 0) sessionStorage.setItem(`twin:key:${host}`, JSON.stringify(secrets));
}
