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
  seen: 'results.seen',
  minutes: 'results.minutes',
  queued_links: 'results.queued_links',
  closed_by_events: 'results.closed_by_events',
  states: 'results.states',
  townships: 'results.townships',
  unserved: 'results.unserved',
  cut_off_by_village: 'results.cut_off_by_village',
  within: 'results.within',
  closed_road_trips: 'results.closed_road_trips',
  evacuation_plan: 'results.evacuation_plan',
  shelters: 'results.shelters',
  counts: 'results.counts',
  fit: 'results.fit',
  fitted_trips: 'results.fitted_trips',
  zones: 'results.zones',
  network: 'results.network',
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
  hour: 'column.hour',
  service: 'column.service',
  people_cut_off: 'column.people_cut_off',
  buildings_cut_off: 'column.buildings_cut_off',
  minutes: 'column.minutes',
  trips: 'column.trips',
  lost_hours: 'column.lost_hours',
  lost_min_a_trip: 'column.lost_min_a_trip',
  trips_without_a_way: 'column.trips_without_a_way',
  unserved_trips: 'column.unserved_trips',
  vehicle_km: 'column.vehicle_km',
  vehicle_km_usual: 'column.vehicle_km_usual',
  vehicle_hours: 'column.vehicle_hours',
  vehicle_hours_usual: 'column.vehicle_hours_usual',
  co2_kg: 'column.co2_kg',
  co2_kg_usual: 'column.co2_kg_usual',
  relative_gap: 'column.relative_gap',
  node_error: 'column.node_error',
  origin: 'column.origin',
  origin_name: 'column.origin_name',
  destination: 'column.destination',
  destination_name: 'column.destination_name',
  volume: 'column.volume',
  zone: 'column.zone',
  weight: 'column.weight',
  about: 'column.about',
  zh: 'column.zh',
  count: 'column.count',
  taken: 'column.taken',
  way_min: 'column.way_min',
  cleared_min: 'column.cleared_min',
  counter: 'column.counter',
  datastream: 'column.datastream',
  link: 'column.link',
  link_back: 'column.link_back',
  days: 'column.days',
  counted: 'column.counted',
  computed: 'column.computed',
  geh: 'column.geh',
  prior: 'column.prior',
  geh_prior: 'column.geh_prior',
  counts: 'column.counts',
  unreached: 'column.unreached',
  rmse: 'column.rmse',
  rmse_prior: 'column.rmse_prior',
  geh_met: 'column.geh_met',
  geh_met_prior: 'column.geh_met_prior',
  trips_prior: 'column.trips_prior',
  changed: 'column.changed',
  place: 'column.place',
  event: 'column.event',
  title: 'column.title',
  kind: 'column.kind',
  begins: 'column.begins',
  ends: 'column.ends',
  distance_m: 'column.distance_m',
  closes: 'column.closes',
  x: 'column.x',
  y: 'column.y',
  road: 'column.road',
  name_en: 'column.name_en',
  vehicles: 'column.vehicles',
  queue: 'column.queue',
  speed_kmh: 'column.speed_kmh',
  longest_queue: 'column.longest_queue',
  longest_at: 'column.longest_at',
  queued_min: 'column.queued_min',
  lon: 'column.lon',
  lat: 'column.lat',
  seen_m: 'column.seen_m',
  found_m: 'column.found_m',
  miss_m: 'column.miss_m',
  photo: 'column.photo',
};

const WORDS: Readonly<Record<string, Key & `word.${string}`>> = {
  hospital: 'word.hospital',
  school: 'word.school',
  shelter: 'word.shelter',
  fire_station: 'word.fire_station',
  car: 'word.car',
  lorry: 'word.lorry',
};

/** Columns whose values are among a few words, which a table can be narrowed by. */
export const WORD_COLUMNS: ReadonlySet<string> = new Set(['service', 'vehicle']);

export function wordTitle(value: string): string {
  const key = WORDS[value];
  return key ? t(key) : plain(value);
}

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
