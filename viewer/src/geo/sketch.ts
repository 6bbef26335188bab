/** A shape while it is drawn, corner by corner: when it is whole, how large it is, what is shown of it. Pure. */

import type { Feature, FeatureCollection, Position } from 'geojson';
import type { Simple } from './rings';

export type ShapeKind = 'polygon' | 'linestring' | 'point';
export type Corners = readonly Position[];

const LEAST: Readonly<Record<ShapeKind, number>> = { point: 1, linestring: 2, polygon: 3 };
const EARTH_RADIUS = 6371008.8;

export function isWhole(kind: ShapeKind, corners: Corners): boolean {
  return corners.length >= LEAST[kind];
}

/** The shape of its corners; null while there are too few. */
export function shapeOf(kind: ShapeKind, corners: Corners): Simple | null {
  const [first] = corners;
  if (!first || !isWhole(kind, corners)) return null;
  if (kind === 'point') return { type: 'Point', coordinates: first };
  return kind === 'linestring' ? { type: 'LineString', coordinates: [...corners] } : { type: 'Polygon', coordinates: [[...corners, first]] };
}

export function kindOf({ type }: Simple): ShapeKind {
  return type === 'Polygon' ? 'polygon' : type === 'LineString' ? 'linestring' : 'point';
}

/** The corners of a shape, each once; of an area those of its outer ring. */
export function cornersOf(shape: Simple): Corners {
  if (shape.type === 'Point') return [shape.coordinates];
  return shape.type === 'LineString' ? shape.coordinates : (shape.coordinates[0] ?? []).slice(0, -1);
}

/** What the map shows of a shape that is being drawn. cursor: where the next corner would be. */
export function sketchOf(kind: ShapeKind, corners: Corners, cursor: Position | null): FeatureCollection {
  const line = cursor && corners.length > 0 ? [...corners, cursor] : [...corners];
  const [first] = line;
  const features: Feature[] = corners.map((coordinates) => ({ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates } }));
  if (kind === 'polygon' && first && line.length > 2) features.push({ type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [[...line, first]] } });
  else if (kind !== 'point' && line.length > 1) features.push({ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: line } });
  return { type: 'FeatureCollection', features };
}

/** Metres along a line, on a sphere of the earth's mean radius (haversines; within 0.6 % of the ellipsoid). */
export function lengthOf(corners: Corners): number {
  return corners.slice(1).reduce((sum, corner, index) => sum + apartMetres(corners[index] ?? corner, corner), 0);
}

/** Square metres within a ring, as a plane at its middle latitude: right for what fits into a city. */
export function areaOf(corners: Corners): number {
  const [middle, west] = [0, 1].map((axis) => corners.reduce((sum, corner) => sum + (corner[1 - axis] ?? 0), 0) / corners.length) as [number, number];
  const scale = (EARTH_RADIUS * Math.PI) / 180;
  const flat = corners.map(([x = 0, y = 0]) => [(x - west) * scale * Math.cos((middle * Math.PI) / 180), (y - middle) * scale] as const);
  const doubled = flat.reduce((sum, [x, y], index) => {
    const [u, v] = flat[(index + 1) % flat.length] ?? [x, y];
    return sum + x * v - u * y;
  }, 0);
  return Math.abs(doubled) / 2;
}

function apartMetres([x = 0, y = 0]: Position, [u = 0, v = 0]: Position): number {
  const [north, south] = [(y * Math.PI) / 180, (v * Math.PI) / 180];
  const half = Math.sin((south - north) / 2) ** 2 + Math.cos(north) * Math.cos(south) * Math.sin(((u - x) * Math.PI) / 360) ** 2;
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(half));
}
