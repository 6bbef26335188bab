/** The table's dock at the foot of the map: which layer, how many objects, filter, summary, columns, files. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { fileFormats, getItems, itemsAddress, type FileFormat } from '../api/city';
import type { Collection } from '../api/documents';
import { number, pick, t } from '../i18n/text';
import { countRules } from '../state/filter';
import type { PagedRows } from '../state/rows';
import { city, dockPart, drawing, editing, map } from '../state/session';
import { changeTable, closeTable, columnsOf, filterOf, openTable, selectionOf, tableLayer, tabular } from '../state/table';
import { field } from '../state/store';
import { DataTable, useRows } from './DataTable';
import { FilterBuilder } from './FilterBuilder';
import { Icon } from './Icon';
import { Summary } from './Summary';

const table = field('table');

export function Dock() {
  const layer = tableLayer.value;
  if (!layer) return null;
  return <OpenDock key="dock" layer={layer} />;
}

function OpenDock({ layer }: { layer: Collection }) {
  const rows = useRows(layer);
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    const dock = element.current;
    if (!dock) return;
    const root = document.documentElement;
    const observer = new ResizeObserver(() => root.style.setProperty('--dock', `${dock.offsetHeight}px`));
    observer.observe(dock);
    return () => {
      observer.disconnect();
      root.style.removeProperty('--dock');
    };
  }, []);
  const part = dockPart.value;
  return (
    <section
      ref={element}
      class="dock"
      aria-label={t('table.title')}
      hidden={drawing.value !== null || editing.value !== null}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) close();
      }}
    >
      <DockHead layer={layer} rows={rows} />
      <div class={`dock-body${part ? ` has-${part}` : ''}`}>
        {part === 'filter' && <FilterBuilder layer={layer} />}
        {part === 'summary' && <Summary layer={layer} />}
        <DataTable layer={layer} rows={rows} />
      </div>
    </section>
  );
}

function close(): void {
  closeTable();
  map.peek()?.focus();
}

function DockHead({ layer, rows }: { layer: Collection; rows: PagedRows }) {
  const { total, isExact } = rows.extent.value;
  const rules = countRules(filterOf(layer.id));
  return (
    <div class="dock-head">
      <select class="dock-layer" aria-label={t('objects.layer')} value={layer.id} onChange={(event) => openTable(event.currentTarget.value, dockPart.peek())}>
        {tabular().map((each) => (
          <option key={each.id} value={each.id}>
            {pick(each.twin.title)}
          </option>
        ))}
      </select>
      <p class="dock-count" role="status">
        {total === null ? t('objects.loading') : t(isExact ? 'layers.count' : 'table.about', { count: number(total) })}
      </p>
      <div class="dock-tools">
        <DockTool icon="filter" part="filter" label={rules > 0 ? t('filter.some', { count: rules }) : t('filter.title')} lit={rules > 0} />
        <DockTool icon="sum" part="summary" label={t('summary.title')} lit={false} />
        <Columns layer={layer} />
        <Download layer={layer} />
      </div>
      <button type="button" class="bare" aria-label={t('table.close')} title={t('table.close')} onClick={close}>
        <Icon name="close" />
      </button>
    </div>
  );
}

function DockTool({ icon, part, label, lit }: { icon: 'filter' | 'sum'; part: 'filter' | 'summary'; label: string; lit: boolean }) {
  const open = dockPart.value === part;
  return (
    <button type="button" class={`dock-tool${lit ? ' is-lit' : ''}`} aria-expanded={open} onClick={() => (dockPart.value = open ? null : part)}>
      <Icon name={icon} /> <span>{label}</span>
    </button>
  );
}

/** A list that opens under its button; Escape and a click elsewhere close it. */
function Menu({ icon, label, children }: { icon: 'columns' | 'download'; label: string; children: preact.ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const leave = (event: Event): void => {
      if (event.target instanceof Node && !element.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener('pointerdown', leave);
    return () => document.removeEventListener('pointerdown', leave);
  }, [open]);
  return (
    <div
      ref={element}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !open) return;
        event.preventDefault();
        setOpen(false);
        element.current?.querySelector('button')?.focus();
      }}
    >
      <button type="button" class="dock-tool" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={icon} /> <span>{label}</span>
      </button>
      {open && <div class="menu-list">{children}</div>}
    </div>
  );
}

function Columns({ layer }: { layer: Collection }) {
  const shown = columnsOf(layer, table.value);
  const toggle = (name: string, on: boolean): void => {
    const all = layer.twin.properties.map((property) => property.name);
    changeTable({ columns: all.filter((each) => (each === name ? on : shown.includes(each))) });
  };
  return (
    <Menu icon="columns" label={t('table.columns')}>
      <fieldset>
        <legend class="unseen">{t('table.columns')}</legend>
        {layer.twin.properties.map((property) => (
          <label key={property.name} class="choice">
            <input
              type="checkbox"
              class="check"
              checked={shown.includes(property.name)}
              disabled={shown.length === 1 && shown.includes(property.name)}
              onChange={(event) => toggle(property.name, event.currentTarget.checked)}
            />
            {pick(property.title) || property.name}
          </label>
        ))}
      </fieldset>
    </Menu>
  );
}

function Download({ layer }: { layer: Collection }) {
  return (
    <Menu icon="download" label={t('files.title')}>
      <Files layer={layer} />
    </Menu>
  );
}

function Files({ layer }: { layer: Collection }) {
  const [formats, setFormats] = useState<readonly FileFormat[] | null>(null);
  const root = city.value?.root ?? '';
  useEffect(() => {
    const abort = new AbortController();
    const probe = itemsAddress(root, layer.id, { limit: 1, properties: [] });
    getItems(probe, abort.signal).then(
      (page) => setFormats(fileFormats(page)),
      () => undefined,
    );
    return () => abort.abort();
  }, [layer.id, root]);
  if (!formats) return <p class="quiet">{t('card.loading')}</p>;
  return (
    <>
      <p class="quiet">{t('files.note')}</p>
      <ul>
        {formats.map(({ name, title }) => (
          <li key={name}>
            <a download href={itemsAddress(root, layer.id, { ...selectionOf(layer.id), sortby: table.value?.sort ?? null, f: name })}>
              {FORMATS[name] ?? title}
              <small>.{name === 'shp' ? 'zip' : name}</small>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}

const FORMATS: Readonly<Record<string, string>> = {
  geojson: 'GeoJSON',
  gpkg: 'GeoPackage',
  fgb: 'FlatGeobuf',
  parquet: 'GeoParquet',
  csv: 'CSV',
  gml: 'GML 3.2',
  shp: 'Shapefile',
};
