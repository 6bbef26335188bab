/** A list of things in a form, such as walls or breaches: each with fields of its own. */

import type { Attributes } from '../../api/documents';
import { pick, t } from '../../i18n/text';
import type { Field } from '../../state/scenarios/form';
import { Icon } from '../Icon';
import { FieldRow, type InputProps } from './FieldRow';
import type { Taken } from './PhotoField';

export function Entries({ id, field, value, onChange, fields }: InputProps & { fields: readonly Field[] }) {
  const now = (value === undefined ? field.initial : value) as readonly Attributes[] | undefined;
  const entries = Array.isArray(now) ? (now as readonly Attributes[]) : [];
  const set = (index: number, entry: Attributes | null): void => onChange(entries.flatMap((each, place) => (place !== index ? [each] : entry ? [entry] : [])));
  return (
    <div class="entries">
      {entries.map((entry, index) => (
        <div key={index} class="entry" role="group" aria-label={t('scenario.entry', { number: index + 1 })}>
          <div class="entry-head">
            <b>{index + 1}</b>
            <button type="button" class="bare" aria-label={t('scenario.remove_entry', { number: index + 1 })} onClick={() => set(index, null)}>
              <Icon name="close" />
            </button>
          </div>
          {fields.map((each) => (
            <FieldRow
              key={each.name}
              field={each}
              value={entry[each.name]}
              fault={null}
              onChange={(given) => set(index, changed(entry, each.name, given))}
              onTaken={(taken) => set(index, { ...entry, ...filled(fields, taken) })}
            />
          ))}
        </div>
      ))}
      <button id={id} type="button" class="text-button" aria-label={`${t('scenario.add_entry')} · ${pick(field.title)}`} onClick={() => onChange([...entries, {}])}>
        <Icon name="plus" /> {t('scenario.add_entry')}
      </button>
    </div>
  );
}

/** What a photo tells of the fields beside it. */
function filled(fields: readonly Field[], { place, time }: Taken): Attributes {
  const point = fields.find(({ asks }) => asks.kind === 'shape' && asks.shape === 'point');
  const moment = fields.find(({ asks }) => asks.kind === 'moment');
  return { ...(point && place ? { [point.name]: place } : {}), ...(moment && time !== null ? { [moment.name]: time } : {}) };
}

// What is not given is left out: null would be a value.
function changed(entry: Attributes, name: string, value: unknown): Attributes {
  const { [name]: _, ...others } = entry;
  return value === undefined ? others : { ...others, [name]: value };
}
