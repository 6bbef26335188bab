/** Any shape as the single rings, lines and points that can be drawn by hand, and back. */

import type { Geometry, LineString, Point, Polygon, Position } from 'geojson';

export type Simple = Polygon | LineString | Point;

export interface Piece {
  /** Which part of the shape, and which ring of that part; ring 0 is the outer one. */
  readonly part: number;
  readonly ring: number;
  readonly shape: Simple;
}

/** The pieces of a shape; none for a collection, which cannot be edited by hand. */
export function toPieces(geometry: Geometry): Piece[] {
  switch (geometry.type) {
    case 'Point':
    case 'LineString':
      return [{ part: 0, ring: 0, shape: flat(geometry) }];
    case 'MultiPoint':
      return geometry.coordinates.map((at, part) => ({ part, ring: 0, shape: flat({ type: 'Point', coordinates: at }) }));
    case 'MultiLineString':
      return geometry.coordinates.map((line, part) => ({ part, ring: 0, shape: flat({ type: 'LineString', coordinates: line }) }));
    case 'Polygon':
      return rings(geometry.coordinates, 0);
    case 'MultiPolygon':
      return geometry.coordinates.flatMap((polygon, part) => rings(polygon, part));
    case 'GeometryCollection':
      return [];
  }
}

/** The shape of the same type as before, of pieces that were drawn; null if none is left. */
export function fromPieces(pieces: readonly Piece[], type: Geometry['type']): Geometry | null {
  const first = pieces[0];
  if (!first) return null;
  const parts = new Map<number, Piece[]>();
  for (const piece of pieces) parts.set(piece.part, [...(parts.get(piece.part) ?? []), piece]);
  const grouped = [...parts.entries()].sort(([a], [b]) => a - b).map(([, each]) => each.sort((a, b) => a.ring - b.ring));
  if (first.shape.type === 'Polygon') {
    const polygons = grouped.map((each) => each.flatMap(({ shape }) => (shape.type === 'Polygon' ? shape.coordinates.slice(0, 1) : [])));
    return type === 'MultiPolygon' || polygons.length > 1 ? { type: 'MultiPolygon', coordinates: polygons } : { type: 'Polygon', coordinates: polygons[0] ?? [] };
  }
  if (type === 'MultiLineString') return { type, coordinates: grouped.flatMap(([piece]) => (piece?.shape.type === 'LineString' ? [piece.shape.coordinates] : [])) };
  if (type === 'MultiPoint') return { type, coordinates: grouped.flatMap(([piece]) => (piece?.shape.type === 'Point' ? [piece.shape.coordinates] : [])) };
  return first.shape;
}

/** Whether two shapes are the same to a tenth of a millimetre. */
export function sameShape(one: Geometry | null, other: Geometry | null): boolean {
  const text = (geometry: Geometry | null): string => JSON.stringify(geometry, (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value));
  return text(one) === text(other);
}

function rings(polygon: readonly Position[][], part: number): Piece[] {
  return polygon.map((ring, index) => ({ part, ring: index, shape: flat({ type: 'Polygon', coordinates: [ring] }) }));
}

/** Degrees with the nine decimals that can be drawn, without heights. */
function flat<S extends Simple>(shape: S): S {
  const even = (value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    return typeof value[0] === 'number' ? value.slice(0, 2).map((each) => rounded(Number(each))) : value.map(even);
  };
  return { ...shape, coordinates: even(shape.coordinates) } as S;
}

function rounded(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}
