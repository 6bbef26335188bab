/** Car parks by the time to drive there: places, how many are free now, and how many may be within the hour. */

import type { CarPark } from '../../api/ways';
import { number, t } from '../../i18n/text';
import type { Key } from '../../i18n/en';
import { FILLED, filled, type Filled } from '../../map/ways';
import { view } from '../../state/store';
import { roundPlace } from '../../state/ways/view';
import { carParks, changeWays, route } from '../../state/ways/ways';
import { kilometres, timeText } from './RouteFound';

const WORDS = { some: 'parking.some', few: 'parking.few', none: 'parking.none', unknown: 'parking.unknown' } as const satisfies Readonly<Record<Filled, Key>>;

export function CarParks() {
  const found = carParks.value;
  if (!found) return null;
  if (found.length === 0) return <p class="quiet">{t('parking.nowhere')}</p>;
  const heard = found.filter(({ properties }) => properties.free !== null);
  const sum = (parks: readonly CarPark[], value: (park: CarPark['properties']) => number | null): string => number(parks.reduce((total, { properties }) => total + (value(properties) ?? 0), 0));
  return (
    <div aria-live="polite">
      <p class="way-told">
        {heard.length > 0 && <b>{t('parking.free_of', { free: sum(heard, ({ free }) => free), capacity: sum(heard, ({ capacity }) => capacity) })}</b>}
        <span>{t('parking.heard', { heard: number(heard.length), count: number(found.length), capacity: sum(found, ({ capacity }) => capacity) })}</span>
      </p>
      <ol class="car-parks">
        {found.map((park, index) => (
          <Row key={index} park={park} place={index + 1} />
        ))}
      </ol>
      <ul class="legend">
        {(Object.keys(WORDS) as Filled[]).map((each) => (
          <li key={each}>
            <i class="band-key is-round" style={{ background: FILLED[each] }} aria-hidden="true" /> <span>{t(WORDS[each])}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Row({ park, place }: { park: CarPark; place: number }) {
  const { name, name_en, seconds, capacity, free, state, forecast } = park.properties;
  const { language, ways } = view.value;
  const title = (language === 'zh' ? (name ?? name_en) : (name_en ?? name)) ?? t('parking.unnamed');
  const [lng = 0, lat = 0] = park.geometry.coordinates;
  const to = roundPlace(lng, lat);
  const chosen = ways.to?.join() === to.join();
  const soon = forecast.filter((each) => each.minutes === 30 || each.minutes === 60);
  return (
    <li>
      <button type="button" class="object-row" aria-pressed={chosen} onClick={() => changeWays({ to: chosen ? null : to })}>
        <i class="car-park-mark" style={{ background: FILLED[filled(park)] }} aria-hidden="true">
          {place}
        </i>
        <span>
          {title}
          <small>
            {free === null ? t(state === 'silent' ? 'parking.silent' : 'parking.unheard') : t('parking.free', { free: number(free), capacity: capacity === null ? '?' : number(capacity) })}
            {free === null && capacity !== null && ` · ${t('parking.places', { count: number(capacity) })}`}
            {soon.length > 0 && ` · ${soon.map((each) => t('parking.soon', { minutes: each.minutes, free: each.free === null ? '?' : number(each.free) })).join(' · ')}`}
          </small>
        </span>
        <small>
          {timeText(seconds)}
          {chosen && route.value && ` · ${kilometres(route.value.properties.metres)}`}
        </small>
      </button>
    </li>
  );
}
