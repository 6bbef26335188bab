/** What of a result is on the map: the value tiles of its rasters, the styles of its objects, two runs together. */

import { computed, effect, signal, type Signal } from '@preact/signals';
import type { FeatureCollection } from 'geojson';
import type { StyleSpecification } from 'maplibre-gl';
import { isAbort, onServer } from '../../api/client';
import type { Collection } from '../../api/documents';
import { authorization, getLayer, getLayerStyle, getSource, getValueTiles, type ResultLayer, type ValueTiles } from '../../api/scenarios';
import { withTileJson } from '../../api/sources';
import { differenceStyle } from '../../map/scenarios/difference';
import { common } from '../../map/scenarios/grid';
import type { ResultLook } from '../../map/scenarios/results';
import { city, resultLayers } from '../session';
import { field } from '../store';
import { linkDifference } from './link_difference';
import { moment, otherMoment } from './moments';
import { comparing, failure, other, otherRaster, otherVectors, raster, shift, vectors } from './runs';

/** A raster layer with all that is needed to draw it. */
export interface Drawn {
  readonly layer: ResultLayer;
  readonly tiles: ValueTiles;
  /** Milliseconds since 1970, at which they are shown; empty for what has no time. */
  readonly moments: readonly number[];
}

export const shown = signal<Drawn | null>(null);
const besideRead = signal<Drawn | null>(null);
/** Of the run beside it, by the open run's times. */
export const beside = computed<Drawn | null>(() => besideRead.value && { ...besideRead.value, moments: besideRead.value.moments.map((time) => time - shift.value) });

/** Values to paint; less: those that they are less by. */
export interface Painted {
  readonly values: Drawn;
  readonly less: Drawn | null;
}

/** The values on the map; of two runs that are taken from each other, the second less the first. */
export const painted = computed<Painted | null>(() => {
  if (!shown.value) return null;
  const differs = comparing.value === 'difference' && beside.value !== null;
  return differs && beside.value ? { values: beside.value, less: shown.value } : { values: shown.value, less: null };
});

/** The values on the second map. */
export const paintedBeside = computed<Painted | null>(() => beside.value && { values: beside.value, less: null });

const styleName = field('style');
type Styled = readonly { readonly layer: ResultLayer; readonly told: Collection; readonly style: StyleSpecification }[];
const styles = signal<Styled>([]);
const otherStyles = signal<Styled>([]);

/** The ways of trips over a link that was asked for, lines with their volume; null: none was. */
export const flows = signal<FeatureCollection | null>(null);

/** What the map's style has to hold. */
export const look = computed<ResultLook>(() => {
  if (comparing.value === 'difference') return differing.value;
  return {
    water: shown.value?.tiles.bounds ?? null,
    objects: [...objectsOf(styles.value, moment.value), ...(flows.value ? [{ id: 'flows', style: flowStyle(flows.value) }] : [])],
  };
});

/** Between two runs: what differs, and what is closed in either. */
const differing = computed<ResultLook>(() => {
  const closed = (all: Styled): Styled => all.filter(({ layer }) => layer.role === 'closed');
  const second = objectsOf(closed(otherStyles.value), otherMoment.value).map((each) => ({ ...each, id: `${each.id}-b` }));
  return {
    water: shown.value && beside.value && common(shown.value.tiles.bounds, beside.value.tiles.bounds),
    objects: raster.value ? [] : [...(linkDifference.value ? [{ id: 'difference', style: differenceStyle(linkDifference.value) }] : []), ...objectsOf(closed(styles.value), moment.value), ...second],
  };
});

function objectsOf(styled: Styled, at: string | null): ResultLook['objects'] {
  return styled.map(({ layer, style }) => ({ id: layer.role, style: atMoment(style, at) }));
}

/** Lines as wide as their volume, over all others. */
function flowStyle(data: FeatureCollection): StyleSpecification {
  const width = ['step', ['get', 'volume'], 1.2, 20, 2.2, 100, 3.6, 300, 5.5, 800, 8] as unknown as number;
  const layers: StyleSpecification['layers'] = [
    { id: 'flows', type: 'line', source: 'flows', layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': '#7b3fa0', 'line-width': width } },
  ];
  return { version: 8, sources: { flows: { type: 'geojson', data } }, layers };
}

/** The same of the run beside it. */
export const otherLook = computed<ResultLook>(() => ({ water: beside.value?.tiles.bounds ?? null, objects: objectsOf(otherStyles.value, otherMoment.value) }));

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
    drawing(otherRaster, besideRead),
    styling(vectors, styles),
    styling(otherVectors, otherStyles),
    effect(() => void (resultLayers.value = other.value ? [...named(styles.value, 'A'), ...named(otherStyles.value, 'B')] : named(styles.value, null))),
  ];
  return () => stops.forEach((stop) => stop());
}

/** What the layers say of themselves; of two runs, with which of them they belong to. */
function named(styled: Styled, letter: 'A' | 'B' | null): readonly Collection[] {
  return styled.map(({ told }) => {
    if (letter === null) return told;
    const { zh, en } = told.twin.title;
    return { ...told, twin: { ...told.twin, title: { zh: `${letter} · ${zh}`, en: `${letter} · ${en}` } } };
  });
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
