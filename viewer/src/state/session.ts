/** What the viewer knows beyond the view: what the server told it and what passes by. Never part of the share link. */

import { computed, signal } from '@preact/signals';
import type { GeoJSON, Geometry, Position } from 'geojson';
import type { StyleSpecification } from 'maplibre-gl';
import type { Attributes, Box, City, CityEntry, Collection, Item } from '../api/documents';
import type { Place } from '../geo/coordinates';
import type { Simple } from '../geo/rings';
import type { Corners, ShapeKind } from '../geo/sketch';

export interface LoadedCity {
  readonly entry: CityEntry;
  /** Root of the city's addresses, without a slash at the end. */
  readonly root: string;
  readonly document: City;
  readonly collections: readonly Collection[];
}

export interface LoadedStyle {
  readonly city: string;
  readonly style: StyleSpecification;
  /** Layer ids as the style draws them, topmost first. */
  readonly order: readonly string[];
}

/** An object under the pointer, as the tiles show it. */
export interface Hit {
  readonly layer: string;
  readonly id: string;
  readonly properties: Attributes;
}

export interface Trouble {
  readonly kind: 'unreachable' | 'refused' | 'unknown';
  readonly reason: string;
  readonly status?: number;
  readonly retry: () => void;
}

export type Card =
  | { readonly status: 'loading' }
  /** layer: what the item's layer says of itself, where it is of a run; null: it is among the city's. */
  | { readonly status: 'ready'; readonly item: Item; readonly layer: Collection | null }
  | { readonly status: 'missing' }
  | { readonly status: 'failed'; readonly reason: string };

/** What the panels may ask of the map. */
export interface CityMap {
  zoomBy(steps: number): void;
  northUp(): void;
  home(): void;
  showBox(box: Box): void;
  /** Selects what lies at the middle of the map. */
  readCentre(): void;
  bounds(): Box;
  reloadTiles(): void;
  focus(): void;
  /** Copies what the map shows now; the canvas takes its size in pixels. */
  copyTo(canvas: HTMLCanvasElement): void;
  /** Lets a person draw an area; its corners, null when given up. */
  drawArea(): Promise<readonly Position[] | null>;
  /** Lets a person draw a shape; null when given up. */
  drawShape(kind: ShapeKind): Promise<Geometry | null>;
  /** Lets a person move, add and delete the corners of a drawn shape; null when given up. */
  changeShape(shape: Simple): Promise<Geometry | null>;
  /** Undoes the last step of what is being drawn. */
  takeBack(): void;
  /** Ends what is being drawn, if it has corners enough. */
  finishDrawing(): void;
  /** Gives up what is being drawn. */
  stopDrawing(): void;
  /** Shows another shape in place of the one that is being edited. */
  showShape(shape: Geometry): void;
}

/** A shape that is being drawn, or changed. */
export interface Drawing {
  readonly hint: 'area' | 'shape' | 'change';
  readonly kind: ShapeKind;
  readonly corners: Corners;
  readonly isWhole: boolean;
  readonly canTakeBack: boolean;
}

/** An object being made (id is null) or changed. */
export interface Editing {
  readonly layer: Collection;
  readonly id: string | null;
  readonly etag: string | null;
  readonly before: Attributes;
  readonly shapeBefore: Geometry | null;
  readonly shape: Geometry | null;
  /** What a person has written so far. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of the properties that may be written, and of those that must be. */
  readonly writable: readonly string[];
  readonly required: readonly string[];
  readonly status: 'open' | 'saving';
  readonly problem: string | null;
  /** Whether the problem is that another has changed the object since it was read. */
  readonly conflict: boolean;
}

export type PanelSize = 'small' | 'middle' | 'large';
export type PanelTab = 'layers' | 'objects' | 'sensors' | 'events' | 'scenarios';

export const cities = signal<readonly CityEntry[] | null>(null);
export const city = signal<LoadedCity | null>(null);
/** What the layers of objects say of themselves that a run has on the map. */
export const resultLayers = signal<readonly Collection[]>([]);
export const style = signal<LoadedStyle | null>(null);
export const trouble = signal<Trouble | null>(null);
/** Why tiles are missing; null while all came. */
export const tileTrouble = signal<string | null>(null);
export const webglMissing = signal(false);
/** A city the link asked for and the server does not have. */
export const unknownCity = signal<string | null>(null);

/** Whether the server has answered, and has nothing to show. */
export const isEmpty = computed(() => {
  if (cities.value?.length === 0) return true;
  const counts = city.value?.document.counts;
  return counts !== undefined && Object.values(counts).every((count) => count === 0);
});

export const map = signal<CityMap | null>(null);
export const mapBusy = signal(true);
export const pointer = signal<{ place: Place; elevation: number | null } | null>(null);
export const hits = signal<readonly Hit[]>([]);
/** What had the focus when a list opened the card, and gets it back; null for a card opened on the map. */
export const opener = signal<{ readonly element: Element | null } | null>(null);
export const card = signal<Card | null>(null);
/** Shape drawn as selected: the object of the card, or a place that was searched for. */
export const shape = signal<GeoJSON>({ type: 'FeatureCollection', features: [] });

/** Pixels the panel takes from the map. */
export const panelBox = signal({ width: 0, height: 0 });
export const panelSize = signal<PanelSize>('middle');
export const panelTab = signal<PanelTab>('layers');
/** What is open in the table's dock beside the table. */
export const dockPart = signal<'filter' | 'summary' | null>(null);
/** Whether a person is drawing on the map, so that nothing may lie over it. */
export const drawing = signal<Drawing | null>(null);
export const editing = signal<Editing | null>(null);
/** What goes on once a token has been given; null while none is asked for. */
export const tokenWanted = signal<{ readonly next: () => void } | null>(null);
/** Changes when objects were written from here: lists ask again. */
export const written = signal(0);
/** How many keys of foreign hosts have been given in this tab. */
export const keysGiven = signal(0);
/** Whether the dialog for a map from elsewhere is open. */
export const addingMap = signal(false);
export const helpOpen = signal(false);

/** Last thing to be read out by a screen reader. */
export const announcement = signal('');
