/** A person tells of something: at the middle of the map, or at no place. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { raiseEvent, type Severity } from '../../api/sensing';
import { t } from '../../i18n/text';
import { openEvent } from '../../state/sensing/cards';
import { send } from '../../state/sensing/sending';
import { LOOK_KEYS, SEVERITIES } from '../../state/sensing/states';
import { view } from '../../state/store';

/** Of an event that nobody's rule has raised. */
const KIND = 'report';

export function RaiseForm({ onDone }: { onDone: () => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const values = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(values.get(name) ?? '').trim();
    const camera = values.has('here') ? view.peek().camera : null;
    const place = camera && ({ type: 'Point' as const, coordinates: [camera.lng, camera.lat] });
    const told = { kind: KIND, severity: text('severity') as Severity, title: text('title'), text: text('text') || null, place };
    send(
      (root, token) => raiseEvent(root, told, token),
      (reason, made) => {
        setProblem(reason);
        if (made === null) return;
        onDone();
        openEvent(made.id);
      },
    );
  };
  return (
    <form class="step-form" onSubmit={submit}>
      <label class="wide-field">
        <span>{t('raise.what')}</span>
        <input ref={first} type="text" name="title" maxLength={200} required />
      </label>
      <label class="wide-field">
        <span>{t('events.severity')}</span>
        <select name="severity">
          {SEVERITIES.map((severity) => (
            <option key={severity} value={severity} selected={severity === 'yellow'}>
              {t(LOOK_KEYS[severity])}
            </option>
          ))}
        </select>
      </label>
      <label class="wide-field">
        <span>{t('raise.text')}</span>
        <textarea name="text" rows={2} maxLength={2000} />
      </label>
      <label class="choice">
        <input type="checkbox" class="check" name="here" defaultChecked />
        {t('raise.here')}
      </label>
      {problem !== null && (
        <p class="notice is-trouble" role="alert">
          {t('event.failed', { reason: problem })}
        </p>
      )}
      <button type="submit" class="button is-main">
        {t('raise.send')}
      </button>
    </form>
  );
}
