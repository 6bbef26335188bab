/** Single vehicles of the runs: on the map or not, and what their colours mean. */

import { t } from '../../i18n/text';
import { PACES } from '../../map/scenarios/paces';
import { driving, otherTracks, tracks } from '../../state/scenarios/vehicles';
import { Icon } from '../Icon';
import { Swatch } from '../Legend';

export function VehicleLegend() {
  if (tracks.value === null && otherTracks.value === null) return null;
  const words = { standing: t('vehicles.standing'), slow: t('vehicles.slow'), going: t('vehicles.going') };
  return (
    <>
      <div class="chips">
        <button type="button" class="result-chip" aria-pressed={driving.value} onClick={() => (driving.value = !driving.peek())}>
          <Icon name="play" /> {t('vehicles.title')}
        </button>
      </div>
      {driving.value && (
        <ul class="legend">
          {PACES.map(({ colour, pace }) => (
            <li key={pace}>
              <Swatch entry={{ kind: 'circle', color: colour, outline: '#ffffff', label: { zh: '', en: '' } }} />
              <span>{words[pace]}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
