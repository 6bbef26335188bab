/** The style on the map: the server's style seen through the view. Pure; the map applies only what changed. */

import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';
import type { FeatureCollection, GeoJSON } from 'geojson';
import { layerOf } from '../state/catalogue';
import { toCql2, type LayerFilter } from '../state/filter';
import type { Extra } from '../state/extra';
import type { Language, LayerView, Selection } from '../state/view';
import { scaleOpacity } from './opacity';
import { highlightLayers, HIGHLIGHT_SOURCE } from './highlight';
import { withAreaNames } from './area_names';
import { withExtras, type Reaching } from './extras';
import { withResults, type ResultLook } from './scenarios/results';
import { filterSources } from './filtered';
import { withWays, type WaysLook } from './ways';
import { withSensing, type SensingLook } from './sensing/sensors';
import { withTyphoon } from './sensing/typhoon';

export interface Composition {
  /** The server's style, its addresses already absolute. */
  readonly style: StyleSpecification;
  readonly layers: readonly LayerView[];
  /** Layer ids as the style itself draws them, topmost first. */
  readonly order: readonly string[];
  readonly is3d: boolean;
  /** Whether 3D stands on terrain already, or on a plane for the moment. */
  readonly onTerrain: boolean;
  readonly language: Language;
  readonly date: string | null;
  readonly selected: Selection | null;
  /** Shape of the selected object or of a place that was searched for. */
  readonly shape: GeoJSON;
  readonly accent: string;
  readonly filters: Readonly<Record<string, LayerFilter>>;
  readonly extras: readonly Extra[];
  readonly reaching: Reaching;
  /** The names of divisions at their places; null: as their tiles have them. */
  readonly names: FeatureCollection | null;
  readonly results: ResultLook;
  readonly ways: WaysLook;
  readonly sensing: Omit<SensingLook, 'language' | 'accent'> & { readonly typhoon: FeatureCollection | null };
}

export function compose(composition: Composition): StyleSpecification {
  const { is3d, onTerrain, date, filters, extras, reaching, names, results, ways, sensing, language, accent } = composition;
  const style = filterSources(composition.style, Object.entries(filters).map(([layer, filter]) => [layer, toCql2(filter)]));
  const layers = arrange(style.layers, composition).map((layer) => show(layer, composition));
  const firstLabel = layers.findIndex((layer) => layer.type === 'symbol');
  const at = firstLabel < 0 ? layers.length : firstLabel;
  const { sky, ...flat } = style;
  const dem = Object.values(style.sources).find((source) => source.type === 'raster-dem');
  const composed: StyleSpecification = {
    ...flat,
    // MapLibre draws the ground of far terrain once when a style comes: a colour still on its way would stay half-way.
    transition: { duration: 0, delay: 0 },
    sources: {
      ...sourcesAt(style.sources, date),
      // Terrain of its own: a hillshade that shares its source with the terrain is drawn coarser.
      ...(dem ? { [TERRAIN_SOURCE]: dem } : {}),
      [HIGHLIGHT_SOURCE]: { type: 'geojson', data: composition.shape },
    },
    layers: [...layers.slice(0, at), ...highlightLayers(composition), ...layers.slice(at)],
    ...(is3d && onTerrain && dem ? { terrain: { source: TERRAIN_SOURCE, exaggeration: 1 } } : {}),
    ...(is3d && sky ? { sky } : {}),
  };
  const stormy = withTyphoon(withExtras(withResults(withAreaNames(composed, names), results, is3d), extras, reaching), sensing.typhoon, sensing.style);
  return withSensing(withWays(stormy, ways), { ...sensing, language, accent });
}

const TERRAIN_SOURCE = 'twin-terrain';

/** The sources with the day in each tile address; elevation knows no days. */
function sourcesAt(sources: StyleSpecification['sources'], date: string | null): StyleSpecification['sources'] {
  if (date === null) return sources;
  return Object.fromEntries(
    Object.entries(sources).map(([id, source]) => {
      if (source.type !== 'vector' || !source.tiles) return [id, source];
      return [id, { ...source, tiles: source.tiles.map((tile) => `${tile}${tile.includes('?') ? '&' : '?'}datetime=${date}`) }];
    }),
  );
}

/**
 * The style's layers in the view's order. In the style's own order they stay exactly as they are; in another one
 * each layer's parts come together, with all solids above what is flat and all labels above everything.
 */
function arrange(styleLayers: readonly LayerSpecification[], { layers, order }: Composition): readonly LayerSpecification[] {
  const wanted = layers.map((layer) => layer.id);
  if (wanted.join() === order.filter((id) => wanted.includes(id)).join()) return styleLayers;
  const rank = (layer: LayerSpecification): number => {
    const id = layerOf(layer);
    return id === null || !wanted.includes(id) ? -1 : wanted.length - wanted.indexOf(id);
  };
  const band = (layer: LayerSpecification): number => BANDS.indexOf(layer.type) + 1;
  return [...styleLayers].sort((a, b) => band(a) - band(b) || rank(a) - rank(b));
}

const BANDS: readonly LayerSpecification['type'][] = ['fill-extrusion', 'symbol'];

function show(layer: LayerSpecification, { layers, is3d, language }: Composition): LayerSpecification {
  const id = layerOf(layer);
  const state = layers.find((candidate) => candidate.id === id);
  const named = layer.type === 'symbol' ? inLanguage(layer, language) : layer;
  if (!state) return named;
  const visible = state.visible && state.opacity > 0 && (layer.type !== 'fill-extrusion' || is3d);
  const shown = { ...named, layout: { ...named.layout, visibility: visible ? 'visible' : 'none' } } as LayerSpecification;
  return state.opacity < 1 ? scaleOpacity(shown, state.opacity) : shown;
}

const NAME = JSON.stringify(['get', 'name']);
const ENGLISH_NAME = ['coalesce', ['get', 'name_en'], ['get', 'name']];

/** Labels by the English name, where there is one, for English; the style itself labels by the name. */
function inLanguage<L extends LayerSpecification & { type: 'symbol' }>(layer: L, language: Language): L {
  const field = layer.layout?.['text-field'];
  if (language === 'zh' || field === undefined) return layer;
  return { ...layer, layout: { ...layer.layout, 'text-field': replaceName(field) } } as L;
}

function replaceName(expression: unknown): unknown {
  if (!Array.isArray(expression)) return expression;
  if (JSON.stringify(expression) === NAME) return ENGLISH_NAME;
  return expression.map(replaceName);
}
