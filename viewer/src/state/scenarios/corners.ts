/** The corners of a shape as text, a place a line, and back. Pure. */

import type { Position } from 'geojson';
import type { Box } from '../../api/documents';
import { parsePlace } from '../../geo/coordinates';
import type { Simple } from '../../geo/rings';
import { cornersOf, isWhole, shapeOf, type ShapeKind } from '../../geo/sketch';

export type ReadCorners =
  | { readonly shape: Simple | null }
  /** A line that is no place, counted from 1. */
  | { readonly wrong: number }
  | { readonly tooFew: true };

/** Longitude and latitude of each corner. */
export function writeCorners(shape: Simple | null): string {
  return shape ? cornersOf(shape).map(([lng = 0, lat = 0]) => `${lng}, ${lat}`).join('\n') : '';
}

/** Nothing is no shape. city: its box tells longitude from latitude where nothing else does. */
export function readCorners(text: string, kind: ShapeKind, city: Box | null): ReadCorners {
  const lines = text.split('\n').map((line) => line.trim());
  const found: Position[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const place = parsePlace(line, city);
    if (!place) return { wrong: index + 1 };
    found.push([place.lng, place.lat]);
  }
  if (found.length === 0) return { shape: null };
  return isWhole(kind, found) ? { shape: shapeOf(kind, found) } : { tooFew: true };
}
