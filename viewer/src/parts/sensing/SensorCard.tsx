/** The card of one sensor or several: the value, where it stands against its levels, its chart, its figures. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { pick, t } from '../../i18n/text';
import { closeCard, changeSensing, openEvent, openSensor, removeStream } from '../../state/sensing/cards';
import { sensors } from '../../state/sensing/live';
import { shownSensors } from '../../state/sensing/past';
import { moment } from '../../state/sensing/clock';
import { COLOURS, LOOK_KEYS, valueText, type Sensor } from '../../state/sensing/states';
import { neighbours } from '../../state/sensing/series';
import { MOST_STREAMS, SPANS, type Span } from '../../state/sensing/view';
import { announcement, city, map, opener } from '../../state/session';
import { select } from '../../state/selection';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { HandForm } from './ByHand';
import { CameraPicture } from './CameraPicture';
import { SeriesChart } from './SeriesChart';
import { LookMark, SensorSymbol } from './Symbol';
import { ageText, fullTime, kindTitle, standing } from './words';

const NEIGHBOURS = 40;

export function SensorCard() {
  const { streams } = view.value.sensing;
  const known = streams.flatMap((id) => sensors.value.get(id) ?? []);
  const first = known[0];
  if (!first) return sensors.value.size > 0 ? <Gone /> : null;
  return <Card key="sensor" first={first} all={known} />;
}

function Gone() {
  return (
    <section class="card" aria-label={t('sensor.title')}>
      <div class="card-head">
        <p>{t('sensor.gone')}</p>
        <Close />
      </div>
    </section>
  );
}

function Close() {
  return (
    <button type="button" class="bare" aria-label={t('card.close')} onClick={closeCard}>
      <Icon name="close" />
    </button>
  );
}

function Card({ first, all }: { first: Sensor; all: readonly Sensor[] }) {
  const shown = asShown(first);
  const heading = useRef<HTMLHeadingElement>(null);
  const from = opener.value;
  useEffect(() => {
    announcement.value = t('card.opened', { title: first.title });
    if (from) heading.current?.focus({ preventScroll: true });
  }, [from, first.id]);
  return (
    <section class="card sensor-card" aria-label={t('sensor.title')} onKeyDown={(event) => event.key === 'Escape' && !event.defaultPrevented && closeCard()}>
      <div class="card-head">
        <SensorSymbol kind={shown.kind} look={shown.look} />
        <div class="sensor-name">
          <p class="card-kind">
            {kindTitle(first.kind)}
            {!first.camera && first.property !== kindTitle(first.kind) && ` · ${first.property}`}
          </p>
          <h2 ref={heading} tabIndex={-1}>
            {first.title}
          </h2>
        </div>
        <Close />
      </div>
      <div class="card-body">
        {first.camera ? (
          <CameraPicture title={first.title} camera={first.camera} />
        ) : (
          <>
            <Now shown={shown} />
            <Spans />
            <SeriesChart sensors={all} />
            <Compare first={first} all={all} />
          </>
        )}
        <Actions key={first.id} sensor={first} />
      </div>
    </section>
  );
}

/** The sensor as it is, or as it was at the map's clock. */
function asShown(sensor: Sensor): Sensor {
  return moment.value === null ? sensor : (shownSensors.value.find((each) => each.id === sensor.id) ?? sensor);
}

function Now({ shown }: { shown: Sensor }) {
  const place = standing(shown);
  return (
    <div class="sensor-now">
      <p class="sensor-value">
        <b>{valueText(shown, view.value.language)}</b> <span class={`sensor-look is-${shown.look}`}><LookMark look={shown.look} /> {t(LOOK_KEYS[shown.look])}</span>
      </p>
      {shown.time !== null && <p class="quiet">{fullTime(shown.time)}</p>}
      {place && <p class={place.isAbove ? 'is-above' : 'quiet'}>{place.text}</p>}
      {shown.look === 'silent' && shown.time !== null && moment.value === null && <p class="notice is-trouble">{t('sensor.silent', { age: ageText(shown.time) })}</p>}
    </div>
  );
}

const SPAN_KEYS = { '24h': 'chart.24h', '7d': 'chart.7d', all: 'chart.all', window: 'chart.window' } as const;

function Spans() {
  const { span, window } = view.value.sensing;
  return (
    <div class="choices is-wide" role="group" aria-label={t('chart.span')}>
      {SPANS.filter((each) => each !== 'window' || window).map((each: Span) => (
        <button key={each} type="button" aria-pressed={span === each} onClick={() => changeSensing({ span: each })}>
          {t(SPAN_KEYS[each])}
        </button>
      ))}
    </div>
  );
}

/** Sensors to set beside the first one, and those that are. */
function Compare({ first, all }: { first: Sensor; all: readonly Sensor[] }) {
  const others = neighbours(first, sensors.value.values(), NEIGHBOURS).filter((sensor) => !all.includes(sensor));
  return (
    <div class="compare">
      {all.length > 1 && (
        <ul>
          {all.map((sensor) => (
            <li key={sensor.id} class="chip">
              {sensor.title}
              <button type="button" class="bare" aria-label={t('sensor.drop', { title: sensor.title })} onClick={() => removeStream(sensor.id)}>
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {others.length > 0 && all.length < MOST_STREAMS && (
        <select aria-label={t('sensor.compare')} value="" onChange={(event) => event.currentTarget.value !== '' && openSensor(Number(event.currentTarget.value), true)}>
          <option value="">{t('sensor.compare')}</option>
          {others.map((sensor) => (
            <option key={sensor.id} value={sensor.id}>
              {sensor.title} · {valueText(sensor, view.value.language)}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

function Actions({ sensor }: { sensor: Sensor }) {
  const { place, event, datum, objects, camera } = sensor;
  const [entering, setEntering] = useState(false);
  const watched = objects.find((each) => each.relation === 'watches') ?? objects[0];
  const layer = watched && city.value?.collections.find((collection) => collection.id === watched.layer);
  return (
    <>
      {datum && <p class="quiet">{t('sensor.datum', { datum })}</p>}
      <div class="card-actions">
        {place && map.value && (
          <button type="button" class="button" onClick={() => map.peek()?.showBox([place[0], place[1], place[0], place[1]])}>
            <Icon name="target" /> {t('card.zoom')}
          </button>
        )}
        {event !== null && (
          <button type="button" class="button" style={{ '--mark': COLOURS[sensor.look] }} onClick={() => openEvent(event)}>
            <Icon name="warning" /> {t('sensor.event')}
          </button>
        )}
        {watched && layer && (
          <button type="button" class="button" title={pick(layer.twin.title)} onClick={() => select({ layer: watched.layer, id: String(watched.object_id) })}>
            <Icon name="pin" /> {t('sensor.object')}
          </button>
        )}
        {!camera && (
          <button type="button" class="button" aria-expanded={entering} onClick={() => setEntering(!entering)}>
            <Icon name="pen" /> {t('hand.enter')}
          </button>
        )}
      </div>
      {entering && <HandForm sensor={sensor} onDone={() => setEntering(false)} />}
    </>
  );
}
