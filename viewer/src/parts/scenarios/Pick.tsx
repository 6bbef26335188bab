/** A field that takes one of what the city has: a run, a sensor's series, a layer. */

import { pick, t } from '../../i18n/text';
import { jobs } from '../../state/scenarios/runs';
import { sensors } from '../../state/sensing/live';
import { city } from '../../state/session';
import type { InputProps } from './FieldRow';
import { runTitle } from './runs';

interface Offer {
  readonly value: string | number;
  readonly title: string;
}

export function Pick({ id, describedBy, value, onChange, of }: InputProps & { of: 'run' | 'datastream' | 'layer' }) {
  const offers = offersOf(of);
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

function offersOf(of: 'run' | 'datastream' | 'layer'): readonly Offer[] {
  if (of === 'run') return jobs.value.filter((job) => job.status === 'successful').map((job) => ({ value: job.jobID, title: runTitle(job) }));
  if (of === 'layer') return (city.value?.collections ?? []).map((layer) => ({ value: layer.id, title: pick(layer.twin.title) }));
  const named = [...sensors.value.values()].map(({ id, title, property }) => ({ value: id, title: `${title} · ${property}` }));
  return named.sort((a, b) => a.title.localeCompare(b.title, 'zh-CN', { numeric: true }));
}
