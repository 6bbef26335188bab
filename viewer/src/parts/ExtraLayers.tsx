/** The maps from elsewhere in the layer panel: shown or not, how opaque, where, whose; and the way to add one. */

import { useId, useState } from 'preact/hooks';
import { keyOf, rememberKey } from '../api/foreign';
import { serverRoot } from '../api/client';
import { t } from '../i18n/text';
import { legendAddress } from '../map/extras';
import type { Extra } from '../state/extra';
import { addingMap, announcement, keysGiven } from '../state/session';
import { field, update, view } from '../state/store';
import { Icon } from './Icon';
import { MoveHandle } from './MoveHandle';

const extras = field('extras');

export function ExtraLayers() {
  const list = extras.value;
  return (
    <section class="theme extras" aria-labelledby="extras-title">
      <div class="theme-head">
        <h3 id="extras-title" class="theme-title">
          {t('maps.title')}
        </h3>
      </div>
      {list.length > 0 && (
        <ul class="layers">
          {list.map((extra, index) => (
            <ExtraRow key={extra.id} extra={extra} index={index} count={list.length} />
          ))}
        </ul>
      )}
      <button type="button" class="text-button" onClick={() => (addingMap.value = true)}>
        <Icon name="plus" /> {t('maps.add')}
      </button>
    </section>
  );
}

function ExtraRow({ extra, index, count }: { extra: Extra; index: number; count: number }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const needsKey = lacksKey(extra);
  return (
    <li data-row class={`layer${extra.visible ? '' : ' is-off'}`}>
      <div class="layer-head">
        <input id={id} type="checkbox" class="check" checked={extra.visible} onChange={(event) => change(extra.id, { visible: event.currentTarget.checked })} />
        <label for={id} class="layer-title" title={extra.title}>
          {extra.title}
        </label>
        {needsKey && <Icon name="warning" />}
        <MoveHandle label={t('layers.move', { title: extra.title })} index={index} count={count} onMove={(to) => move(extra, to, count)} />
        <button
          type="button"
          class="disclosure"
          aria-expanded={open || needsKey}
          aria-controls={`${id}-details`}
          aria-label={t('layers.details', { title: extra.title })}
          onClick={() => setOpen(!open)}
        >
          <Icon name="chevron" />
        </button>
      </div>
      <div id={`${id}-details`} class="layer-details" hidden={!open && !needsKey}>
        {(open || needsKey) && <ExtraDetails extra={extra} needsKey={needsKey} />}
      </div>
    </li>
  );
}

function ExtraDetails({ extra, needsKey }: { extra: Extra; needsKey: boolean }) {
  const percent = Math.round(extra.opacity * 100);
  const legend = legendAddress(extra, { server: serverRoot(), keyOf });
  const [legendMissing, setLegendMissing] = useState(false);
  return (
    <>
      {needsKey && <KeyField extra={extra} />}
      <label class="opacity">
        <span>{t('layers.opacity')}</span>
        <input
          type="range"
          min="0"
          max="100"
          step="5"
          value={percent}
          aria-valuetext={`${percent} %`}
          onInput={(event) => change(extra.id, { opacity: Number(event.currentTarget.value) / 100 })}
        />
        <output>{percent} %</output>
      </label>
      <label class="opacity">
        <span>{t('maps.place')}</span>
        <select value={extra.place} onChange={(event) => change(extra.id, { place: event.currentTarget.value as Extra['place'] })}>
          <option value="over">{t('maps.over')}</option>
          <option value="under">{t('maps.under')}</option>
        </select>
      </label>
      {legend !== '' && !legendMissing && (
        <img class="extra-legend" src={legend} alt={t('maps.legend', { title: extra.title })} referrerpolicy="no-referrer" onError={() => setLegendMissing(true)} />
      )}
      <p class="layer-source">
        {extra.attribution !== '' && <span>{extra.attribution}</span>}
        <span>
          {hostOf(extra)}
          {extra.grid !== '' && ` · ${extra.grid}`}
        </span>
        {extra.served && <span>{t('maps.served')}</span>}
      </p>
      <button type="button" class="text-button" onClick={() => remove(extra)}>
        {t('maps.remove')}
      </button>
    </>
  );
}

/** Asked for where a link brought a map whose key no link holds. */
function KeyField({ extra }: { extra: Extra }) {
  const [key, setKey] = useState('');
  return (
    <form
      class="key-field"
      onSubmit={(event) => {
        event.preventDefault();
        rememberKey(hostOf(extra), { [extra.keyName]: key });
        keysGiven.value += 1;
      }}
    >
      <label>
        {t('maps.key', { host: hostOf(extra), name: extra.keyName })}
        <input type="password" autocomplete="off" required value={key} onInput={(event) => setKey(event.currentTarget.value)} />
      </label>
      <button type="submit" class="button">
        {t('maps.use_key')}
      </button>
    </form>
  );
}

export function hostOf(extra: Extra): string {
  return new URL(extra.url.replace(/[{}]/g, '')).host;
}

function lacksKey(extra: Extra): boolean {
  return keysGiven.value >= 0 && extra.keyName !== '' && Object.keys(keyOf(hostOf(extra))).length === 0;
}

function change(id: string, patch: Partial<Extra>): void {
  update({ extras: view.peek().extras.map((extra) => (extra.id === id ? { ...extra, ...patch } : extra)) });
}

function move(extra: Extra, to: number, count: number): void {
  const rest = view.peek().extras.filter((each) => each.id !== extra.id);
  update({ extras: [...rest.slice(0, to), extra, ...rest.slice(to)] });
  announcement.value = t('layers.moved', { title: extra.title, place: to + 1, count });
}

function remove(extra: Extra): void {
  update({ extras: view.peek().extras.filter((each) => each.id !== extra.id) });
  announcement.value = t('maps.removed', { title: extra.title });
}
