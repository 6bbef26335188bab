/** The typhoons that are told of: where they are, how far, and when each agency expects them nearest. */

import type { Typhoon } from '../../api/sensing';
import { number, pick, t } from '../../i18n/text';
import { changeSensing } from '../../state/sensing/cards';
import { typhoonMap, typhoons } from '../../state/sensing/typhoons';
import { boxOf } from '../../geo/scale';
import { map } from '../../state/session';
import { view } from '../../state/store';
import { Icon } from '../Icon';
import { timeText } from './words';

export function Typhoons() {
  const found = typhoons.value;
  if (found.length === 0) return null;
  return (
    <section class="typhoons" aria-labelledby="typhoon-title">
      <h3 id="typhoon-title" class="sensing-head">
        {t('typhoon.title')}
      </h3>
      <ul>
        {found.map((typhoon) => (
          <TyphoonRow key={typhoon.id} typhoon={typhoon} />
        ))}
      </ul>
    </section>
  );
}

function TyphoonRow({ typhoon }: { typhoon: Typhoon }) {
  const name = `${typhoon.id} ${pick(typhoon.name)}`;
  const isShown = view.value.sensing.typhoon === typhoon.id;
  const { position } = typhoon;
  const told = [
    t('typhoon.far', { distance: number(position.distance_km, 0) }),
    position.wind_ms !== null && t('typhoon.wind', { wind: number(position.wind_ms, 0) }),
    position.pressure_hpa !== null && t('typhoon.pressure', { pressure: number(position.pressure_hpa, 0) }),
  ].filter(Boolean);
  return (
    <li>
      <label class="choice typhoon-name">
        <input type="checkbox" class="check" aria-label={t('typhoon.show', { name })} checked={isShown} onChange={() => changeSensing({ typhoon: isShown ? null : typhoon.id })} />
        <b>{name}</b> {position.grade && <small>{position.grade}</small>}
        {typhoon.simulated && <small class="made-up-mark">{t('typhoon.made_up')}</small>}
      </label>
      <p class="quiet typhoon-told">
        {timeText(Date.parse(position.at))} · {told.join(' · ')}
      </p>
      {isShown && <Approach typhoon={typhoon} />}
    </li>
  );
}

function Approach({ typhoon }: { typhoon: Typhoon }) {
  const track = typhoonMap.value?.features.find((feature) => feature.properties?.['role'] === 'track');
  const box = track && boxOf(track.geometry);
  return (
    <div class="typhoon-told">
      {typhoon.nearest.length > 0 && (
        <table class="figures">
          <caption class="unseen">{t('typhoon.nearest')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('typhoon.agency')}</th>
              <th scope="col">{t('typhoon.distance')}</th>
              <th scope="col">{t('typhoon.hours')}</th>
              <th scope="col">{t('typhoon.at')}</th>
            </tr>
          </thead>
          <tbody>
            {typhoon.nearest.map((each) => (
              <tr key={each.agency}>
                <th scope="row">{each.agency}</th>
                <td>{number(each.distance_km, 0)} km</td>
                <td>{number(each.hours, 1)} h</td>
                <td>{timeText(Date.parse(each.at))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {box && (
        <button type="button" class="text-button" onClick={() => map.peek()?.showBox(box)}>
          <Icon name="target" /> {t('typhoon.zoom')}
        </button>
      )}
      {typhoon.source && <p class="quiet">{typhoon.source}</p>}
    </div>
  );
}
