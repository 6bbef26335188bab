/** A series in a form: an hour and a value a line, as they are copied from a sheet. */

import { t } from '../../i18n/text';
import { readRows, writeRows } from '../../state/scenarios/form';
import { useDraft } from './draft';
import type { InputProps } from './FieldRow';

export function RowsField({ id, describedBy, field, value, onChange }: InputProps) {
  const { input, fault } = useDraft(writeRows(value === undefined ? field.initial : value), (text) => {
    const rows = readRows(text);
    if (rows === null) return t('scenario.rows_wrong');
    onChange(rows.length > 0 ? rows : undefined);
    return null;
  });
  return (
    <>
      <textarea
        id={id}
        aria-describedby={describedBy}
        rows={3}
        spellcheck={false}
        placeholder={'0 12\n1 30\n2 8'}
        {...input}
      />
      {fault !== null && <span class="fault">{fault}</span>}
    </>
  );
}
