/** What two runs of traffic differ by at the clock's moment, link by link: read once a state, told by the measure asked for. */

import { computed, effect, signal } from '@preact/signals';
import type { FeatureCollection } from 'geojson';
import { getJson, isAbort, onServer } from '../../api/client';
import { authorization, type ResultLayer } from '../../api/scenarios';
import { city } from '../session';
import { field } from '../store';
import { differencesOf, type Differences, type Link } from './links';
import { moment, otherMoment } from './moments';
import { comparing, failure, raster, traffics } from './runs';

/** Links a page, and pages: those with the greatest volumes come first. */
const [PAGE, MOST_PAGES] = [10_000, 5];
/** States of either run that a person may come back to. */
const MOST_KEPT = 24;
const PROPERTIES = 'uid,name,name_en,hour,volume,speed_kmh,delay_s,load';

interface Page extends FeatureCollection {
  readonly links: readonly { readonly rel: string; readonly href: string }[];
}

interface Read {
  readonly links: readonly [readonly Link[], readonly Link[]];
  readonly layers: readonly [ResultLayer, ResultLayer];
}

const scenario = field('scenario');
const measure = computed(() => scenario.value.measure);
const read = signal<Read | null>(null);

export interface LinkDifference {
  readonly differences: Differences;
  /** Of the first and the second run, whose objects the links are. */
  readonly layers: readonly [ResultLayer, ResultLayer];
  readonly measure: typeof measure.value;
  /** What hour of each run is compared; null: it has none for this moment. */
  readonly hours: readonly [number | null, number | null];
}

/** null: none is asked for, or it has not come. */
export const linkDifference = computed<LinkDifference | null>(() => {
  if (!read.value) return null;
  const { layers, links } = read.value;
  const [first = null, second = null] = links.map((each) => each[0]?.properties.hour ?? null);
  const differences: Differences = first === null || second === null ? { type: 'FeatureCollection', features: [] } : differencesOf(...links, measure.value);
  return { differences, layers, measure: measure.value, hours: [first, second] };
});

/** Reads the links of both runs as the clock goes from state to state. */
export function startLinkDifference(): () => void {
  const wanted = computed(() => (comparing.value === 'difference' && raster.value === null ? traffics.value : null));
  const kept = new Map<string, readonly Link[]>();
  return effect(() => {
    const [layers, root, at, otherAt] = [wanted.value, city.value?.root, moment.value, otherMoment.value];
    if (!layers || root === undefined) {
      read.value = null;
      kept.clear();
      return;
    }
    const abort = new AbortController();
    const linksOf = async ({ id, times }: ResultLayer, time: string | null): Promise<readonly Link[]> => {
      const key = `${id} ${time}`;
      const links = kept.get(key) ?? (await getLinks(root, id, times.length > 0 ? time : null, abort.signal));
      kept.set(key, links);
      for (const old of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(old);
      return links;
    };
    Promise.all([linksOf(layers[0], at), linksOf(layers[1], otherAt)]).then(
      (links) => {
        if (!abort.signal.aborted) read.value = { links, layers };
      },
      (error: unknown) => {
        if (!isAbort(error)) failure.value = error instanceof Error ? error.message : String(error);
      },
    );
    return () => abort.abort();
  });
}

async function getLinks(root: string, layer: string, at: string | null, signal: AbortSignal): Promise<readonly Link[]> {
  const values = new URLSearchParams({ limit: String(PAGE), sortby: '-volume', properties: PROPERTIES, ...(at === null ? {} : { datetime: at }) });
  const found: Link[] = [];
  let address: string | undefined = `${root}/collections/${layer}/items?${values}`;
  for (let page = 0; address !== undefined && page < MOST_PAGES; page += 1) {
    const { features, links }: Page = await getJson<Page>(address, signal, authorization());
    found.push(...(features as Link[]));
    const next: string | undefined = links.find(({ rel }) => rel === 'next')?.href;
    address = next && onServer(next);
  }
  return found;
}
