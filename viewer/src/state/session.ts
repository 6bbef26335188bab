/** What the viewer knows beyond the view: what the server told it and what passes by. Never part of the share link. */

import { computed, signal } from '@preact/signals';
import type { GeoJSON } from 'geojson';
import type { StyleSpecification } from 'maplibre-gl';
import type { Attributes, Box, City, CityEntry, Collection, Item } from '../api/documents';
import type { Place } from '../geo/coordinates';

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
  | { readonly status: 'ready'; readonly item: Item }
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
}

export type PanelSize = 'small' | 'middle' | 'large';
export type PanelTab = 'layers' | 'objects';

export const cities = signal<readonly CityEntry[] | null>(null);
export const city = signal<LoadedCity | null>(null);
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
export const helpOpen = signal(false);

/** Last thing to be read out by a screen reader. */
export const announcement = signal('');
