/** The table `counts` of a traffic run: counters hour by hour, and how well the run meets them. */

import type { ResultTable } from '../../api/scenarios';

export interface Count {
  /** null for a count of a file. */
  readonly datastream: number | null;
  readonly counter: string;
  /** null in a run of a single hour. */
  readonly time: string | null;
  readonly hour: number;
  /** Vehicles an hour, the mean of so many days. */
  readonly counted: number;
  readonly days: number;
  readonly computed: number;
  readonly geh: number;
  /** Computed with the trips before they were fitted to counts; null where they were not, none in older runs. */
  readonly prior?: number | null;
  /** The other way of the road, where the counter tells no direction. */
  readonly link_back: string | null;
}

/** The hours of each counter on a link, whichever way of the road that is. */
export function countsOf({ columns, rows }: ResultTable, uid: string): readonly (readonly Count[])[] {
  const told = rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])) as unknown as Count & { readonly link: string });
  const here = told.filter(({ link, link_back }) => link === uid || link_back === uid);
  const key = ({ datastream, counter }: Count): number | string => datastream ?? counter;
  return [...new Set(here.map(key))].map((one) => here.filter((count) => key(count) === one));
}

/** The word for it: GEH below 5 is held to be good, above 10 to ask for an answer (DMRB volume 12). */
export function gradeOf(geh: number): 'counts.good' | 'counts.fair' | 'counts.poor' {
  return geh < 5 ? 'counts.good' : geh <= 10 ? 'counts.fair' : 'counts.poor';
}
