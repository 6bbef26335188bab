/** Maps from elsewhere in the style of the map. Pure. */

import type { LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl';
import { withParameters, type Extra } from '../state/extra';

/** What an address needs beside what the view remembers. */
export interface Reaching {
  /** Root of our server, with a slash at the end. */
  readonly server: string;
  /** Secret parameters for a host, from this tab's memory. */
  readonly keyOf: (host: string) => Readonly<Record<string, string>>;
  readonly accent: string;
}

const PREFIX = 'twin-map-';

/** The style with the maps from elsewhere: those under the city on its ground, the others under its solids and labels. */
export function withExtras(style: StyleSpecification, extras: readonly Extra[], reaching: Reaching): StyleSpecification {
  if (extras.length === 0) return style;
  const shown = [...extras].reverse().filter((extra) => extra.visible && extra.opacity > 0);
  const sources = Object.fromEntries(shown.map((extra) => [PREFIX + extra.id, source(extra, reaching)]));
  const drawn = (place: Extra['place']): LayerSpecification[] =>
    shown.filter((extra) => extra.place === place).flatMap((extra) => layers(extra, reaching.accent));
  const ground = style.layers.findIndex((layer) => layer.type !== 'background');
  const under = ground < 0 ? style.layers.length : ground;
  const top = style.layers.findIndex((layer) => layer.type === 'symbol' || layer.type === 'fill-extrusion' || layer.id.startsWith('twin-selected'));
  const over = top < 0 ? style.layers.length : Math.max(top, under);
  return {
    ...style,
    sources: { ...style.sources, ...sources },
    layers: [...style.layers.slice(0, under), ...drawn('under'), ...style.layers.slice(under, over), ...drawn('over'), ...style.layers.slice(over)],
  };
}

function source(extra: Extra, reaching: Reaching): SourceSpecification {
  if (extra.kind === 'geojson') return { type: 'geojson', data: documentAddress(extra, reaching) };
  const scheme = !extra.served && extra.tiles.includes('{-y}') ? 'tms' : 'xyz';
  return { type: 'raster', tiles: [tileAddress(extra, reaching)], tileSize: 256, scheme, maxzoom: extra.kind === 'wms' ? 22 : 18 };
}

/** Where a map's tiles come from, by our server or straight from the host, in MapLibre's words. */
export function tileAddress(extra: Extra, { server, keyOf }: Reaching): string {
  if (extra.served) {
    const tiles = extra.kind === 'xyz' || (extra.kind === 'wmts' && extra.tiles !== '');
    const given: Record<string, string> = tiles
      ? { service: 'xyz', url: extra.tiles }
      : { service: extra.kind, url: extra.url, layers: extra.layer, styles: extra.style, format: extra.format };
    if (!tiles && extra.kind === 'wms') Object.assign(given, { crs: extra.grid, version: extra.version });
    if (!tiles && extra.kind === 'wmts') Object.assign(given, { matrix_set: extra.grid });
    // Whatever braces the service's own address has must reach the server, not be filled in here.
    return `${server}remote/tiles/{z}/{x}/{y}?${new URLSearchParams(given)}`;
  }
  const key = keyOf(new URL(extra.url.replace(/[{}]/g, '')).host);
  if (extra.kind !== 'wms') return withParameters(extra.tiles.replace('{-y}', '{y}'), key);
  const crs = extra.version === '1.3.0' ? 'CRS' : 'SRS';
  return withParameters(extra.url, {
    SERVICE: 'WMS', VERSION: extra.version, REQUEST: 'GetMap', LAYERS: extra.layer, STYLES: extra.style, [crs]: extra.grid,
    BBOX: '{bbox-epsg-3857}', WIDTH: '256', HEIGHT: '256', FORMAT: extra.format, TRANSPARENT: 'TRUE', ...key,
  });
}

function documentAddress(extra: Extra, { server, keyOf }: Reaching): string {
  if (extra.served) return `${server}remote/document?${new URLSearchParams({ url: extra.url })}`;
  return withParameters(extra.url, keyOf(new URL(extra.url).host));
}

/** Where a map's legend picture is; empty if it has none. */
export function legendAddress(extra: Extra, { server, keyOf }: Pick<Reaching, 'server' | 'keyOf'>): string {
  if (extra.legend === '') return '';
  if (extra.served) return `${server}remote/document?${new URLSearchParams({ url: extra.legend })}`;
  return withParameters(extra.legend, keyOf(new URL(extra.legend).host));
}

function layers(extra: Extra, accent: string): LayerSpecification[] {
  const { opacity } = extra;
  const at = { source: PREFIX + extra.id };
  const id = PREFIX + extra.id;
  if (extra.kind !== 'geojson') return [{ id, type: 'raster', ...at, paint: { 'raster-opacity': opacity, 'raster-fade-duration': 0 } }];
  return [
    { id: `${id}-area`, type: 'fill', ...at, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': accent, 'fill-opacity': 0.25 * opacity } },
    { id: `${id}-line`, type: 'line', ...at, paint: { 'line-color': accent, 'line-width': 2, 'line-opacity': opacity } },
    {
      id: `${id}-point`,
      type: 'circle',
      ...at,
      filter: ['==', ['geometry-type'], 'Point'],
      paint: { 'circle-color': accent, 'circle-radius': 5, 'circle-opacity': opacity, 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 1.5 },
    },
  ];
}
