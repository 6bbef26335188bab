/** On the card of a city object: the sensors that belong to it, and what is on there. */

import type { CityObject } from '../../api/sensing';
import { t } from '../../i18n/text';
import { events, isOpen } from '../../state/sensing/events';
import { sensors } from '../../state/sensing/live';
import { byUrgency } from '../../state/sensing/states';
import type { Selection } from '../../state/view';
import { EventRow } from './EventsTab';
import { SensorRow } from './SensorsTab';

/** Rows shown of each. */
const MOST = 20;

export function AtObject({ layer, id }: Selection) {
  const isIt = (objects: readonly CityObject[]): boolean => objects.some((object) => object.layer === layer && String(object.object_id) === id);
  const own = [...sensors.value.values()].filter(({ objects }) => isIt(objects)).sort(byUrgency);
  const on = [...events.value.values()].filter(({ properties }) => isOpen(properties.state) && isIt(properties.objects));
  return (
    <>
      {own.length > 0 && (
        <>
          <h3 class="sensing-head">{t('panel.sensors')}</h3>
          <ul class="sensor-rows">
            {own.slice(0, MOST).map((sensor) => (
              <SensorRow key={sensor.id} sensor={sensor} />
            ))}
          </ul>
        </>
      )}
      {on.length > 0 && (
        <>
          <h3 class="sensing-head">{t('events.open')}</h3>
          <ul class="event-rows">
            {on.slice(0, MOST).map((event) => (
              <EventRow key={event.id} event={event} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}
