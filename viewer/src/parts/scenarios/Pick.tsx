/** A field that takes one of what the city has: a run, a sensor's series, a layer; and why there is none to take. */

import { pick, t } from '../../i18n/text';
import type { Job } from '../../api/scenarios';
import { asking } from '../../state/scenarios/asking';
import type { Picked } from '../../state/scenarios/form';
import { jobs, offered } from '../../state/scenarios/runs';
import { sensors } from '../../state/sensing/live';
import { city } from '../../state/session';
import { fullTime, kindTitle } from '../sensing/words';
import type { InputProps } from './FieldRow';
import { runChanges, runName, runTime } from './runs';

/** Instead of a run's id: the newest there is. */
const LATEST = 'latest';

interface Offer {
  readonly value: string | number;
  readonly title: string;
}

export function Pick({ id, describedBy, value, onChange, of, among }: InputProps & { of: Picked; among: string | null }) {
  const offers = of === 'run' ? runsOf(among) : of === 'layer' ? layers() : datastreamsOf(among);
  // What an earlier run took may be gone.
  const isKnown = value === undefined || value === null || offers.some((offer) => offer.value === value);
  if (offers.length === 0 && (isKnown || value === LATEST)) return <Nothing id={id} of={of} among={among} />;
  return (
    <select id={id} aria-describedby={describedBy} value={value === undefined || value === null ? '' : String(value)} onChange={(event) => onChange(offers.find((offer) => String(offer.value) === event.currentTarget.value)?.value)}>
      <option value="">{t('filter.choose')}</option>
      {!isKnown && <option value={String(value)}>{value === LATEST ? t('scenario.latest') : t('scenario.gone', { value: String(value) })}</option>}
      {offers.map((offer) => (
        <option key={offer.value} value={String(offer.value)}>
          {offer.title}
        </option>
      ))}
    </select>
  );
}

/** Why nothing can be taken, and what can be done. */
function Nothing({ id, of, among }: { id: string; of: Picked; among: string | null }) {
  const process = of === 'run' ? offered.value?.find((each) => each.id === among) : undefined;
  const words = of === 'run' ? t('scenario.no_run', { scenario: process ? pick(process.twin.title) : (among ?? '') }) : of === 'layer' ? t('scenario.no_layer') : noDatastream(among);
  return (
    <div id={id} class="nothing-to-take" tabIndex={-1}>
      <p class="quiet">{words}</p>
      {process && !process.twin.missing && (
        <button type="button" class="text-button" onClick={() => (asking.value = { process, inputs: {} })}>
          {t('scenario.run_first', { scenario: pick(process.twin.title) })}
        </button>
      )}
    </div>
  );
}

function noDatastream(among: string | null): string {
  const kinds = (among?.split(',') ?? []).map(kindTitle).join(' / ');
  const silent = sensorsOf(among).length > 0;
  if (among === null || sensors.value.size === 0) return t('scenario.no_sensors');
  return t(silent ? 'scenario.silent_sensors' : 'scenario.no_sensors_of', { kinds });
}

/** Runs that are done, of one scenario where the field asks for that. */
function runsOf(scenario: string | null): readonly Offer[] {
  const wanted = ({ status, processID }: Job): boolean => status === 'successful' && (scenario === null || processID === scenario);
  return jobs.value.filter(wanted).map((job) => ({ value: job.jobID, title: [runName(job), runTime(job), ...runChanges(job)].join(' · ') }));
}

function layers(): readonly Offer[] {
  return (city.value?.collections ?? []).map((layer) => ({ value: layer.id, title: pick(layer.twin.title) }));
}

/** Series that have told something, each with its last reading: a run must lie within. */
function datastreamsOf(among: string | null): readonly Offer[] {
  const named = sensorsOf(among).flatMap(({ id, title, property, time }) => (time === null ? [] : [{ value: id, title: t('scenario.last_reading', { name: `${title} · ${property}`, time: fullTime(time) }) }]));
  return named.sort((a, b) => a.title.localeCompare(b.title, 'zh-CN', { numeric: true }));
}

function sensorsOf(among: string | null) {
  const kinds = among?.split(',');
  return [...sensors.value.values()].filter(({ kind, camera }) => camera === null && (kinds === undefined || kinds.includes(kind)));
}
