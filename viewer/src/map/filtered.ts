/** Filtered layers drawn from tiles that hold nothing else. Pure. */

import type { StyleSpecification } from 'maplibre-gl';

const COLLECTIONS = /([?&]collections=)[^&]*/;

/** The style with each filtered layer on a source of its own, whose tiles the server filters. null: no condition. */
export function filterSources(style: StyleSpecification, conditions: readonly (readonly [string, string | null])[]): StyleSpecification {
  const wanted = new Map(conditions.filter((each): each is readonly [string, string] => each[1] !== null));
  if (wanted.size === 0) return style;
  const sources: StyleSpecification['sources'] = { ...style.sources };
  const layers = style.layers.map((layer) => {
    const name = 'source-layer' in layer ? layer['source-layer'] : undefined;
    const filter = name === undefined ? undefined : wanted.get(name);
    if (name === undefined || filter === undefined || !('source' in layer) || typeof layer.source !== 'string') return layer;
    const joined = style.sources[layer.source];
    if (joined?.type !== 'vector') return layer;
    const source = `city:${name}:filtered`;
    sources[source] ??= { ...joined, tiles: (joined.tiles ?? []).map((tile) => filtered(tile, name, filter)) };
    return { ...layer, source } as typeof layer;
  });
  return { ...style, sources, layers };
}

function filtered(tile: string, layer: string, filter: string): string {
  return `${tile.replace(COLLECTIONS, (_, start: string) => start + layer)}&filter=${encodeURIComponent(filter)}`;
}
