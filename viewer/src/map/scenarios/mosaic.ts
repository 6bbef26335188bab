/** Values of a layer's states over a grid, read from value tiles and kept while they may be wanted again. */

import { getTile, type ValueTiles } from '../../api/scenarios';
import { nameOf, TILE, type Grid } from './grid';

/** Numbers that are kept: some 240 MB of them. */
const MOST_KEPT = 60_000_000;

export class Mosaics {
  readonly #kept = new Map<string, Float32Array>();
  readonly #coming = new Map<string, Promise<Float32Array>>();
  readonly #abort = new AbortController();

  /** The values of a state, if they are here. time: as the layer names it; null: it has none. */
  have(layer: string, time: string | null, grid: Grid): Float32Array | null {
    return this.#kept.get(keyOf(layer, time, grid)) ?? null;
  }

  /** The values of a state. Rejects where the server does not give them. */
  read(layer: string, tiles: ValueTiles, time: string | null, grid: Grid): Promise<Float32Array> {
    const key = keyOf(layer, time, grid);
    const here = this.#kept.get(key);
    if (here) return Promise.resolve(here);
    const coming = this.#coming.get(key) ?? this.#fetch(tiles, time, grid).then((values) => this.#keep(key, values));
    this.#coming.set(key, coming);
    coming.then(
      () => this.#coming.delete(key),
      () => this.#coming.delete(key),
    );
    return coming;
  }

  stop(): void {
    this.#abort.abort();
    this.#kept.clear();
  }

  #keep(key: string, values: Float32Array): Float32Array {
    this.#kept.set(key, values);
    let size = [...this.#kept.values()].reduce((sum, each) => sum + each.length, 0);
    for (const [old, each] of this.#kept) {
      if (size <= MOST_KEPT || old === key) break;
      this.#kept.delete(old);
      size -= each.length;
    }
    return values;
  }

  async #fetch({ tiles, twin }: ValueTiles, time: string | null, grid: Grid): Promise<Float32Array> {
    const [columns, rows] = [grid.east - grid.west, grid.south - grid.north];
    const canvas = new OffscreenCanvas(columns * TILE, rows * TILE);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no canvas');
    const places = Array.from({ length: columns * rows }, (_, index) => [index % columns, Math.floor(index / columns)] as const);
    await Promise.all(
      places.map(async ([column, row]) => {
        const address = addressOf(tiles[0] ?? '', grid.zoom, grid.west + column, grid.north + row, time);
        const picture = await getTile(address, this.#abort.signal);
        if (picture) context.drawImage(picture, column * TILE, row * TILE);
        picture?.close();
      }),
    );
    return decode(context.getImageData(0, 0, canvas.width, canvas.height).data, twin.encoding);
  }
}

function keyOf(layer: string, time: string | null, grid: Grid): string {
  return `${layer} ${time} ${nameOf(grid)}`;
}

/** Where a tile is. */
export function addressOf(template: string, zoom: number, column: number, row: number, time: string | null): string {
  const address = template.replace('{z}', String(zoom)).replace('{x}', String(column)).replace('{y}', String(row));
  return time === null ? address : `${address}${address.includes('?') ? '&' : '?'}datetime=${encodeURIComponent(time)}`;
}

/** The values in a picture: NaN where it is transparent. */
export function decode(bytes: Uint8ClampedArray, { base, step }: ValueTiles['twin']['encoding']): Float32Array {
  const values = new Float32Array(bytes.length / 4);
  for (let index = 0, at = 0; index < values.length; index += 1, at += 4) {
    const packed = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    values[index] = bytes[at + 3] === 0 ? NaN : base + step * packed;
  }
  return values;
}
