/** The style's sources made ready for the browser: complete, on this page's server, and no larger than what is shown. */

import type { StyleSpecification } from 'maplibre-gl';

type Sources = StyleSpecification['sources'];
type Source = Sources[string];
type StyleLayer = StyleSpecification['layers'][number];

/** What a TileJSON document says that a source may say too. */
interface TileJson {
  readonly tiles: readonly string[];
  readonly minzoom?: number;
  readonly maxzoom?: number;
  readonly bounds?: readonly [number, number, number, number];
  readonly tileSize?: number;
}

/**
 * The style with each TileJSON address replaced by what it says, and every address put through `onServer`. What the
 * style says itself holds, as in MapLibre.
 * read: fetches a TileJSON document.
 */
export async function withTileJson(
  style: StyleSpecification,
  read: (address: string) => Promise<TileJson>,
  onServer: (address: string) => string,
): Promise<StyleSpecification> {
  const sources = await Promise.all(
    Object.entries(style.sources).map(async ([id, source]): Promise<[string, Source]> => {
      if (source.type !== 'vector' && source.type !== 'raster' && source.type !== 'raster-dem') return [id, source];
      const { url, ...rest } = source;
      const known: TileJson = url === undefined ? { tiles: source.tiles ?? [] } : await read(onServer(url));
      const { tiles, minzoom, maxzoom, bounds, tileSize } = known;
      const said = Object.fromEntries(Object.entries({ minzoom, maxzoom, bounds, tileSize }).filter(([, value]) => value !== undefined));
      return [id, { ...said, ...rest, tiles: tiles.map((tile) => onServer(tile)) } as Source];
    }),
  );
  return { ...style, sources: Object.fromEntries(sources) };
}

const COLLECTIONS = /([?&]collections=)([^&]*)/;

/**
 * The style with the joined vector tiles holding only the layers that are shown at first. Each other layer gets a
 * source of its own, which costs nothing until the layer is switched on, and then loads without the rest.
 */
export function splitSources(style: StyleSpecification, shown: ReadonlySet<string>): StyleSpecification {
  const sources: Sources = { ...style.sources };
  const layers = style.layers.map((layer): StyleLayer => {
    if (!('source-layer' in layer) || layer['source-layer'] === undefined || typeof layer.source !== 'string') return layer;
    const name = layer['source-layer'];
    const joined = style.sources[layer.source];
    if (shown.has(name) || !joined || !isJoined(joined)) return layer;
    const own = `${layer.source}:${name}`;
    sources[own] ??= narrowed(joined, [name]);
    return { ...layer, source: own } as StyleLayer;
  });
  for (const [id, source] of Object.entries(style.sources)) {
    if (isJoined(source)) sources[id] = narrowed(source, listed(source).filter((name) => shown.has(name)));
  }
  return { ...style, sources, layers };
}

function isJoined(source: Source): source is Source & { type: 'vector' } {
  return source.type === 'vector' && listed(source).length > 0;
}

function listed(source: Source): string[] {
  const tile = source.type === 'vector' ? source.tiles?.[0] : undefined;
  const names = tile === undefined ? undefined : COLLECTIONS.exec(tile)?.[2];
  return names ? decodeURIComponent(names).split(',') : [];
}

function narrowed(source: Source & { type: 'vector' }, names: readonly string[]): Source {
  const tiles = (source.tiles ?? []).map((tile) => tile.replace(COLLECTIONS, (_, start: string) => start + names.join(',')));
  return { ...source, tiles };
}
