/** The form of an object being made or changed: its attributes, its shape in figures, why, and what came of saving. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Geometry } from 'geojson';
import type { Property } from '../api/documents';
import type { Cause } from '../api/writing';
import { pick, t } from '../i18n/text';
import { changeShape, changeValue, isChanged, readAgain, remove, save, stopEditing } from '../state/editing';
import { editing, map, type Editing } from '../state/session';
import { Icon } from './Icon';

export function EditForm() {
  const now = editing.value;
  return now && <OpenForm key={`${now.layer.id}/${now.id}`} now={now} />;
}

function OpenForm({ now }: { now: Editing }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [cause, setCause] = useState<Cause>({ mode: 'correct', asOf: null, why: '' });
  const [deleting, setDeleting] = useState(false);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const title = now.id === null ? t('edit.new', { layer: pick(now.layer.twin.title) }) : t('edit.title', { layer: pick(now.layer.twin.title), id: now.id });
  const busy = now.status === 'saving';
  return (
    <section class="card edit" aria-label={title} onKeyDown={(event) => event.key === 'Escape' && !isChanged(now) && stopEditing()}>
      <div class="card-head">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" class="bare" aria-label={t('edit.cancel')} onClick={stopEditing}>
          <Icon name="close" />
        </button>
      </div>
      <form
        class="card-body"
        onSubmit={(event) => {
          event.preventDefault();
          void save(cause);
        }}
      >
        <p class="quiet">{now.shape ? t('edit.hint') : t('edit.no_shape')}</p>
        {now.layer.twin.properties
          .filter((property) => now.writable.includes(property.name))
          .map((property) => (
            <Field key={property.name} property={property} now={now} />
          ))}
        {now.shape && <Shape shape={now.shape} />}
        {now.id !== null && <Why cause={cause} onChange={setCause} />}
        <div class="edit-foot">
          <div role="alert">{now.problem !== null && <Trouble now={now} />}</div>
          <div class="card-actions">
            <button type="submit" class="button is-main" disabled={busy || now.conflict || !isChanged(now)}>
              {busy ? t('edit.saving') : t('edit.save')}
            </button>
            <button type="button" class="button" onClick={stopEditing}>
              {t('edit.cancel')}
            </button>
            {now.id !== null && (
              <button type="button" class="button is-danger" aria-expanded={deleting} disabled={busy} onClick={() => setDeleting(!deleting)}>
                {t('edit.delete')}
              </button>
            )}
          </div>
          {deleting && <Deleting cause={cause} />}
        </div>
      </form>
    </section>
  );
}

function Field({ property, now }: { property: Property; now: Editing }) {
  const { name } = property;
  const value = name in now.values ? now.values[name] : now.before[name];
  const text = value === null || value === undefined ? '' : String(value);
  const required = now.required.includes(name);
  return (
    <label class="wide-field">
      <span>
        {pick(property.title) || name}
        {property.unit && <small class="unit"> {property.unit}</small>}
        {required && <b aria-hidden="true"> *</b>}
      </span>
      <Input property={property} text={text} required={required} />
    </label>
  );
}

function Input({ property, text, required }: { property: Property; text: string; required: boolean }) {
  const { name, type, codes } = property;
  const tell = (written: string): void => changeValue(name, valueOf(type, written));
  if (codes || type === 'boolean') {
    const options = codes ? Object.entries(codes).map(([code, title]) => [code.slice(code.indexOf(':') + 1), pick(title)] as const) : ([['true', t('value.yes')], ['false', t('value.no')]] as const);
    return (
      <select required={required} value={text} onChange={(event) => tell(event.currentTarget.value)}>
        <option value="">–</option>
        {text !== '' && !options.some(([code]) => code === text) && <option value={text}>{text}</option>}
        {options.map(([code, title]) => (
          <option key={code} value={code}>
            {title}
          </option>
        ))}
      </select>
    );
  }
  const onInput = (event: preact.TargetedEvent<HTMLInputElement>): void => tell(event.currentTarget.value);
  if (type === 'number' || type === 'integer') return <input type="number" step={type === 'integer' ? 1 : 'any'} required={required} value={text} onInput={onInput} />;
  return <input type="text" required={required} value={text} onInput={onInput} />;
}

function valueOf(type: string, text: string): unknown {
  if (text === '') return null;
  if (type === 'boolean') return text === 'true';
  return type === 'number' || type === 'integer' ? Number(text) : text;
}

/** The shape in figures: to read it, and to write it without a mouse. */
function Shape({ shape }: { shape: Geometry }) {
  const [wrong, setWrong] = useState(false);
  const read = (text: string): void => {
    const found = shapeOf(text, shape.type);
    setWrong(found === null);
    if (!found) return;
    changeShape(found);
    map.peek()?.showShape(found);
  };
  return (
    <details class="shape">
      <summary>{t('edit.shape')}</summary>
      <textarea aria-label={t('edit.shape')} aria-invalid={wrong} spellcheck={false} rows={5} value={JSON.stringify(shape)} onChange={(event) => read(event.currentTarget.value)} />
      {wrong && <p class="quiet">{t('edit.shape_wrong')}</p>}
    </details>
  );
}

function shapeOf(text: string, type: Geometry['type']): Geometry | null {
  try {
    const found = JSON.parse(text) as { readonly type?: unknown; readonly coordinates?: unknown };
    return found.type === type && Array.isArray(found.coordinates) ? (found as Geometry) : null;
  } catch {
    return null;
  }
}

function Why({ cause, onChange }: { cause: Cause; onChange: (cause: Cause) => void }) {
  return (
    <fieldset class="why">
      <legend>{t('edit.cause')}</legend>
      <label class="choice">
        <input type="radio" name="mode" checked={cause.mode === 'correct'} onChange={() => onChange({ ...cause, mode: 'correct' })} />
        {t('edit.correct')}
      </label>
      <label class="choice">
        <input type="radio" name="mode" checked={cause.mode === 'supersede'} onChange={() => onChange({ ...cause, mode: 'supersede' })} />
        {t('edit.supersede')}
      </label>
      {cause.mode === 'supersede' && (
        <label class="wide-field">
          <span>{t('edit.as_of')}</span>
          <input type="date" value={cause.asOf ?? ''} onChange={(event) => onChange({ ...cause, asOf: event.currentTarget.value || null })} />
        </label>
      )}
      <label class="wide-field">
        <span>{t('edit.why')}</span>
        <input type="text" maxLength={500} value={cause.why} onInput={(event) => onChange({ ...cause, why: event.currentTarget.value })} />
      </label>
    </fieldset>
  );
}

function Deleting({ cause }: { cause: Cause }) {
  return (
    <div class="deleting" role="group" aria-label={t('edit.delete')}>
      <button type="button" class="button is-danger" onClick={() => void remove({ ...cause, mode: 'supersede' })}>
        {t('edit.gone')}
      </button>
      <button type="button" class="button is-danger" onClick={() => void remove({ ...cause, mode: 'correct' })}>
        {t('edit.never')}
      </button>
    </div>
  );
}

function Trouble({ now }: { now: Editing }) {
  if (!now.conflict) return <p class="notice is-trouble">{t('edit.refused', { reason: now.problem ?? '' })}</p>;
  return (
    <div class="notice is-trouble is-tall">
      <p>{t('edit.conflict')}</p>
      <div>
        <button type="button" class="text-button" onClick={() => void readAgain(false)}>
          {t('edit.take_theirs')}
        </button>
        <button type="button" class="text-button" onClick={() => void readAgain(true)}>
          {t('edit.keep_mine')}
        </button>
      </div>
    </div>
  );
}
