/** The bands that are reached: what their colours mean, how large they are, who lives there. */

import { formatNumber, number, t } from '../../i18n/text';
import { bandColour } from '../../map/ways';
import { view } from '../../state/store';
import { reached } from '../../state/ways/ways';

export function Reach() {
  if (!reached.value) return null;
  const bands = [...reached.value].reverse();
  const told = bands.some(({ properties }) => properties.people !== null);
  return (
    <table class="figures" aria-live="polite">
      <thead>
        <tr>
          <th scope="col">{t('ways.within')}</th>
          {told && <th scope="col">{t('ways.people')}</th>}
          <th scope="col">km²</th>
        </tr>
      </thead>
      <tbody>
        {bands.map(({ properties: { minutes, km2, people } }, index) => (
          <tr key={minutes}>
            <th scope="row">
              <i class="band-key" style={{ background: bandColour(index, bands.length) }} aria-hidden="true" /> {t('ways.min', { minutes: number(minutes) })}
            </th>
            {told && <td>{people === null ? '—' : number(people)}</td>}
            <td>{formatNumber(km2, view.value.language, km2 < 10 ? 2 : 1)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
