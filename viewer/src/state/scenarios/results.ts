/** What of a result is on the map: the value tiles of its rasters, the styles of its objects, two runs together. */

import { computed, effect, signal, type Signal } from '@preact/signals';
import type { FeatureCollection } from 'geojson';
import type { StyleSpecification } from 'maplibre-gl';
import { isAbort, onServer } from '../../api/client';
import type { Collection } from '../../api/documents';
import { authorization, getLayer, getLayerStyle, getSource, getValueTiles, type ResultLayer, type ValueTiles } from '../../api/scenarios';
import { withTileJson } from '../../api/sources';
import type { ResultLook } from '../../map/scenarios/results';
import { city, resultLayers } from '../session';
import { field } from '../store';
import { between } from './frames';
import { instant } from './play';
import { failure, otherRaster, otherVectors, raster, times, vectors } from './runs';

/** A raster layer with all that is needed to draw it. */
export interface Drawn {
  readonly layer: ResultLayer;
  readonly tiles: ValueTiles;
  /** Milliseconds since 1970; empty for what has no time. */
  readonly moments: readonly number[];
}

export const shown = signal<Drawn | null>(null);
export const beside = signal<Drawn | null>(null);
/** Where the line between two runs stands, a share of the map's width. */
export const swipe = signal(0.5);

const styleName = field('style');
type Styled = readonly { readonly layer: ResultLayer; readonly told: Collection; readonly style: StyleSpecification }[];
const styles = signal<Styled>([]);
const otherStyles = signal<Styled>([]);

/** The state of the objects, as their tiles are asked for it; null: they have no time. */
export const moment = computed<string | null>(() => {
  const at = instant.value;
  const state = at === null ? undefined : times.value[between(times.value, at).from];
  return state === undefined ? null : new Date(state).toISOString().replace('.000Z', 'Z');
});

/** The ways of trips over a link that was asked for, lines with their volume; null: none was. */
export const flows = signal<FeatureCollection | null>(null);

/** What the map's style has to hold. */
export const look = computed<ResultLook>(() => ({
  water: shown.value?.tiles.bounds ?? null,
  objects: [
    ...styles.value.map(({ layer, style }) => ({ id: layer.role, style: atMoment(style, moment.value) })),
    ...(flows.value ? [{ id: 'flows', style: flowStyle(flows.value) }] : []),
  ],
}));

/** Lines as wide as their volume, over all others. */
function flowStyle(data: FeatureCollection): StyleSpecification {
  const width = ['step', ['get', 'volume'], 1.2, 20, 2.2, 100, 3.6, 300, 5.5, 800, 8] as unknown as number;
  const layers: StyleSpecification['layers'] = [
    { id: 'flows', type: 'line', source: 'flows', layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': '#7b3fa0', 'line-width': width } },
  ];
  return { version: 8, sources: { flows: { type: 'geojson', data } }, layers };
}

/** The same of the run beside it, where its objects are compared. */
export const otherLook = computed<ResultLook>(() => ({
  water: null,
  objects: otherStyles.value.map(({ layer, style }) => ({ id: layer.role, style: atMoment(style, moment.value) })),
}));

function atMoment(style: StyleSpecification, at: string | null): StyleSpecification {
  if (at === null) return style;
  const sources = Object.entries(style.sources).map(([id, source]) => {
    if (source.type !== 'vector' || !source.tiles) return [id, source] as const;
    return [id, { ...source, tiles: source.tiles.map((tile) => `${tile}${tile.includes('?') ? '&' : '?'}datetime=${encodeURIComponent(at)}`) }] as const;
  });
  return { ...style, sources: Object.fromEntries(sources) };
}

/** Reads what is wanted as the view changes. */
export function startResults(): () => void {
  const stops = [
    drawing(raster, shown),
    drawing(otherRaster, beside),
    styling(vectors, styles),
    styling(otherVectors, otherStyles),
    effect(() => void (resultLayers.value = styles.value.map(({ told }) => told))),
  ];
  return () => stops.forEach((stop) => stop());
}

function drawing(wanted: { readonly value: ResultLayer | null }, into: Signal<Drawn | null>): () => void {
  return effect(() => {
    const layer = wanted.value;
    const root = city.value?.root;
    if (into.peek()?.layer.id !== layer?.id) into.value = null;
    if (!layer || root === undefined || into.peek()) return;
    const abort = new AbortController();
    getValueTiles(root, layer.id, abort.signal).then((tiles) => {
      if (!abort.signal.aborted) into.value = { layer, tiles, moments: tiles.twin.times.map((time) => Date.parse(time)) };
    }, note);
    return () => abort.abort();
  });
}

function styling(wanted: { readonly value: readonly ResultLayer[] }, into: Signal<Styled>): () => void {
  return effect(() => {
    const layers = wanted.value;
    const [root, name] = [city.value?.root, styleName.value];
    if (root === undefined || layers.length === 0) {
      into.value = [];
      return;
    }
    const abort = new AbortController();
    const read = async (layer: ResultLayer) => {
      const [style, told] = await Promise.all([getLayerStyle(root, layer.id, name, abort.signal), getLayer(root, layer.id, abort.signal)]);
      return { layer, told, style: await withTileJson(style, (address) => getSource(address, abort.signal), onServer) };
    };
    Promise.all(layers.map(read)).then((found) => {
      if (!abort.signal.aborted) into.value = found;
    }, note);
    return () => abort.abort();
  });
}

/** How the map asks for a tile: those of a result by this tab's token, since not everybody may see every run. */
export function askingFor(address: string): { url: string; headers?: Record<string, string> } {
  const ours = [...vectors.peek(), ...otherVectors.peek()].some(({ id }) => address.includes(id));
  return ours ? { url: address, headers: { ...authorization() } } : { url: address };
}

function note(error: unknown): void {
  if (!isAbort(error)) failure.value = error instanceof Error ? error.message : String(error);
}
