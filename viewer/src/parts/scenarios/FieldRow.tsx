/** One field of a scenario's form: what it asks for, in its unit, with its help and what was wrong with it. */

import { useId } from 'preact/hooks';
import { pick, t } from '../../i18n/text';
import type { Field } from '../../state/scenarios/form';
import { unitText } from '../../state/sensing/states';
import { fromField, toField } from '../../state/sensing/times';
import { view } from '../../state/store';
import { zone } from '../sensing/words';
import { useDraft } from './draft';
import { Entries } from './Entries';
import { Pick } from './Pick';
import { PhotoField, type Taken } from './PhotoField';
import { RowsField } from './RowsField';
import { AreaField, ShapeField } from './ShapeField';

interface Props {
  readonly field: Field;
  /** undefined: not given, so that what stands without it holds. */
  readonly value: unknown;
  readonly fault: string | null;
  readonly onChange: (value: unknown) => void;
  /** Where a photo's place and time can be filled in beside it. */
  readonly onTaken?: (taken: Taken) => void;
}

export interface InputProps extends Omit<Props, 'fault'> {
  readonly id: string;
  readonly describedBy: string;
}

/** Beyond so many Latin letters a choice has a line of its own; a Chinese character is as wide as two. */
const LONG = 15;

export function FieldRow({ field, value, fault, onChange, onTaken }: Props) {
  const id = useId();
  const { title, help, unit, asks } = field;
  const describedBy = `${id}-help`;
  const long = asks.kind === 'choice' && asks.choices.some(({ title: words }) => widthOf(pick(words)) > LONG);
  const tall = long || ['list', 'rows', 'shape', 'box', 'json', 'names', 'moment', 'photo'].includes(asks.kind);
  return (
    <div class={`field-row is-${asks.kind}${tall ? ' is-tall' : ''}${fault !== null ? ' is-wrong' : ''}`}>
      <label for={id}>
        {pick(title)}
        {field.required && <b aria-hidden="true"> *</b>}
      </label>
      <div class="field-value">
        <FieldInput id={id} describedBy={describedBy} field={field} value={value} onChange={onChange} {...(onTaken ? { onTaken } : {})} />
        {unitText(unit, view.value.language) !== '' && <span class="unit">{unitText(unit, view.value.language)}</span>}
      </div>
      <div id={describedBy} class="field-help">
        {help && <p>{pick(help)}</p>}
        {fault !== null && (
          <p class="fault" role="alert">
            {fault}
          </p>
        )}
      </div>
    </div>
  );
}

function widthOf(text: string): number {
  return text.length + (text.match(/[\u3000-\u9fff\uff00-\uffef]/g)?.length ?? 0);
}

function FieldInput(props: InputProps) {
  const { id, describedBy, field, onChange } = props;
  const { asks } = field;
  const value = props.value === undefined ? field.initial : props.value;
  const named = { id, 'aria-describedby': describedBy };
  switch (asks.kind) {
    case 'number':
      return <NumberField {...props} />;
    case 'boolean':
      return <input {...named} type="checkbox" class="check" checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
    case 'choice':
      return (
        <select {...named} value={String(value)} onChange={(event) => onChange(asks.choices.find((choice) => String(choice.value) === event.currentTarget.value)?.value)}>
          {asks.choices.map((choice) => (
            <option key={choice.value} value={String(choice.value)}>
              {pick(choice.title)}
            </option>
          ))}
        </select>
      );
    case 'moment':
      return (
        <input
          {...named}
          type="datetime-local"
          value={typeof value === 'string' ? toField(Date.parse(value), zone()) : ''}
          onChange={(event) => onChange(momentOf(event.currentTarget.value))}
        />
      );
    case 'names':
      return (
        <TextField
          {...named}
          placeholder={t(asks.numbers ? 'scenario.numbers' : 'scenario.names')}
          shown={Array.isArray(value) ? value.join('、') : ''}
          take={(text) => {
            const given = listed(text).map((each) => (asks.numbers ? Number(each) : each));
            if (given.some(Number.isNaN)) return t('scenario.no_number');
            onChange(given);
          }}
        />
      );
    case 'shape':
      return <ShapeField {...props} />;
    case 'box':
      return <AreaField {...props} />;
    case 'rows':
      return <RowsField {...props} />;
    case 'pick':
      return <Pick {...props} of={asks.of} among={asks.among} />;
    case 'photo':
      return <PhotoField {...props} />;
    case 'list':
      return <Entries {...props} fields={asks.fields} />;
    case 'json':
      return <JsonField {...props} />;
    case 'file':
      return <input {...named} type="file" accept=".csv,.txt,text/*" onChange={(event) => void event.currentTarget.files?.[0]?.text().then(onChange)} />;
    case 'text':
      return <TextField {...named} shown={typeof value === 'string' ? value : ''} take={(text) => onChange(text === '' ? undefined : text)} />;
  }
}

function listed(text: string): string[] {
  return text.split(/[,，、;；]/).map((each) => each.trim()).filter(Boolean);
}

function momentOf(text: string): string | undefined {
  const time = fromField(text, zone());
  return time === null ? undefined : new Date(time).toISOString();
}

interface TextProps {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly placeholder?: string;
  readonly shown: string;
  /** What is wrong with a text; nothing: it is taken. */
  readonly take: (text: string) => string | void;
}

function TextField({ shown, take, ...named }: TextProps) {
  const { input, fault } = useDraft(shown, (text) => take(text) ?? null);
  return (
    <>
      <input {...named} type="text" {...input} />
      {fault !== null && <span class="fault">{fault}</span>}
    </>
  );
}

function NumberField({ id, describedBy, field, value, onChange }: InputProps) {
  const { asks, initial } = field;
  const take = (text: string): void => onChange(text.trim() === '' ? undefined : Number(text));
  const now = value === undefined ? initial : value;
  const shown = typeof now === 'number' ? String(now) : '';
  const { input, fault } = useDraft(shown, (text, isBad) => {
    if (isBad) return t('scenario.no_number');
    take(text);
    return null;
  });
  if (asks.kind !== 'number') return null;
  const limits = { ...(asks.least === null ? {} : { min: asks.least }), ...(asks.most === null ? {} : { max: asks.most }) };
  return (
    <>
      {asks.slides && <input type="range" aria-label={pick(field.title)} {...limits} step={((asks.most ?? 1) - (asks.least ?? 0)) / 100} value={shown} onInput={(event) => take(event.currentTarget.value)} />}
      <input id={id} aria-describedby={describedBy} type="number" {...limits} step={asks.whole ? 1 : 'any'} {...input} />
      {fault !== null && <span class="fault">{fault}</span>}
    </>
  );
}

// What no other field can ask for is written as it is.
function JsonField({ id, describedBy, field, value, onChange }: InputProps) {
  const now = value === undefined ? field.initial : value;
  const { input, fault } = useDraft(now === undefined || now === null ? '' : JSON.stringify(now), (text) => {
    const read = readJson(text);
    if (read === null) return t('scenario.no_json');
    onChange(read.value);
    return null;
  });
  return (
    <>
      <textarea id={id} aria-describedby={describedBy} rows={2} spellcheck={false} {...input} />
      {fault !== null && <span class="fault">{fault}</span>}
    </>
  );
}

/** Nothing is no value; null: it is not JSON. */
function readJson(text: string): { readonly value: unknown } | null {
  if (text.trim() === '') return { value: undefined };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}
