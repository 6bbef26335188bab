/** A series in a form: an hour and a value a line, as they are copied from a sheet. */

import { useState } from 'preact/hooks';
import { t } from '../../i18n/text';
import { readRows, writeRows } from '../../state/scenarios/form';
import { useDraft } from './draft';
import type { InputProps } from './FieldRow';

export function RowsField({ id, describedBy, field, value, onChange }: InputProps) {
  const [wrong, setWrong] = useState(false);
  const draft = useDraft(writeRows(value === undefined ? field.initial : value), (text) => {
    const rows = readRows(text);
    setWrong(rows === null);
    if (rows) onChange(rows.length > 0 ? rows : undefined);
  });
  return (
    <>
      <textarea
        id={id}
        aria-describedby={describedBy}
        aria-invalid={wrong}
        rows={3}
        spellcheck={false}
        placeholder={'0 12\n1 30\n2 8'}
        {...draft}
      />
      {wrong && <span class="fault">{t('scenario.rows_wrong')}</span>}
    </>
  );
}
