/** A style layer made more transparent, whatever its style says of opacity already. */

import type { LayerSpecification } from 'maplibre-gl';

type Paint = Readonly<Record<string, unknown>>;

const OPACITIES: Readonly<Partial<Record<LayerSpecification['type'], readonly string[]>>> = {
  background: ['background-opacity'],
  fill: ['fill-opacity'],
  line: ['line-opacity'],
  circle: ['circle-opacity', 'circle-stroke-opacity'],
  symbol: ['text-opacity', 'icon-opacity'],
  'fill-extrusion': ['fill-extrusion-opacity'],
  raster: ['raster-opacity'],
  heatmap: ['heatmap-opacity'],
  // A hillshade has no opacity; how strongly it shades does the same.
  hillshade: ['hillshade-exaggeration'],
};

/** What the specification takes where the style says nothing. */
const DEFAULTS: Paint = { 'hillshade-exaggeration': 0.5 };

export function scaleOpacity(layer: LayerSpecification, factor: number): LayerSpecification {
  const paint = (layer.paint ?? {}) as Paint;
  const scaled = Object.fromEntries(
    (OPACITIES[layer.type] ?? []).map((name) => [name, times(paint[name] ?? DEFAULTS[name] ?? 1, factor)]),
  );
  return { ...layer, paint: { ...paint, ...scaled } } as LayerSpecification;
}

/**
 * A number or an expression times a factor. ["zoom"] may stand only as the input of a topmost "interpolate" or
 * "step", so there the outputs are scaled, one by one.
 */
function times(value: unknown, factor: number): unknown {
  if (typeof value === 'number') return value * factor;
  if (Array.isArray(value)) {
    const operator: unknown = value[0];
    if (operator === 'interpolate') return value.map((part: unknown, i) => (i >= 4 && i % 2 === 0 ? times(part, factor) : part));
    if (operator === 'step') return value.map((part: unknown, i) => (i >= 2 && i % 2 === 0 ? times(part, factor) : part));
    return ['*', factor, value];
  }
  return value;
}
