/** What is on the screen: the whole of it, and nothing that a share link could not carry. */

import type { Extra } from './extra';
import type { LayerFilter } from './filter';
import { NO_SCENARIO, type ScenarioView } from './scenarios/view';
import { NO_SENSING, type SensingView } from './sensing/view';
import { NO_WAYS, type WaysView } from './ways/view';

export type Language = 'zh' | 'en';
export type StyleName = 'day' | 'night';

/** How the pointer's place is written: degrees, degrees-minutes-seconds, Web Mercator metres, the city's own metres. */
export type CoordinateFormat = 'degrees' | 'dms' | 'mercator' | 'metric';

/** Where the map looks from: degrees, and MapLibre's zoom. */
export interface Camera {
  readonly lng: number;
  readonly lat: number;
  readonly zoom: number;
  readonly bearing: number;
  readonly pitch: number;
}

export interface LayerView {
  readonly id: string;
  readonly visible: boolean;
  /** 0 (unseen) to 1 (as the style says). */
  readonly opacity: number;
}

export interface Selection {
  readonly layer: string;
  readonly id: string;
}

export interface ViewState {
  /** Name of the city; null until the server has said which one is its default. */
  readonly city: string | null;
  /** null: the city's own view. */
  readonly camera: Camera | null;
  readonly style: StyleName;
  readonly language: Language;
  /** Topmost first; empty: as the catalogue and the style have it. */
  readonly layers: readonly LayerView[];
  readonly is3d: boolean;
  readonly selected: Selection | null;
  /** The day the city is shown at, YYYY-MM-DD in the city's zone; null: now. */
  readonly date: string | null;
  readonly coordinates: CoordinateFormat;
  /** Maps from elsewhere, topmost first. */
  readonly extras: readonly Extra[];
  /** Conditions by layer; a layer without any is not in it. */
  readonly filters: Readonly<Record<string, LayerFilter>>;
  readonly table: TableView | null;
  readonly sensing: SensingView;
  readonly scenario: ScenarioView;
  readonly ways: WaysView;
}

/** The table that is open. */
export interface TableView {
  readonly layer: string;
  /** Property to sort by, with "-" before it to descend; null: by object number. */
  readonly sort: string | null;
  /** Properties shown, in order; null: those that say most. */
  readonly columns: readonly string[] | null;
}

export const INITIAL: ViewState = {
  city: null,
  camera: null,
  style: 'day',
  language: 'en',
  layers: [],
  is3d: true,
  selected: null,
  date: null,
  coordinates: 'degrees',
  extras: [],
  filters: {},
  table: null,
  sensing: NO_SENSING,
  scenario: NO_SCENARIO,
  ways: NO_WAYS,
};
