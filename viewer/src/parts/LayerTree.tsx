/** The layers by theme: shown or not, how opaque, in which order, and what their colours mean. */

import { useId, useState } from 'preact/hooks';
import type { Collection } from '../api/documents';
import { number, pick, t } from '../i18n/text';
import { changeLayer, completeLayers, groupByTheme, inOrder, moveLayer, moveTheme, type ThemeGroup } from '../state/catalogue';
import { startCreating } from '../state/editing';
import { announcement, city, map, style } from '../state/session';
import { openTable } from '../state/table';
import { field, update, view } from '../state/store';
import { Icon } from './Icon';
import { Legend, Swatch } from './Legend';
import { MoveHandle } from './MoveHandle';

const layers = field('layers');

export function LayerTree() {
  const collections = city.value?.collections ?? [];
  const groups = groupByTheme(layers.value, collections);
  if (groups.length === 0) return null;
  return (
    <>
      <ul class="themes">
        {groups.map((group, index) => (
          <ThemeRow key={group.theme.id} group={group} index={index} groups={groups} />
        ))}
      </ul>
      <button type="button" class="text-button" onClick={reset}>
        {t('layers.reset')}
      </button>
    </>
  );
}

interface RowProps {
  readonly index: number;
  readonly groups: readonly ThemeGroup[];
}

function ThemeRow({ group, index, groups }: RowProps & { group: ThemeGroup }) {
  const ids = group.layers.map((layer) => layer.id);
  const on = layers.value.filter((layer) => ids.includes(layer.id) && layer.visible).length;
  const title = pick(group.theme);
  const headingId = useId();
  return (
    <li data-row class="theme">
      <div class="theme-head">
        <input
          type="checkbox"
          class="check"
          aria-label={t('layers.show_theme', { title })}
          checked={on === ids.length}
          indeterminate={on > 0 && on < ids.length}
          onChange={(event) => change(ids, { visible: event.currentTarget.checked })}
        />
        <h3 id={headingId} class="theme-title">
          {title}
        </h3>
        <MoveHandle
          label={t('layers.move', { title })}
          index={index}
          count={groups.length}
          onMove={(to) => reorder(moveTheme(groups, group.theme.id, to), title, to, groups.length)}
        />
      </div>
      <ul class="layers" aria-labelledby={headingId}>
        {group.layers.map((layer, place) => (
          <LayerRow key={layer.id} layer={layer} index={place} siblings={group.layers.length} groups={groups} />
        ))}
      </ul>
    </li>
  );
}

function LayerRow({ layer, index, siblings, groups }: RowProps & { layer: Collection; siblings: number }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const state = layers.value.find((candidate) => candidate.id === layer.id);
  const title = pick(layer.twin.title);
  const first = layer.twin.legend[0];
  return (
    <li data-row class={`layer${state?.visible ? '' : ' is-off'}`}>
      <div class="layer-head">
        <input
          id={id}
          type="checkbox"
          class="check"
          checked={state?.visible ?? false}
          onChange={(event) => change([layer.id], { visible: event.currentTarget.checked })}
        />
        {first && <Swatch entry={first} />}
        <label for={id} class="layer-title">
          {title}
        </label>
        <MoveHandle
          label={t('layers.move', { title })}
          index={index}
          count={siblings}
          onMove={(to) => reorder(moveLayer(groups, layer.id, to), title, to, siblings)}
        />
        <button
          type="button"
          class="disclosure"
          aria-expanded={open}
          aria-controls={`${id}-details`}
          aria-label={t('layers.details', { title })}
          onClick={() => setOpen(!open)}
        >
          <Icon name="chevron" />
        </button>
      </div>
      <div id={`${id}-details`} class="layer-details" hidden={!open}>
        {open && <LayerDetails layer={layer} opacity={state?.opacity ?? 1} />}
      </div>
    </li>
  );
}

function LayerDetails({ layer, opacity }: { layer: Collection; opacity: number }) {
  const { count, legend, attribution, licence, made_up } = layer.twin;
  const percent = Math.round(opacity * 100);
  return (
    <>
      <label class="opacity">
        <span>{t('layers.opacity')}</span>
        <input
          type="range"
          min="0"
          max="100"
          step="5"
          value={percent}
          aria-valuetext={`${percent} %`}
          onInput={(event) => change([layer.id], { opacity: Number(event.currentTarget.value) / 100 })}
        />
        <output>{percent} %</output>
      </label>
      <Legend entries={legend} />
      {layer.twin.geometry !== 'raster' && <Actions layer={layer} />}
      <p class="layer-source">
        {count !== null && <span>{t('layers.count', { count: number(count) })}</span>}
        {attribution && <span>{attribution}</span>}
        {licence && <span>{t('layers.licence', { licence })}</span>}
        {made_up && <span>{t('layers.made_up')}</span>}
      </p>
    </>
  );
}

function Actions({ layer }: { layer: Collection }) {
  return (
    <div class="layer-actions">
      <button type="button" class="text-button" onClick={() => openTable(layer.id)}>
        <Icon name="table" /> {t('table.open')}
      </button>
      <button type="button" class="text-button" onClick={() => openTable(layer.id, 'filter')}>
        <Icon name="filter" /> {t('filter.title')}
      </button>
      {layer.twin.editable && (
        <button type="button" class="text-button" disabled={!map.value} onClick={() => void startCreating(layer)}>
          <Icon name="pen" /> {t('edit.create')}
        </button>
      )}
    </div>
  );
}

function change(ids: readonly string[], patch: Parameters<typeof changeLayer>[2]): void {
  update({ layers: changeLayer(view.peek().layers, ids, patch) });
}

function reorder(order: readonly string[], title: string, to: number, count: number): void {
  update({ layers: inOrder(view.peek().layers, order) });
  announcement.value = t('layers.moved', { title, place: to + 1, count });
}

function reset(): void {
  const collections = city.peek()?.collections ?? [];
  update({ layers: completeLayers([], collections, style.peek()?.order ?? []) });
}
