/** The sensors' panel: whether it is live, the states and kinds with their numbers, ranking, typhoons. */

import { useId, useState } from 'preact/hooks';
import { number, t } from '../../i18n/text';
import { changeSensing, openSensor } from '../../state/sensing/cards';
import { moment } from '../../state/sensing/clock';
import { sensors } from '../../state/sensing/live';
import { MOST_PAST, shownSensors } from '../../state/sensing/past';
import { byUrgency, countLooks, KINDS, LOOK_KEYS, LOOKS, valueText, type Sensor } from '../../state/sensing/states';
import { map } from '../../state/session';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { LiveBadge } from './LiveBadge';
import { Ranking } from './Ranking';
import { LookMark, SensorSymbol } from './Symbol';
import { Typhoons } from './Typhoons';
import { kindTitle } from './words';

/** Rows of a kind's list; a longer one is found faster on the map. */
const MOST_ROWS = 100;

export function SensorsTab() {
  const all = [...sensors.value.values()];
  return (
    <div class="sensing">
      <LiveBadge />
      {all.length === 0 ? <p class="quiet">{t('sensors.none')}</p> : <Known all={all} />}
    </div>
  );
}

function Known({ all }: { all: readonly Sensor[] }) {
  const isPast = moment.value !== null;
  const asShown = isPast ? shownSensors.value : all;
  const found = [...new Set(all.map((sensor) => sensor.kind))];
  const kinds = [...KINDS.filter((kind) => found.includes(kind)), ...found.filter((kind) => !KINDS.some((known) => known === kind))];
  return (
    <>
      <States all={asShown} />
      {isPast && all.length > MOST_PAST && <p class="quiet">{t('sensors.past_most', { count: number(MOST_PAST) })}</p>}
      <Typhoons />
      <h3 class="sensing-head">{t('sensors.kinds')}</h3>
      <ul class="kinds">
        {kinds.map((kind) => (
          <KindRow key={kind} kind={kind} own={asShown.filter((sensor) => sensor.kind === kind)} total={all.filter((sensor) => sensor.kind === kind).length} />
        ))}
      </ul>
      <Ranking kinds={found} />
    </>
  );
}

/** The legend: every state there is, with how many stand in it. */
function States({ all }: { all: readonly Sensor[] }) {
  const counts = countLooks(all);
  return (
    <ul class="looks" aria-label={t('sensors.states')}>
      {LOOKS.filter((look) => counts[look] > 0 || look === 'ok' || look === 'silent').map((look) => (
        <li key={look}>
          <LookMark look={look} />
          <span>{t(LOOK_KEYS[look])}</span>
          <b>{number(counts[look])}</b>
        </li>
      ))}
    </ul>
  );
}

function KindRow({ kind, own, total }: { kind: string; own: readonly Sensor[]; total: number }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const title = kindTitle(kind);
  const isHidden = view.value.sensing.hidden.includes(kind);
  const counts = countLooks(own);
  const calling = counts.red + counts.orange + counts.yellow + counts.blue;
  const worst = LOOKS.find((look) => counts[look] > 0) ?? 'ok';
  const mute = counts.silent + counts.unknown;
  return (
    <li class={isHidden ? 'is-off' : ''}>
      <div class="kind-head">
        <input id={id} type="checkbox" class="check" aria-label={t('sensors.show', { kind: title })} checked={!isHidden} onChange={(event) => show(kind, event.currentTarget.checked)} />
        <SensorSymbol kind={kind} look={worst} />
        <label for={id} class="kind-title">
          {title} <small>{number(total)}</small>
        </label>
        {calling > 0 && <span class={`kind-calls is-${worst}`}>{t('sensors.calling', { count: number(calling) })}</span>}
        {mute > 0 && <span class="kind-calls">{t('sensors.mute', { count: number(mute) })}</span>}
        <button type="button" class="disclosure" aria-expanded={open} aria-label={t('sensors.list', { kind: title })} onClick={() => setOpen(!open)}>
          <Icon name="chevron" />
        </button>
      </div>
      {open && <KindList own={own} />}
    </li>
  );
}

function KindList({ own }: { own: readonly Sensor[] }) {
  const sorted = [...own].sort(byUrgency);
  return (
    <>
      <ul class="sensor-rows">
        {sorted.slice(0, MOST_ROWS).map((sensor) => (
          <SensorRow key={sensor.id} sensor={sensor} />
        ))}
      </ul>
      {sorted.length > MOST_ROWS && <p class="quiet">{t('sensors.more', { count: number(sorted.length - MOST_ROWS) })}</p>}
    </>
  );
}

export function SensorRow({ sensor }: { sensor: Sensor }) {
  return (
    <li>
      <button type="button" class="sensor-row" aria-current={view.value.sensing.streams.includes(sensor.id)} onClick={(event) => go(sensor, event.shiftKey, event.currentTarget)}>
        {!sensor.camera && <LookMark look={sensor.look} />}
        <span>
          {sensor.title}
          {!sensor.camera && <span class="unseen"> {t(LOOK_KEYS[sensor.look])}</span>}
        </span>
        {!sensor.camera && <b>{valueText(sensor, view.value.language)}</b>}
      </button>
    </li>
  );
}

/** Opens a sensor's card and goes there. */
function go({ id, place }: Sensor, compare: boolean, from: Element): void {
  openSensor(id, compare, from);
  if (place && !compare) map.peek()?.showBox([place[0], place[1], place[0], place[1]]);
}

function show(kind: string, on: boolean): void {
  const { hidden } = view.peek().sensing;
  changeSensing({ hidden: on ? hidden.filter((each) => each !== kind) : [...hidden, kind] });
}
