/** Maps from elsewhere that a person has laid over the city: what the view remembers of each. No key is ever part of it. */

export type ExtraKind = 'wms' | 'wmts' | 'xyz' | 'geojson';

/** Where a map is drawn: over the city's areas and lines and under its labels, or under all of the city. */
export type ExtraPlace = 'over' | 'under';

export interface Extra {
  /** Distinct within the view; made from what it shows. */
  readonly id: string;
  readonly kind: ExtraKind;
  /** Of the service (wms), of its capabilities (wmts), of the tiles (xyz), of the document (geojson); without keys. */
  readonly url: string;
  readonly title: string;
  /** Layer of the service; empty for xyz and geojson. */
  readonly layer: string;
  readonly style: string;
  /** CRS that a WMS draws in, or the grid of a WMTS. */
  readonly grid: string;
  readonly version: string;
  readonly format: string;
  /** Template of a WMTS's tiles in the web's grid, with {z}, {x}, {y}; empty where the server must re-project. */
  readonly tiles: string;
  readonly legend: string;
  readonly attribution: string;
  /** Whether tiles come by our server. */
  readonly served: boolean;
  /** Name of the parameter that holds a key; empty if it needs none. */
  readonly keyName: string;
  readonly visible: boolean;
  readonly opacity: number;
  readonly place: ExtraPlace;
}

/** Parameters by which map services are paid or let in: never written into a link. */
const SECRETS = /^(tk|ak|sk|key|api_?key|access_?token|auth_?key|token|map_?key|app_?key|signature|sig|secret|password|pwd)$/i;

export interface Parted {
  readonly url: string;
  /** The secret parameters that were in the address. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** An address without its secrets: keys in the query, a user's name and password. Braces of templates stay as they are. */
export function withoutSecrets(address: string): Parted {
  const secrets: Record<string, string> = {};
  const bare = address.trim().replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1');
  const [before = '', query] = split(bare, '?');
  if (query === undefined) return { url: bare, secrets };
  const kept = query.split('&').filter((pair) => {
    const [name = '', value = ''] = split(pair, '=');
    if (!SECRETS.test(name)) return pair !== '';
    secrets[name] = decodeURIComponent(value.replace(/%(?![0-9a-f]{2})/gi, '%25'));
    return false;
  });
  return { url: kept.length > 0 ? `${before}?${kept.join('&')}` : before, secrets };
}

/** An address with parameters added; those that it has of the same name, whatever its case, give way. */
export function withParameters(address: string, given: Readonly<Record<string, string>>): string {
  const [before = '', query = ''] = split(address, '?');
  const taken = new Set(Object.keys(given).map((name) => name.toLowerCase()));
  const kept = query.split('&').filter((pair) => pair !== '' && !taken.has((pair.split('=')[0] ?? '').toLowerCase()));
  const added = Object.entries(given).map(([name, value]) => `${encodeURIComponent(name)}=${encode(value)}`);
  const all = [...kept, ...added];
  return all.length > 0 ? `${before}?${all.join('&')}` : before;
}

// Braces are MapLibre's places to fill in; commas, colons and slashes may stand in a query.
function encode(value: string): string {
  return encodeURIComponent(value).replace(/%7B/g, '{').replace(/%7D/g, '}').replace(/%2C/g, ',').replace(/%3A/g, ':').replace(/%2F/g, '/');
}

function split(text: string, sign: string): [string, string?] {
  const at = text.indexOf(sign);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** A short name that stays the same for the same map. */
export function extraId(parts: readonly string[]): string {
  let hash = 5381;
  for (const sign of parts.join('\n')) hash = (Math.imul(hash, 33) ^ (sign.codePointAt(0) ?? 0)) >>> 0;
  return hash.toString(36);
}

const KINDS: readonly ExtraKind[] = ['wms', 'wmts', 'xyz', 'geojson'];
const TEXTS = ['id', 'url', 'title', 'layer', 'style', 'grid', 'version', 'format', 'tiles', 'legend', 'attribution', 'keyName'] as const;
const LONGEST = 2_000;
const MOST = 20;

/** The maps as the share link holds them. */
export function writeExtras(extras: readonly Extra[]): string {
  return JSON.stringify(
    extras.map((extra) => [
      extra.kind,
      ...TEXTS.map((name) => extra[name]),
      extra.served ? 1 : 0,
      extra.visible ? 1 : 0,
      Math.round(extra.opacity * 100),
      extra.place,
    ]),
  );
}

/** Reads what `writeExtras` wrote; leaves out what it cannot read, and every secret that somebody put in. */
export function readExtras(text: string): Extra[] {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(written)) return [];
  const found = new Map<string, Extra>();
  for (const each of written.slice(0, MOST)) {
    const extra = readExtra(each);
    if (extra && !found.has(extra.id)) found.set(extra.id, extra);
  }
  return [...found.values()];
}

function readExtra(written: unknown): Extra | null {
  if (!Array.isArray(written) || written.length !== TEXTS.length + 5) return null;
  const [kind, ...rest]: unknown[] = written;
  const texts = rest.slice(0, TEXTS.length);
  const [served, visible, percent, place] = rest.slice(TEXTS.length);
  const known = KINDS.find((each) => each === kind);
  if (known === undefined || !texts.every((each): each is string => typeof each === 'string' && each.length <= LONGEST)) return null;
  const named = Object.fromEntries(TEXTS.map((name, index) => [name, texts[index] ?? ''])) as Record<(typeof TEXTS)[number], string>;
  const addresses = [named.url, named.tiles, named.legend].filter((address) => address !== '');
  // Anything but the web's own schemes could act: javascript:, data:, file:.
  if (named.url === '' || !/^[\w-]{1,20}$/.test(named.id) || !addresses.every((address) => /^https?:\/\//i.test(address))) return null;
  return {
    ...named,
    url: withoutSecrets(named.url).url,
    tiles: withoutSecrets(named.tiles).url,
    legend: withoutSecrets(named.legend).url,
    kind: known,
    served: served === 1,
    visible: visible !== 0,
    opacity: typeof percent === 'number' ? Math.min(1, Math.max(0, Math.round(percent) / 100)) : 1,
    place: place === 'under' ? 'under' : 'over',
  };
}
