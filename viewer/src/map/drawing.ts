/** Drawing on the map by Terra Draw: an area, a new shape, the corners of one that is there. Loaded when first wanted. */

import type { Geometry, Position } from 'geojson';
import type { Map as MapLibre } from 'maplibre-gl';
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPointMode, TerraDrawPolygonMode, TerraDrawSelectMode, type HexColor } from 'terra-draw';
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter';
import { fromPieces, toPieces, type Piece, type Simple } from '../geo/rings';

export type ShapeKind = 'polygon' | 'linestring' | 'point';

/** What stands before the names of all that drawing adds to the map. */
export const DRAWING = 'td';

export interface Edited {
  /** Shows another shape instead. */
  set(geometry: Geometry): void;
  stop(): void;
}

/** Lets a person draw one shape; null when it is given up. */
export function drawShape(map: MapLibre, kind: ShapeKind, accent: HexColor, signal: AbortSignal): Promise<Simple | null> {
  const draw = started(map, accent);
  draw.setMode(kind);
  return new Promise((resolve) => {
    const finish = (shape: Simple | null): void => {
      signal.removeEventListener('abort', cancel);
      draw.stop();
      resolve(shape);
    };
    const cancel = (): void => finish(null);
    signal.addEventListener('abort', cancel);
    draw.on('finish', (id) => {
      const shape = draw.getSnapshotFeature(id)?.geometry;
      // Terra Draw is still at work on it here.
      window.setTimeout(() => finish(shape && isSimple(shape) ? shape : null));
    });
  });
}

/** The corners of a drawn polygon, each once. */
export function corners(shape: Simple | null): Position[] | null {
  return shape?.type === 'Polygon' ? (shape.coordinates[0] ?? []).slice(0, -1) : null;
}

/** Lets a person move, add and delete the corners of a shape; onChange: after each change. */
export function editShape(map: MapLibre, geometry: Geometry, accent: HexColor, onChange: (geometry: Geometry) => void): Edited {
  const draw = started(map, accent);
  let places = new Map<string | number, Omit<Piece, 'shape'>>();
  const show = (shown: Geometry): void => {
    draw.clear();
    const features = toPieces(shown).map(({ shape, ...place }) => ({ place, feature: { type: 'Feature' as const, geometry: shape, properties: { mode: modeOf(shape) } } }));
    const added = draw.addFeatures(features.map((each) => each.feature));
    places = new Map(added.flatMap((each, index) => (each.valid && each.id !== undefined ? [[each.id, features[index]?.place ?? { part: 0, ring: 0 }]] : [])));
    draw.setMode('select');
    const [first] = places.keys();
    if (first !== undefined) draw.selectFeature(first);
  };
  const tell = (): void => {
    const pieces = [...places].flatMap(([id, place]): Piece[] => {
      const shape = draw.getSnapshotFeature(id)?.geometry;
      return shape && isSimple(shape) ? [{ ...place, shape }] : [];
    });
    const shape = fromPieces(pieces, geometry.type);
    if (shape) onChange(shape);
  };
  show(geometry);
  draw.on('finish', tell);
  return { set: show, stop: () => draw.stop() };
}

function started(map: MapLibre, accent: HexColor): TerraDraw {
  const corner = { selectionPointColor: '#ffffff', selectionPointOutlineColor: accent, selectionPointWidth: 6, selectionPointOutlineWidth: 2 } as const;
  const midpoint = { midPointColor: accent, midPointOutlineColor: '#ffffff', midPointWidth: 4, midPointOutlineWidth: 1 } as const;
  const area = { fillColor: accent, fillOpacity: 0.2, outlineColor: accent, outlineWidth: 2 } as const;
  const line = { lineStringColor: accent, lineStringWidth: 3 } as const;
  const point = { pointColor: accent, pointWidth: 7, pointOutlineColor: '#ffffff', pointOutlineWidth: 2 } as const;
  const chosen = {
    ...corner,
    ...midpoint,
    selectedPolygonColor: accent,
    selectedPolygonFillOpacity: 0.2,
    selectedPolygonOutlineColor: accent,
    selectedPolygonOutlineWidth: 2,
    selectedLineStringColor: accent,
    selectedLineStringWidth: 3,
    selectedPointColor: accent,
    selectedPointWidth: 8,
  } as const;
  const coordinates = { midpoints: true, draggable: true, deletable: true };
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, prefixId: DRAWING }),
    modes: [
      new TerraDrawPolygonMode({ styles: { ...area, closingPointColor: '#ffffff', closingPointOutlineColor: accent, closingPointWidth: 6, closingPointOutlineWidth: 2 } }),
      new TerraDrawLineStringMode({ styles: line }),
      new TerraDrawPointMode({ styles: point }),
      new TerraDrawSelectMode({
        styles: chosen,
        // Deselecting by a click beside the shape would leave its corners out of reach.
        allowManualDeselection: false,
        flags: {
          polygon: { feature: { draggable: true, coordinates } },
          linestring: { feature: { draggable: true, coordinates } },
          point: { feature: { draggable: true } },
        },
      }),
    ],
  });
  draw.start();
  return draw;
}

function modeOf(shape: Simple): ShapeKind {
  return shape.type === 'Polygon' ? 'polygon' : shape.type === 'LineString' ? 'linestring' : 'point';
}

function isSimple(geometry: Geometry): geometry is Simple {
  return geometry.type === 'Polygon' || geometry.type === 'LineString' || geometry.type === 'Point';
}
