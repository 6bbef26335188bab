/** A field that takes one of what the city has: a run, a sensor's series, a layer. */

import { pick, t } from '../../i18n/text';
import type { Job } from '../../api/scenarios';
import type { Picked } from '../../state/scenarios/form';
import { jobs } from '../../state/scenarios/runs';
import { sensors } from '../../state/sensing/live';
import { city } from '../../state/session';
import type { InputProps } from './FieldRow';
import { runChanges, runName, runTime } from './runs';

interface Offer {
  readonly value: string | number;
  readonly title: string;
}

export function Pick({ id, describedBy, value, onChange, of, scenario }: InputProps & { of: Picked; scenario: string | null }) {
  const offers = of === 'run' ? runsOf(scenario) : offersOf(of);
  return (
    <select id={id} aria-describedby={describedBy} value={value === undefined || value === null ? '' : String(value)} onChange={(event) => onChange(offers.find((offer) => String(offer.value) === event.currentTarget.value)?.value)}>
      <option value="">{t('filter.choose')}</option>
      {offers.map((offer) => (
        <option key={offer.value} value={String(offer.value)}>
          {offer.title}
        </option>
      ))}
    </select>
  );
}

/** Runs that are done, of one scenario where the field asks for that. */
function runsOf(scenario: string | null): readonly Offer[] {
  const wanted = ({ status, processID }: Job): boolean => status === 'successful' && (scenario === null || processID === scenario);
  return jobs.value.filter(wanted).map((job) => ({ value: job.jobID, title: [runName(job), runTime(job), ...runChanges(job)].join(' · ') }));
}

function offersOf(of: 'datastream' | 'layer'): readonly Offer[] {
  if (of === 'layer') return (city.value?.collections ?? []).map((layer) => ({ value: layer.id, title: pick(layer.twin.title) }));
  const named = [...sensors.value.values()].map(({ id, title, property }) => ({ value: id, title: `${title} · ${property}` }));
  return named.sort((a, b) => a.title.localeCompare(b.title, 'zh-CN', { numeric: true }));
}
