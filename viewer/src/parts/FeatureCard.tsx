/** The card of the selected object: its name, what else lies there, all its attributes. */

import { useEffect, useRef } from 'preact/hooks';
import { itemAddress } from '../api/city';
import type { Collection, Item } from '../api/documents';
import { boxOf } from '../geo/scale';
import { pick, t } from '../i18n/text';
import { startEditing } from '../state/editing';
import { isResult } from '../state/catalogue';
import { clearSelection, selectHit } from '../state/selection';
import { announcement, card, city, hits, map, opener, resultLayers, type Hit } from '../state/session';
import { field, view } from '../state/store';
import type { Selection } from '../state/view';
import { RunLink } from './scenarios/Later';
import { AtObject } from './sensing/AtObject';
import { Icon } from './Icon';
import { Linked } from './Linked';
import { attributeRows, classLabel, objectName, objectTitle, type AttributeRow } from './labels';

const selected = field('selected');

export function FeatureCard() {
  const selection = selected.value;
  if (!selection) return null;
  return <Card key="card" selection={selection} />;
}

function Card({ selection }: { selection: Selection }) {
  const layer = collection(selection.layer);
  const properties = propertiesOf(selection);
  const language = view.value.language;
  const title = objectTitle(properties, selection.id, layer, language);
  const heading = useOpening(title, selection);
  const kind = classLabel(properties, layer);
  return (
    <section class="card" aria-label={t('card.title')} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <div class="card-head">
        <div>
          <p class="card-kind">{[layer && pick(layer.twin.title), kind && pick(kind)].filter(Boolean).join(' · ')}</p>
          <h2 ref={heading} tabIndex={-1}>
            {title}
          </h2>
        </div>
        <button type="button" class="bare" aria-label={t('card.close')} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {hits.value.length > 1 && <Hits />}
      <div class="card-body">
        <CardBody layer={layer} selection={selection} />
      </div>
    </section>
  );
}

function CardBody({ layer, selection }: { layer: Collection | undefined; selection: Selection }) {
  const state = card.value;
  if (!state || state.status === 'loading') return <p class="quiet">{t('card.loading')}</p>;
  if (state.status === 'missing') return <p class="quiet">{t('card.missing')}</p>;
  if (state.status === 'failed') return <p class="quiet">{t('card.failed', { reason: state.reason })}</p>;
  const link = linkOf(state.item, selection);
  return (
    <>
      {link !== null && <RunLink uid={link} />}
      <AtObject {...selection} />
      <AttributeTable item={state.item} layer={layer} />
      <Actions item={state.item} selection={selection} />
      {layer?.twin.attribution && <p class="card-source">{layer.twin.attribution}</p>}
    </>
  );
}

/** The number of a link of a traffic run; null for anything else. */
function linkOf({ properties }: Item, { layer }: Selection): string | null {
  const uid: unknown = properties?.['uid'];
  return isResult({ id: layer }) && typeof uid === 'string' && /^-?\d+-\d+$/.test(uid) && 'volume' in (properties ?? {}) ? uid : null;
}

function AttributeTable({ item, layer }: { item: Item; layer: Collection | undefined }) {
  const rows = attributeRows(item.properties ?? {}, layer, view.value.language, {
    yes: t('value.yes'),
    no: t('value.no'),
    titles: { valid_from: t('card.valid_from'), valid_to: t('card.valid_to') },
    timeZone: city.value?.document.time_zone ?? 'UTC',
  });
  const full = rows.filter((row) => row.value !== null);
  const empty = rows.filter((row) => row.value === null);
  return (
    <>
      <dl class="attributes" aria-label={t('card.attributes')}>
        <div>
          <dt>{t('card.id')}</dt>
          <dd>{String(item.id)}</dd>
        </div>
        {full.map((row) => (
          <Attribute key={row.name} row={row} />
        ))}
      </dl>
      {empty.length > 0 && (
        <details class="empty-fields">
          <summary>{t('card.empty_fields', { count: empty.length })}</summary>
          <p>{empty.map((row) => row.title).join(' · ')}</p>
        </details>
      )}
    </>
  );
}

function Attribute({ row }: { row: AttributeRow }) {
  return (
    <div>
      <dt title={row.name}>{row.title}</dt>
      <dd>
        {row.value !== null && <Linked text={row.value} />}
        {row.unit !== null && <span class="unit"> {row.unit}</span>}
        {row.code !== null && row.code !== row.value && <code>{row.code}</code>}
      </dd>
    </div>
  );
}

function Actions({ item, selection }: { item: Item; selection: Selection }) {
  const box = boxOf(item.geometry);
  const root = city.value?.root;
  const layer = collection(selection.layer);
  return (
    <div class="card-actions">
      {box && map.value && (
        <button type="button" class="button" onClick={() => map.peek()?.showBox(box)}>
          <Icon name="target" /> {t('card.zoom')}
        </button>
      )}
      {layer?.twin.editable && !isResult(layer) && (
        <button type="button" class="button" onClick={() => void startEditing(layer, selection.id)}>
          <Icon name="pen" /> {t('edit.open')}
        </button>
      )}
      {root !== undefined && (
        <a class="button" href={asDocument(itemAddress(root, selection.layer, selection.id, view.value.date))} target="_blank" rel="noopener" aria-label={t('card.source.label')}>
          <Icon name="code" /> {t('card.source')}
        </a>
      )}
    </div>
  );
}

// Without it the server shows a browser a page.
function asDocument(address: string): string {
  return `${address}${address.includes('?') ? '&' : '?'}f=json`;
}

/** Everything at the place that was clicked, topmost first, to choose from. */
function Hits() {
  return (
    <div class="hits">
      <p id="hits-title">{t('card.hits', { count: hits.value.length })}</p>
      <ul aria-labelledby="hits-title">
        {hits.value.map((hit) => (
          <li key={`${hit.layer}/${hit.id}`}>
            <HitButton hit={hit} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function HitButton({ hit }: { hit: Hit }) {
  const layer = collection(hit.layer);
  const current = selected.value?.layer === hit.layer && selected.value.id === hit.id;
  const name = objectName(hit.properties, layer, view.value.language);
  return (
    <button type="button" aria-current={current} onClick={() => selectHit(hit)}>
      <small>{layer ? pick(layer.twin.title) : hit.layer}</small>
      <span>{name ?? hit.id}</span>
    </button>
  );
}

function collection(id: string): Collection | undefined {
  const unlisted = card.value?.status === 'ready' && card.value.layer ? [card.value.layer] : [];
  return [...(city.value?.collections ?? []), ...resultLayers.value, ...unlisted].find((candidate) => candidate.id === id);
}

// Until the full object has come, the tile's properties name it.
function propertiesOf(selection: Selection): Readonly<Record<string, unknown>> {
  if (card.value?.status === 'ready') return card.value.item.properties ?? {};
  return hits.value.find((hit) => hit.layer === selection.layer && hit.id === selection.id)?.properties ?? {};
}

// Says that a card has opened, and gives it the focus where it was opened from a list.
function useOpening(title: string, selection: Selection) {
  const heading = useRef<HTMLHeadingElement>(null);
  const ready = card.value?.status === 'ready';
  useEffect(() => {
    if (ready) announcement.value = t('card.opened', { title });
  }, [ready, selection.layer, selection.id]);
  const from = opener.value;
  useEffect(() => {
    if (from) heading.current?.focus({ preventScroll: true });
  }, [from]);
  return heading;
}

function close(): void {
  const from = opener.peek()?.element;
  clearSelection();
  if (from instanceof HTMLElement && from.isConnected) from.focus();
  else map.peek()?.focus();
}
