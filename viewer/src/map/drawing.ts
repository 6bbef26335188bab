/** Moving the corners of a shape that is there, by Terra Draw. Loaded when first wanted. */

import type { Geometry } from 'geojson';
import type { Map as MapLibre } from 'maplibre-gl';
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPointMode, TerraDrawPolygonMode, TerraDrawSelectMode, type HexColor } from 'terra-draw';
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter';
import { fromPieces, toPieces, type Piece, type Simple } from '../geo/rings';
import { cornersOf, kindOf } from '../geo/sketch';
import type { Follow, Sketch } from './sketch';

/** What stands before the names of all that drawing adds to the map. */
const DRAWING = 'td';

export interface Edited {
  /** Shows another shape instead. */
  set(geometry: Geometry): void;
  stop(): void;
}

/** Lets a person move, add and delete the corners of a shape; onChange: after each change. */
export function editShape(map: MapLibre, geometry: Geometry, accent: HexColor, onChange: (geometry: Geometry) => void): Edited {
  const draw = started(map, accent);
  let places = new Map<string | number, Omit<Piece, 'shape'>>();
  const show = (shown: Geometry): void => {
    draw.clear();
    const features = toPieces(shown).map(({ shape, ...place }) => ({ place, feature: { type: 'Feature' as const, geometry: shape, properties: { mode: kindOf(shape) } } }));
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

/** Lets a person change a drawn shape until that is finished or given up, each change to be taken back. */
export function reshape(map: MapLibre, before: Simple, accent: HexColor, signal: AbortSignal, follow: Follow, giveUp: () => void): Sketch {
  const states: [Simple, ...Simple[]] = [before];
  const now = (): Simple => states.at(-1) ?? before;
  const ended = new AbortController();
  let resolve: (shape: Simple | null) => void = () => undefined;
  const edited = editShape(map, before, accent, (shape) => {
    if (!isSimple(shape)) return;
    states.push(shape);
    follow(cornersOf(shape), true);
  });
  const end = (shape: Simple | null): void => {
    ended.abort();
    edited.stop();
    resolve(shape);
  };
  window.addEventListener('keydown', ({ key }) => key === 'Escape' && giveUp(), { signal: ended.signal });
  signal.addEventListener('abort', () => end(null), { signal: ended.signal });
  return {
    takeBack() {
      if (states.length > 1) states.pop();
      edited.set(now());
      follow(cornersOf(now()), states.length > 1);
    },
    finish: () => end(now()),
    done: new Promise((given) => (resolve = given)),
  };
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
      new TerraDrawPolygonMode({ styles: area }),
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

function isSimple(geometry: Geometry): geometry is Simple {
  return geometry.type === 'Polygon' || geometry.type === 'LineString' || geometry.type === 'Point';
}
