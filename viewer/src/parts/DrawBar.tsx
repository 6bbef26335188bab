/** Says on the map what is being drawn and how it is finished; the token that writing needs is asked for here too. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n/text';
import { announcement, drawing, map, tokenWanted, type Drawing } from '../state/session';
import { forgetToken, giveToken, token } from '../state/token';
import { Icon } from './Icon';
import { shapeText, sizeText } from './measure';

const HINTS = { area: 'draw.area', shape: 'draw.shape', change: 'draw.change' } as const;

export function DrawBar() {
  const now = drawing.value;
  const set = now?.corners.length ?? 0;
  const before = useRef(0);
  useEffect(() => {
    // What a drawing begins with is no news.
    if (now && now.hint !== 'change' && set !== before.current) announcement.value = told(now, set < before.current);
    before.current = set;
  }, [set]);
  if (!now) return null;
  return (
    <div class="notice draw-bar" role="group" aria-label={t('draw.label')}>
      <Icon name="pen" />
      <p role="status">{t(now.kind === 'point' && now.hint === 'shape' ? 'draw.point' : HINTS[now.hint])}</p>
      {set > 0 && <span class="draw-size">{shapeText(now.kind, now.corners)}</span>}
      <span class="draw-actions">
        <button type="button" class="text-button" disabled={!now.canTakeBack} onClick={() => map.peek()?.takeBack()}>
          {t('draw.undo')}
        </button>
        <button type="button" class="text-button" disabled={!now.isWhole} onClick={() => map.peek()?.finishDrawing()}>
          {t('draw.done')}
        </button>
        <button type="button" class="text-button" onClick={() => map.peek()?.stopDrawing()}>
          {t('edit.cancel')}
        </button>
      </span>
    </div>
  );
}

function told({ kind, corners }: Drawing, takenBack: boolean): string {
  const [number, size] = [corners.length, sizeText(kind, corners)];
  const words = t(takenBack ? 'draw.taken_back' : 'draw.set', { number });
  return size === '' ? words : `${words} · ${size}`;
}

export function TokenDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const wanted = tokenWanted.value;
  const [text, setText] = useState('');
  useEffect(() => {
    if (wanted) dialog.current?.showModal();
    else dialog.current?.close();
  }, [wanted]);
  return (
    <dialog ref={dialog} class="help token" aria-labelledby="token-title" onClose={() => (tokenWanted.value = null)}>
      <div class="card-head">
        <h2 id="token-title">{t('token.title')}</h2>
        <button type="button" class="bare" aria-label={t('maps.close')} onClick={() => (tokenWanted.value = null)}>
          <Icon name="close" />
        </button>
      </div>
      <form
        class="add-map-body"
        onSubmit={(event) => {
          event.preventDefault();
          giveToken(text.trim());
          setText('');
          tokenWanted.value = null;
          wanted?.next();
        }}
      >
        <p class="quiet">{t('token.hint')}</p>
        <label class="wide-field">
          <span>{t('token.field')}</span>
          <input type="password" autocomplete="off" required value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button is-main">
          {t('token.use')}
        </button>
      </form>
    </dialog>
  );
}

/** Ends the right to write in this tab. */
export function ForgetToken() {
  if (token.value === null) return null;
  return (
    <button type="button" class="text-button" onClick={forgetToken}>
      {t('token.forget')}
    </button>
  );
}
