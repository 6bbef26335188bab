/** The ground along a line, from the city's terrain tiles. */

import type { Position } from 'geojson';
import { getJson, onServer } from '../../api/client';
import { getTile } from '../../api/scenarios';
import { gridOf, pixelOf, TILE } from '../../map/scenarios/grid';
import { addressOf } from '../../map/scenarios/mosaic';
import type { Box } from '../../api/documents';

/** Mapbox Terrain-RGB: tenths of a metre above -10,000 m. */
const [BASE, STEP] = [-10_000, 0.1];

/** Metres above the city's vertical datum at each place; null where the terrain has none. */
export async function groundAlong(tilejson: string, line: readonly Position[], signal: AbortSignal): Promise<readonly (number | null)[]> {
  const { tiles, maxzoom } = await getJson<{ tiles: readonly string[]; maxzoom: number }>(onServer(tilejson), signal);
  const [lng, lat] = [line.map(([x = 0]) => x), line.map(([, y = 0]) => y)];
  const box: Box = [Math.min(...lng) - 1e-5, Math.min(...lat) - 1e-5, Math.max(...lng) + 1e-5, Math.max(...lat) + 1e-5];
  const grid = gridOf(box, box, maxzoom, maxzoom);
  if (!grid) return line.map(() => null);
  const canvas = new OffscreenCanvas((grid.east - grid.west) * TILE, (grid.south - grid.north) * TILE);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return line.map(() => null);
  const places = [];
  for (let row = grid.north; row < grid.south; row += 1) for (let column = grid.west; column < grid.east; column += 1) places.push([column, row] as const);
  await Promise.all(
    places.map(async ([column, row]) => {
      const picture = await getTile(addressOf(tiles[0] ?? '', grid.zoom, column, row, null), signal);
      if (picture) context.drawImage(picture, (column - grid.west) * TILE, (row - grid.north) * TILE, TILE, TILE);
    }),
  );
  return line.map(([x = 0, y = 0]) => {
    const [left, top] = pixelOf(grid, x, y);
    const [red = 0, green = 0, blue = 0, opacity] = context.getImageData(Math.floor(left), Math.floor(top), 1, 1).data;
    return opacity === 0 ? null : BASE + STEP * ((red << 16) | (green << 8) | blue);
  });
}
