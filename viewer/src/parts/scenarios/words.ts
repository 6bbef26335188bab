/** What the viewer calls the tables and columns of results; others are called as their scenario has them. */

import type { Key } from '../../i18n/en';
import { t } from '../../i18n/text';

const TABLES: Readonly<Record<string, Key & `results.${string}`>> = {
  gauges: 'results.gauges',
  exposure: 'results.exposure',
  facilities: 'results.facilities',
  road_closures: 'results.road_closures',
  roads_by_hour: 'results.roads_by_hour',
  people_to_move: 'results.people_to_move',
  damage: 'results.damage',
};

const COLUMNS: Readonly<Record<string, Key & `column.${string}`>> = {
  time: 'column.time',
  township: 'column.township',
  township_code: 'column.township_code',
  village: 'column.village',
  village_code: 'column.village_code',
  depth: 'column.depth',
  buildings: 'column.buildings',
  people: 'column.people',
  uid: 'column.uid',
  name: 'column.name',
  class: 'column.class',
  capacity: 'column.capacity',
  greatest_depth_m: 'column.greatest_depth_m',
  first_wet: 'column.first_wet',
  at_greatest: 'column.at_greatest',
  vehicle: 'column.vehicle',
  closed_from: 'column.closed_from',
  closed_to: 'column.closed_to',
  length_m: 'column.length_m',
  closed_km: 'column.closed_km',
  roads: 'column.roads',
  shelter: 'column.shelter',
  shelter_capacity: 'column.shelter_capacity',
  way_km: 'column.way_km',
  sector: 'column.sector',
  ground_floor_m2: 'column.ground_floor_m2',
  loss_cny: 'column.loss_cny',
  gauge: 'column.gauge',
  depth_m: 'column.depth_m',
  level_m: 'column.level_m',
};

export function tableTitle(name: string): string {
  const key = TABLES[name];
  return key ? t(key) : plain(name);
}

export function columnTitle(name: string): string {
  const key = COLUMNS[name];
  return key ? t(key) : plain(name);
}

/** A name of a program as people read it. */
function plain(name: string): string {
  return name.replaceAll('_', ' ');
}
