/** The roads that ways are looked for on: empty, or as a run has them at a moment. */

import { t } from '../../i18n/text';
import type { Job } from '../../api/scenarios';
import { instant } from '../../state/scenarios/play';
import { minuteOf } from '../../state/sensing/view';
import { view } from '../../state/store';
import { changeWays, followsClock, roadRuns } from '../../state/ways/ways';
import { fullTime } from '../sensing/words';

export function RoadsChoice() {
  const { run, at, mode } = view.value.ways;
  const offered = roadRuns.value.filter(({ processID }) => processID === 'flood' || mode !== 'walk');
  const chosen = offered.find(({ jobID }) => jobID === run);
  const times = chosen ? timesOf(chosen) : [];
  return (
    <div class="way-roads">
      <label>
        <span>{t('ways.roads')}</span>
        <select value={chosen?.jobID ?? ''} onChange={(event) => changeWays({ run: event.currentTarget.value || null, at: null })}>
          <option value="">{t(mode === 'walk' ? 'ways.dry' : 'ways.empty')}</option>
          {offered.map((job) => (
            <option key={job.jobID} value={job.jobID}>
              {t(job.processID === 'flood' ? 'ways.flooded' : 'ways.loaded', { time: fullTime(Date.parse(job.created)) })}
            </option>
          ))}
        </select>
      </label>
      {times.length > 1 &&
        (followsClock.value && instant.value !== null ? (
          <p class="quiet">{t('ways.at_clock', { time: fullTime(instant.value) })}</p>
        ) : (
          <label>
            <span>{t('ways.hour')}</span>
            <select value={at ?? times[0]} onChange={(event) => changeWays({ at: event.currentTarget.value })}>
              {times.map((time) => (
                <option key={time} value={time}>
                  {fullTime(Date.parse(time))}
                </option>
              ))}
            </select>
          </label>
        ))}
    </div>
  );
}

/** The minutes at which the states of a run begin. */
function timesOf(job: Job): readonly string[] {
  const layer = job.twin.layers.find(({ role }) => role === (job.processID === 'flood' ? 'depth' : 'traffic')) ?? job.twin.layers.find(({ times }) => times.length > 0);
  return layer?.times.map((time) => minuteOf(Date.parse(time))) ?? [];
}
