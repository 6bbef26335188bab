/** What is asked of a result on the map: its values at a place through time, or along a line at a moment. */

import { signal } from '@preact/signals';
import type { Position } from 'geojson';
import { clearSelection } from '../selection';
import * as session from '../session';
import { raster } from './runs';

/** run: whose pane was asked; the values are told of both. */
export type Probe = { readonly kind: 'point'; readonly at: Position; readonly run: 'A' | 'B' } | { readonly kind: 'line'; readonly line: readonly Position[] };

export const probe = signal<Probe | null>(null);
/** Whether a click on the map asks for values, and not for objects. */
export const probing = signal(true);

/** Asks for the values at a place; whether there are any to ask for. */
export function probeAt(at: Position, run: 'A' | 'B'): boolean {
  if (!probing.peek() || !raster.peek()) return false;
  show({ kind: 'point', at, run });
  return true;
}

/** Lets a person draw a line, and asks for the values along it. */
export async function probeLine(): Promise<void> {
  const shape = await session.map.peek()?.drawShape('linestring');
  if (shape?.type === 'LineString') show({ kind: 'line', line: shape.coordinates });
}

export function closeProbe(): void {
  probe.value = null;
  session.shape.value = { type: 'FeatureCollection', features: [] };
}

function show(wanted: Probe): void {
  clearSelection();
  probe.value = wanted;
  session.shape.value = wanted.kind === 'point' ? { type: 'Point', coordinates: [...wanted.at] } : { type: 'LineString', coordinates: wanted.line.map((each) => [...each]) };
}
