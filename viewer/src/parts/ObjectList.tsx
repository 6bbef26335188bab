/** The objects in view as a list: what the map shows, for those who do not see it or have no mouse. */

import { useEffect, useState } from 'preact/hooks';
import { getItems, itemsAddress, nextPage } from '../api/city';
import { isAbort } from '../api/client';
import type { Collection, Item } from '../api/documents';
import { boxOf } from '../geo/scale';
import { number, pick, t } from '../i18n/text';
import { city, map } from '../state/session';
import { chosenOf, select } from '../state/selection';
import { field, view } from '../state/store';
import { classLabel, objectTitle } from './labels';

const PAGE = 25;

const layers = field('layers');
const camera = field('camera');
const date = field('date');

interface Found {
  readonly items: readonly Item[];
  readonly total: number | null;
  readonly next: string | null;
}

export function ObjectList() {
  const visible = layers.value.filter((layer) => layer.visible);
  const collections = (city.value?.collections ?? []).filter((collection) => collection.twin.geometry !== 'raster');
  const offered = collections.filter((collection) => visible.some((layer) => layer.id === collection.id));
  const [wanted, setWanted] = useState('');
  const layer = offered.find((collection) => collection.id === wanted) ?? offered[0];
  if (!layer) return <p class="quiet">{t('objects.no_layer')}</p>;
  return (
    <div class="objects">
      <p class="quiet">{t('objects.hint')}</p>
      <label class="field">
        <span>{t('objects.layer')}</span>
        <select value={layer.id} onChange={(event) => setWanted(event.currentTarget.value)}>
          {offered.map((collection) => (
            <option key={collection.id} value={collection.id}>
              {pick(collection.twin.title)}
            </option>
          ))}
        </select>
      </label>
      <Objects layer={layer} />
    </div>
  );
}

function Objects({ layer }: { layer: Collection }) {
  const [found, setFound] = useState<Found | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const address = firstPage(layer.id);

  const read = (url: string, before: readonly Item[], signal: AbortSignal): void => {
    getItems(url, signal).then(
      (page) => {
        setFailure(null);
        setFound({ items: [...before, ...page.features], total: page.numberMatched ?? null, next: nextPage(page) });
      },
      (error: unknown) => {
        if (!isAbort(error)) setFailure(error instanceof Error ? error.message : String(error));
      },
    );
  };

  useEffect(() => {
    const abort = new AbortController();
    if (address) read(address, [], abort.signal);
    return () => abort.abort();
  }, [address]);

  if (failure !== null) return <p class="quiet">{t('error.unknown', { reason: failure })}</p>;
  if (!found) return <p class="quiet">{t('objects.loading')}</p>;
  const next = found.next;
  return (
    <>
      <p class="quiet" role="status">
        {found.items.length === 0 ? t('objects.none') : count(found)}
      </p>
      <ul class="object-rows">
        {found.items.map((item) => (
          <ObjectRow key={item.id} item={item} layer={layer} />
        ))}
      </ul>
      {next !== null && (
        <button type="button" class="text-button" onClick={() => read(next, found.items, new AbortController().signal)}>
          {t('objects.more')}
        </button>
      )}
    </>
  );
}

function ObjectRow({ item, layer }: { item: Item; layer: Collection }) {
  const id = String(item.id);
  const properties = item.properties ?? {};
  const kind = classLabel(properties, layer);
  return (
    <li>
      <button type="button" class="object-row" aria-current={chosenOf(layer.id) === id} onClick={() => select({ layer: layer.id, id }, boxOf(item.geometry))}>
        <span>{objectTitle(properties, id, layer, view.value.language)}</span>
        <small>{kind ? `${pick(kind)} · ${id}` : id}</small>
      </button>
    </li>
  );
}

/** The first page of a layer in view; asked again whenever the map has come to rest elsewhere. */
function firstPage(layer: string): string | null {
  const root = city.value?.root;
  // Read, so that the list follows the camera; the map alone knows the box that belongs to it.
  const moved = camera.value;
  const bounds = moved && map.value?.bounds();
  const box = bounds ?? city.value?.document.bbox;
  if (root === undefined || !box) return null;
  const bbox = box.map((value) => value.toFixed(6)).join(',');
  return itemsAddress(root, layer, { bbox, limit: PAGE, date: date.value });
}

function count({ items, total }: Found): string {
  const shown = number(items.length);
  return total === null ? t('objects.shown', { count: shown }) : t('objects.of', { count: shown, total: number(total) });
}
