/** The server's documents, as far as the viewer reads them. */

import type { Feature, FeatureCollection, Geometry } from 'geojson';

/** A text in both languages of the viewer. */
export interface Text {
  readonly zh: string;
  readonly en: string;
}

/** west, south, east, north in degrees. */
export type Box = readonly [number, number, number, number];

export interface CityEntry {
  readonly name: string;
  readonly title: Text;
  /** Path or address of the city's root; empty for the default city. */
  readonly url: string;
  readonly default: boolean;
  readonly made_up: boolean;
}

export interface City {
  readonly name: string;
  readonly title: Text;
  /** 4326 or 4490. */
  readonly srid: number;
  /** "EPSG:4549". */
  readonly metric_crs: string;
  readonly metric_crs_proj4: string;
  readonly time_zone: string;
  readonly made_up: boolean;
  readonly bbox: Box | null;
  readonly view: {
    readonly center: readonly [number, number];
    readonly zoom: number;
    readonly pitch?: number;
    readonly bearing?: number;
  };
  readonly terrain: { readonly tilejson: string } | null;
  /** Objects a layer, estimated. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Property {
  readonly name: string;
  readonly type: string;
  readonly unit?: string | null;
  readonly title: Text;
  readonly codes?: Readonly<Record<string, Text>>;
}

export interface LegendEntry {
  readonly label: Text;
  readonly color: string;
  readonly outline?: string | null;
  readonly kind: 'fill' | 'line' | 'circle' | 'icon';
  /** The same by night. */
  readonly night?: { readonly color: string; readonly outline?: string | null };
}

export interface Theme extends Text {
  readonly id: string;
  readonly order: number;
}

export interface Collection {
  readonly id: string;
  readonly title: string;
  readonly description?: string;
  readonly extent?: { readonly temporal?: { readonly interval?: readonly (readonly (string | null)[])[] } };
  readonly twin: {
    readonly title: Text;
    readonly theme: Theme;
    readonly order: number;
    readonly geometry: string;
    readonly visible: boolean;
    readonly count: number | null;
    readonly attribution?: string | null;
    readonly licence?: string | null;
    readonly sharing?: string | null;
    readonly made_up?: boolean;
    /** Whether its objects may be written here. */
    readonly editable: boolean;
    readonly properties: readonly Property[];
    readonly legend: readonly LegendEntry[];
  };
}

export type Attributes = Readonly<Record<string, unknown>>;
export type Item = Feature<Geometry | null, Attributes | null>;

export interface Link {
  readonly rel: string;
  readonly href: string;
  readonly type?: string;
  readonly title?: string;
}

/** Statistics of a layer's objects by group (GET /collections/{layer}/aggregate). */
export interface Statistics {
  readonly total: Figures;
  readonly groups: readonly (Figures & { readonly value: string | number | boolean | null; readonly title?: Text })[];
}

export interface Figures {
  readonly count: number;
  readonly sum?: number | null;
}

export interface ItemPage extends FeatureCollection<Geometry | null, Attributes | null> {
  readonly links?: readonly Link[];
  readonly numberMatched?: number;
  readonly numberEstimated?: number;
}

export interface SearchHit {
  readonly layer: string;
  readonly object_id: number | string;
  readonly label: string;
  readonly class?: string | null;
  /** The text by which it was found, such as an address. */
  readonly matched?: string | null;
  readonly township?: string | null;
}

/** Objects that were found, and places, which belong to no layer. */
export type SearchAnswer = FeatureCollection<Geometry | null, SearchHit | { readonly layer: null; readonly label: string }>;
