/** The city's metric CRS, projected in the browser. proj4 is loaded when first asked for. */

import type { Metres, Place } from './coordinates';

export interface Projection {
  forward(place: Place): Metres;
  inverse(metres: Metres): Place;
}

const loaded = new Map<string, Promise<Projection>>();

/** The projection of a PROJ string (from the city's document). Rejects where proj4 cannot read it. */
export function loadProjection(definition: string): Promise<Projection> {
  const known = loaded.get(definition);
  if (known) return known;
  const loading = import('proj4').then(({ default: proj4 }): Projection => {
    const converter = proj4('EPSG:4326', definition);
    return {
      forward({ lng, lat }) {
        const [east, north] = converter.forward<[number, number]>([lng, lat]);
        return { east, north };
      },
      inverse({ east, north }) {
        const [lng, lat] = converter.inverse<[number, number]>([east, north]);
        return { lng, lat };
      },
    };
  });
  loaded.set(definition, loading);
  // A server that is gone may be back when it is asked for again.
  loading.catch(() => loaded.delete(definition));
  return loading;
}
