/** The objects of a layer as a table of any length, of which only the rows in sight exist. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { getItem, getItems, itemAddress, itemsAddress, nextPage } from '../api/city';
import type { Collection, Item } from '../api/documents';
import { boxOf } from '../geo/scale';
import { pick, t } from '../i18n/text';
import { PagedRows, PAGE_ROWS } from '../state/rows';
import { card, city, map, written } from '../state/session';
import { choose, chosenOf } from '../state/selection';
import { changeTable, columnsOf, selectionOf } from '../state/table';
import { field, view } from '../state/store';
import { attributeRow } from './labels';
import { valueWords } from './values';

const ROW = 34;
/** Rows drawn above and below those in sight. */
const SPARE = 8;
const WIDTHS = { text: 176, integer: 116, number: 116, boolean: 92 } as const;
const ID_WIDTH = 128;

const table = field('table');

/** The rows that the view asks for; a new set for every other question. */
export function useRows(layer: Collection): PagedRows {
  const root = city.value?.root ?? '';
  const columns = columnsOf(layer, table.value);
  const hasScheme = layer.twin.properties.some((property) => property.name === 'scheme');
  const properties = hasScheme && !columns.includes('scheme') ? [...columns, 'scheme'] : columns;
  const address = itemsAddress(root, layer.id, { ...selectionOf(layer.id), sortby: table.value?.sort ?? null, limit: PAGE_ROWS, properties });
  const rows = useMemo(() => new PagedRows(address, getItems, nextPage), [address, written.value]);
  useEffect(() => {
    rows.need(0, PAGE_ROWS - 1);
    return () => rows.close();
  }, [rows]);
  return rows;
}

export function DataTable({ layer, rows }: { layer: Collection; rows: PagedRows }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(320);
  const [active, setActive] = useState(0);
  const { room, failure } = rows.extent.value;
  const columns = columnsOf(layer, table.value).flatMap((name) => layer.twin.properties.find((property) => property.name === name) ?? []);
  const first = Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(room - 1, Math.ceil((top + height) / ROW) + SPARE);
  const widths = [ID_WIDTH, ...columns.map((property) => WIDTHS[property.type as keyof typeof WIDTHS] ?? WIDTHS.text)];
  const grid = { gridTemplateColumns: widths.map((width, index) => (index === widths.length - 1 ? `minmax(${width}px, 1fr)` : `${width}px`)).join(' '), minWidth: `${widths.reduce((sum, width) => sum + width, 0)}px` };

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => rows.need(first, last), [rows, first, last, room]);
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
    setActive(0);
  }, [rows]);

  const show = (index: number): void => {
    const element = scroller.current;
    if (!element) return;
    const y = index * ROW;
    const space = element.clientHeight - ROW;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + ROW > element.scrollTop + space) element.scrollTop = y + ROW - space;
  };

  const chosen = chosenOf(layer.id);
  useEffect(() => {
    const place = chosen === null ? -1 : rows.find(chosen);
    if (place < 0) return;
    setActive(place);
    show(place);
  }, [chosen, rows]);

  const go = (to: number): void => {
    const place = Math.max(0, Math.min(room - 1, to));
    setActive(place);
    show(place);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor(height / ROW) - 2);
    const steps: Readonly<Record<string, number>> = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: room - 1 };
    const to = steps[event.key];
    const item = rows.at(active);
    if (to !== undefined) go(to);
    else if (event.key === 'Enter' && item) void open(layer, item);
    else return;
    event.preventDefault();
  };

  if (failure !== null) return <p class="quiet dock-empty">{t('error.unknown', { reason: failure })}</p>;
  if (room === 0) return <p class="quiet dock-empty">{t('table.none')}</p>;
  return (
    <div
      ref={scroller}
      class="table"
      role="grid"
      tabIndex={0}
      aria-label={t('table.of', { title: pick(layer.twin.title) })}
      aria-rowcount={room + 1}
      aria-colcount={columns.length + 1}
      aria-activedescendant={`row-${active}`}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" class="table-head" style={grid}>
        <div role="row" aria-rowindex={1} class="table-cells" style={grid}>
          <Heading name="object_id" title={t('card.id')} unit={null} isNumber />
          {columns.map((property) => (
            <Heading key={property.name} name={property.name} title={pick(property.title) || property.name} unit={property.unit ?? null} isNumber={isNumber(property.type)} />
          ))}
        </div>
      </div>
      <div role="rowgroup" class="table-body" style={{ height: `${room * ROW}px`, minWidth: grid.minWidth }}>
        {Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index).map((index) => {
          const item = rows.at(index);
          return (
            <div
              key={index}
              id={`row-${index}`}
              role="row"
              class={`table-row${index === active ? ' is-active' : ''}`}
              aria-rowindex={index + 2}
              aria-selected={item !== undefined && String(item.id) === chosen}
              style={{ ...grid, transform: `translateY(${index * ROW}px)` }}
              onClick={() => {
                setActive(index);
                if (item) void open(layer, item);
              }}
            >
              {item ? <Cells item={item} columns={columns} /> : <span role="gridcell" class="table-waiting" aria-label={t('card.loading')} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Cells({ item, columns }: { item: Item; columns: Collection['twin']['properties'] }) {
  const properties = item.properties ?? {};
  const words = valueWords();
  return (
    <>
      <span role="gridcell" class="is-number">
        {String(item.id)}
      </span>
      {columns.map((property) => {
        const cell = attributeRow(property.name, properties[property.name], property, properties['scheme'], view.value.language, words);
        return (
          <span key={property.name} role="gridcell" class={isNumber(property.type) ? 'is-number' : undefined} title={cell.value ?? undefined}>
            {cell.value ?? <i>–</i>}
          </span>
        );
      })}
    </>
  );
}

function Heading({ name, title, unit, isNumber: right }: { name: string; title: string; unit: string | null; isNumber: boolean }) {
  const sort = table.value?.sort ?? null;
  const order = sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : 'none';
  const next = order === 'none' ? name : order === 'ascending' ? `-${name}` : null;
  return (
    <div role="columnheader" aria-sort={order} class={right ? 'is-number' : undefined}>
      <button type="button" title={t('table.sort', { title })} onClick={() => changeTable({ sort: next })}>
        <span>{title}</span>
        {unit !== null && <small>{unit}</small>}
        <b aria-hidden="true">{order === 'ascending' ? '↑' : order === 'descending' ? '↓' : ''}</b>
      </button>
    </div>
  );
}

function isNumber(type: string): boolean {
  return type === 'number' || type === 'integer';
}

/** Opens the card of a row's object, and shows it on the map once its shape has come. */
async function open(layer: Collection, item: Item): Promise<void> {
  const id = String(item.id);
  const root = city.peek()?.root;
  choose({ layer: layer.id, id });
  if (root === undefined) return;
  const held = card.peek();
  const whole = held?.status === 'ready' && String(held.item.id) === id ? held.item : await getItem(itemAddress(root, layer.id, id, view.peek().date), new AbortController().signal).catch(() => null);
  const box = whole && boxOf(whole.geometry);
  if (box && chosenOf(layer.id) === id) map.peek()?.showBox(box);
}
